"""Checks of the resources that a container asks for (upstream's rules)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from flyteidl.core.tasks_pb2 import Resources

from flyte_core.errors import InvalidInput

_QUANTITY = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(|[eE][+-]?\d{1,2}|[numkMGTPE]|[KMGTPE]i)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_LONGEST = 64


def parse_quantity(text: str) -> Decimal | None:
    """Return the number that a Kubernetes quantity stands for (``500m``, ``1Gi``), None if it is not one."""
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    number, unit = Decimal(match[1]), match[2]
    if unit in _BINARY:
        return number * Decimal(1024) ** _BINARY[unit]
    if unit in _DECIMAL:
        return number.scaleb(_DECIMAL[unit])
    return number.scaleb(int(unit[1:]))


def check_resources(resources: Resources, limits: Mapping[str, str], field: str) -> None:
    """Check requests against limits, and both against the platform's.

    :param limits: the platform's, by upstream's resource name in lower case (``cpu``, ``memory``)
    :raises InvalidInput: for a quantity that is none, a resource named twice, a request above its limit, a limit
        above the platform's, or a GPU count that is not whole or differs between request and limit
    """
    requested = _quantities(resources.requests, f"{field}.requests")
    limited = _quantities(resources.limits, f"{field}.limits")
    for name, quantity in requested.items():
        if name in limited and quantity > limited[name]:
            raise InvalidInput(f"{field}: requested {name} {quantity} is above its limit {limited[name]}", field=field)
    for name, text in limits.items():
        allowed = parse_quantity(text)
        wanted = max(requested.get(name, Decimal(0)), limited.get(name, Decimal(0)))
        if allowed is not None and wanted > allowed:
            raise InvalidInput(f"{field}: {name} {wanted} is above the platform's limit [{text}]", field=field)
    _check_gpu(requested.get("gpu"), limited.get("gpu"), field)


def _quantities(entries: Iterable[Resources.ResourceEntry], field: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for entry in entries:
        known = Resources.ResourceName.DESCRIPTOR.values_by_number.get(entry.name)
        name = known.name.lower() if known else str(entry.name)
        quantity = parse_quantity(entry.value)
        if quantity is None or quantity < 0:
            raise InvalidInput(f"{field}: {name} {entry.value[:64]!r} is not a quantity as in 500m or 1Gi", field=field)
        if name in found:
            raise InvalidInput(f"{field}: {name} is given twice", field=field)
        found[name] = quantity
    return found


def _check_gpu(requested: Decimal | None, limited: Decimal | None, field: str) -> None:
    for count in (requested, limited):
        if count is not None and count != count.to_integral_value():
            raise InvalidInput(f"{field}: a GPU count must be whole, not {count}", field=field)
    if requested is not None and limited is not None and requested != limited:
        raise InvalidInput(f"{field}: for gpu the request must equal the limit", field=field)
