"""The XML of S3's requests and answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring

from flyte_admin.object_store.refusals import Refusal, printable

Node: TypeAlias = "tuple[str, str | Sequence[Node]]"
"""A name, and a text or what is below it."""

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LARGEST = 2 * 1024 * 1024
"""Bytes of a document that a client may send: enough for 1,000 keys or 10,000 parts."""


def document(name: str, content: Iterable[Node]) -> bytes:
    """Return an answer."""
    root = Element(name, xmlns=_NAMESPACE)
    for node in content:
        _add(root, node)
    data: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def timestamp(moment: datetime) -> str:
    """Return a time as S3 writes it in XML."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def keys_to_delete(body: bytes) -> tuple[list[str], bool]:
    """Return the keys of a multi-delete, and whether the answer is to leave the deleted ones out.

    :raises Refusal: if it is malformed or has more than 1,000 keys
    """
    root = _parsed(body, "Delete")
    keys = [_text(item, "Key") for item in _children(root, "Object")]
    if not 1 <= len(keys) <= 1000:
        raise Refusal("MalformedXML", f"Delete names {len(keys)} objects, 1 to 1000 are allowed")
    return keys, any(child.text == "true" for child in _children(root, "Quiet"))


def parts_to_join(body: bytes) -> list[tuple[int, str]]:
    """Return numbers and entity tags of a CompleteMultipartUpload.

    :raises Refusal: if it is malformed or has more than 10,000 parts
    """
    parts = []
    for item in _children(_parsed(body, "CompleteMultipartUpload"), "Part"):
        number = _text(item, "PartNumber")
        if not (number.isascii() and number.isdigit() and len(number) < 6):
            raise Refusal("MalformedXML", f"{number[:32]!r} is no number of a part")
        parts.append((int(number), _text(item, "ETag").strip().strip('"').lower()))
    if not 1 <= len(parts) <= 10_000:
        raise Refusal("MalformedXML", f"CompleteMultipartUpload names {len(parts)} parts, 1 to 10000 are allowed")
    return parts


def _add(parent: Element, node: Node) -> None:
    name, content = node
    element = SubElement(parent, name)
    if isinstance(content, str):
        element.text = printable(content)
    else:
        for child in content:
            _add(element, child)


def _parsed(body: bytes, name: str) -> Element:
    # Entities are of no use here and can be made to explode.
    if b"<!" in body:
        raise Refusal("MalformedXML", "a document type, comment or CDATA is not accepted")
    try:
        root = fromstring(body)
    except (ParseError, ValueError) as error:
        raise Refusal("MalformedXML", f"the body is no XML: {error}") from error
    if _local(root) != name:
        raise Refusal("MalformedXML", f"expected {name}, found {_local(root)[:64]}")
    return root


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if _local(child) == name]


def _text(element: Element, name: str) -> str:
    found = _children(element, name)
    if not found:
        raise Refusal("MalformedXML", f"{name} is missing")
    return found[0].text or ""


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
