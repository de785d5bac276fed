"""Types that cannot be one value: tuples stand for several outputs."""

from __future__ import annotations

import typing
from typing import Any, NoReturn

from flyteidl.core.types_pb2 import LiteralType

from flyte_kit.core.type_transformer import RestrictedTypeError, TypeTransformer


class RestrictedTypeTransformer(TypeTransformer[Any]):
    """Refuses a type in every direction."""

    def __init__(self, name: str, t: Any) -> None:
        super().__init__(name, t, enable_type_assertions=False)

    def _refuse(self) -> NoReturn:
        raise RestrictedTypeError(
            f"Transformer for type {self.python_type} is restricted currently: a tuple stands for several outputs. "
            "Use a list, a dataclass or a NamedTuple as the whole return annotation."
        )

    def get_literal_type(self, t: Any) -> LiteralType:
        """Refuse."""
        self._refuse()

    def to_literal(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        self._refuse()

    def to_python_value(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        self._refuse()


RESTRICTED = (
    RestrictedTypeTransformer("non typed tuple", tuple),
    RestrictedTypeTransformer("non typed tuple", typing.Tuple),  # noqa: UP006 - the alias is a type of its own
    RestrictedTypeTransformer("named tuple", typing.NamedTuple),
)
