"""Routes out of the descriptors, and which of them a request takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule

from flyte_admin.rpc.methods import Method
from flyte_core.errors import InvalidInput

_VERBS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Route:
    """One binding of a method.

    :ivar segments: of the path; a literal, or the dotted path of the request's field in a tuple of one
    :ivar has_body: the whole request is read from the body (``body: "*"``), else from the query
    """

    verb: str
    segments: tuple[str | tuple[str], ...]
    has_body: bool
    method: Method

    def fields_of(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the fields that the path gives, None if the path is not of this route."""
        fields = {}
        for own, given in zip(self.segments, segments, strict=True):
            if isinstance(own, tuple):
                if not given:
                    return None
                fields[own[0]] = given
            elif own != given:
                return None
        return fields


@dataclass(frozen=True, slots=True)
class Match:
    """The route of a request, and the decoded fields of its path."""

    route: Route
    fields: Mapping[str, str]


class Routes:
    """All routes of some methods."""

    def __init__(self, methods: Iterable[Method]) -> None:
        self._by_length: dict[int, list[Route]] = {}
        for method in methods:
            rule = method.descriptor.GetOptions().Extensions[annotations_pb2.http]
            for binding in (rule, *rule.additional_bindings):
                route = _route(binding, method)
                if route is not None:
                    self._by_length.setdefault(len(route.segments), []).append(route)
        for routes in self._by_length.values():  # of two that fit, the one with more literals, from the left
            routes.sort(key=lambda route: [isinstance(segment, tuple) for segment in route.segments])

    def match(self, verb: str, raw_path: bytes) -> Match | frozenset[str]:
        """Return the route of a request, or the verbs that this path would take (empty: there is no such path).

        :param raw_path: as sent, before percent-decoding: a ``%2F`` does not separate
        :raises InvalidInput: if a segment is not UTF-8 or has a NUL
        """
        raw = raw_path.split(b"/")[1:]
        segments = tuple(_decode(segment) for segment in raw)
        others = set()
        for route in self._by_length.get(len(segments), ()):
            fields = route.fields_of(segments)
            if fields is not None and route.verb == verb:
                return Match(route, fields)
            if fields is not None:
                others.add(route.verb)
        return frozenset(others)


def _route(binding: HttpRule, method: Method) -> Route | None:
    verb = binding.WhichOneof("pattern")
    if verb not in _VERBS:
        return None
    segments: list[str | tuple[str]] = []
    for segment in getattr(binding, verb).split("/")[1:]:
        is_field = segment.startswith("{") and segment.endswith("}")
        segments.append((segment[1:-1],) if is_field else segment)
    return Route(verb.upper(), tuple(segments), binding.body == "*", method)


def _decode(segment: bytes) -> str:
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("the path is not UTF-8") from error
    if "\0" in text:
        raise InvalidInput("the path has a NUL character")
    return text
