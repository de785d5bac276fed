"""Addresses: the index of a node, or of an element of an array node, in one number.

Effects, facts, attempts and timers speak of addresses, so that an element is launched, looked at and deleted by the
same means as a node, without a place of its own in the graph, whose size is known only when the inputs are.
"""

from __future__ import annotations

_BITS = 24
"""Of a node's index; the rest is the element's index + 1, and zero for a node itself."""
_NODE = (1 << _BITS) - 1


def element_address(node: int, element: int) -> int:
    """Return the address of an element, given the index of its array node and its own, from 0."""
    return (element + 1) << _BITS | node


def is_element(address: int) -> bool:
    """Return whether it is that of an element and not of a node."""
    return address > _NODE


def node_of(address: int) -> int:
    """Return the index of the node: of an element, that of its array node."""
    return address & _NODE


def element_of(address: int) -> int:
    """Return the index of an element within its array node; -1 for a node."""
    return (address >> _BITS) - 1
