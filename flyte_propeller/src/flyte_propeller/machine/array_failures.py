"""The error of an array node of which too many elements have failed."""

from __future__ import annotations

from flyteidl.core.execution_pb2 import ExecutionError

from flyte_propeller.machine.array_state import ArrayState

TOO_FEW = "ArrayNodeFailing"
"""Code where no element has failed: upstream's."""


def summary(array: ArrayState, needed: int) -> ExecutionError:
    """Return the error: code and kind of the first element that failed, and a text that names the elements.

    Elements of one text share a line, as upstream has it: ``[0-2][5]: …``.
    """
    if not array.failures:
        text = f"{needed} elements must succeed, there are {array.size}"
        return ExecutionError(code=TOO_FEW, message=text, kind=ExecutionError.USER)
    groups: dict[str, list[int]] = {}
    for failed in sorted(array.failures, key=lambda each: each.element):
        groups.setdefault(failed.message, []).append(failed.element)
    lines = [f"{array.failed} of {array.size} elements failed, {needed} must succeed"]
    lines += [f"{_ranges(elements)}: {message}" for message, elements in groups.items()]
    if array.failed > len(array.failures):
        lines.append(f"… and {array.failed - len(array.failures)} more")
    first = array.failures[0]
    return ExecutionError(code=first.code, message="\n".join(lines), kind=ExecutionError.ErrorKind.Name(first.kind))


def _ranges(elements: list[int]) -> str:
    ranges: list[list[int]] = []
    for element in elements:
        if ranges and ranges[-1][1] == element - 1:
            ranges[-1][1] = element
        else:
            ranges.append([element, element])
    return "".join(f"[{first}]" if first == last else f"[{first}-{last}]" for first, last in ranges)
