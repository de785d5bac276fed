"""``flyte://`` addresses: which data of which node, or of which attempt of its task."""

from __future__ import annotations

from dataclasses import dataclass

from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier

from flyte_core.errors import InvalidInput
from flyte_core.identifiers import check_identifier, check_name

SCHEME = "flyte://v1/"
INPUTS, OUTPUTS, DECK = "i", "o", "d"

_FORM = f"{SCHEME}<project>/<domain>/<execution>/<node>[/<attempt>]/i|o|d[/<variable>]"


@dataclass(frozen=True, slots=True)
class DataAddress:
    """A parsed address.

    :ivar attempt: of the node's task; None for the node itself
    :ivar kind: :data:`INPUTS`, :data:`OUTPUTS` or :data:`DECK`
    :ivar variable: one of the inputs or outputs; empty for all of them
    """

    node: NodeExecutionIdentifier
    attempt: int | None
    kind: str
    variable: str = ""

    @classmethod
    def parse(cls, url: str) -> DataAddress:
        """Parse an address.

        :raises InvalidInput: if it has another form
        """
        parts = url.removeprefix(SCHEME).split("/")
        if not url.startswith(SCHEME) or len(parts) < 5:
            raise _malformed(url)
        project, domain, name, node_id, *rest = parts
        attempt = None
        if rest[0].isascii() and rest[0].isdigit() and len(rest) > 1 and len(rest[0]) < 10:
            attempt = int(rest.pop(0))
        kind, *variable = rest
        if kind not in {INPUTS, OUTPUTS, DECK} or len(variable) > (kind != DECK) or "" in variable:
            raise _malformed(url)
        execution = WorkflowExecutionIdentifier(project=project, domain=domain, name=name)
        check_identifier(execution, "flyte_url")
        check_name(node_id, "flyte_url.node_id")
        node = NodeExecutionIdentifier(execution_id=execution, node_id=node_id)
        return cls(node, attempt, kind, "".join(variable))


def _malformed(url: str) -> InvalidInput:
    return InvalidInput(f"invalid value for flyte_url: {url[:256]!r} is not of the form {_FORM}", field="flyte_url")
