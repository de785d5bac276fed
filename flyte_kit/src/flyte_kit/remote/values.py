"""Inputs and outputs of executions, converted when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flyteidl.core.interface_pb2 import Variable
from flyteidl.core.literals_pb2 import Literal, LiteralMap

from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.core.type_engine import TypeEngine

if TYPE_CHECKING:
    import pathlib


class LiteralsResolver(Mapping[str, Any]):
    """Values by name.

    :param literals: as the wire has them
    :param variables: types on the wire, from which Python's types are guessed
    :param type_hints: Python's types that are known
    :param keys_file: the configuration file whose keys open files and tables; that of the process without it
    """

    def __init__(
        self,
        literals: LiteralMap,
        variables: Mapping[str, Variable] | None = None,
        type_hints: Mapping[str, Any] | None = None,
        *,
        keys_file: pathlib.Path | None = None,
    ) -> None:
        self.literals = literals
        self._variables = variables or {}
        self._hints = dict(type_hints or {})
        self._keys_file = keys_file
        self._known: dict[str, Any] = {}

    def get_literal(self, key: str) -> Literal:
        """Return a literal.

        :raises KeyError: naming what there is
        """
        if key not in self.literals.literals:
            raise KeyError(f"{key} is not there; there are {sorted(self.literals.literals)}")
        return self.literals.literals[key]

    def get(self, key: str, as_type: Any = None) -> Any:
        """Return a value, as a type; as the one that is known or guessed without it."""
        literal = self.get_literal(key)
        if as_type is None and key in self._known:
            return self._known[key]
        if as_type is None:
            as_type = self._hints.get(key) or self._guess(key)
        context = FlyteContextManager.current_context().with_keys_of(self._keys_file)
        with FlyteContextManager.with_context(context):
            value = TypeEngine.to_python_value(context, literal, as_type)
        self._known[key] = value
        return value

    def _guess(self, key: str) -> Any:
        if key not in self._variables:
            raise ValueError(f"the type of {key} is not known: use get({key!r}, as_type=…)")
        return TypeEngine.guess_python_type(self._variables[key].type)

    def update_type_hints(self, type_hints: Mapping[str, Any]) -> None:
        """Say Python's types of some names."""
        self._hints.update(type_hints)

    def __getitem__(self, key: str) -> Any:
        return self.get(key)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.literals.literals))

    def __len__(self) -> int:
        return len(self.literals.literals)

    def __repr__(self) -> str:
        return f"LiteralsResolver({', '.join(self)})"
