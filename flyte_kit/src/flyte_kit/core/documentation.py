"""Descriptions that go with an entity to the control plane."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from flyteidl.admin.description_entity_pb2 import Description as DescriptionMessage
from flyteidl.admin.description_entity_pb2 import DescriptionEntity, DescriptionFormat
from flyteidl.admin.description_entity_pb2 import SourceCode as SourceCodeMessage

from flyte_kit.core.docstring import Docstring


class DescriptionFormatKind(Enum):
    """Notation of a long description."""

    UNKNOWN = DescriptionFormat.DESCRIPTION_FORMAT_UNKNOWN
    MARKDOWN = DescriptionFormat.DESCRIPTION_FORMAT_MARKDOWN
    HTML = DescriptionFormat.DESCRIPTION_FORMAT_HTML
    RST = DescriptionFormat.DESCRIPTION_FORMAT_RST


@dataclass(frozen=True)
class Description:
    """A long description.

    :ivar value: the text itself, or
    :ivar uri: where it is
    """

    value: str | None = None
    uri: str | None = None
    icon_link: str | None = None
    format: DescriptionFormatKind | int = DescriptionFormatKind.RST

    def message(self) -> DescriptionMessage:
        """Return the description as the wire has it."""
        kind = self.format.value if isinstance(self.format, DescriptionFormatKind) else self.format
        text = {"value": self.value} if self.value else {"uri": self.uri} if self.uri else {}
        return DescriptionMessage(format=kind, icon_link=self.icon_link or "", **text)


@dataclass(frozen=True)
class SourceCode:
    """Where the source is.

    :ivar link: URL
    """

    link: str | None = None


@dataclass(frozen=True)
class Documentation:
    """Description of a task or workflow.

    :ivar short_description: one line
    """

    short_description: str | None = None
    long_description: Description | None = None
    source_code: SourceCode | None = None

    def message(self) -> DescriptionEntity:
        """Return the documentation as the wire has it."""
        result = DescriptionEntity(short_description=self.short_description or "")
        if self.long_description is not None:
            result.long_description.CopyFrom(self.long_description.message())
        if self.source_code is not None:
            result.source_code.CopyFrom(SourceCodeMessage(link=self.source_code.link or ""))
        return result


def with_docstring(given: Documentation | None, docstring: Docstring | None) -> Documentation | None:
    """Return the documentation of an entity: what its docstring says, over what was given."""
    if docstring is None:
        return given
    short, long = docstring.short_description, docstring.long_description
    if given is None:
        return Documentation(short, Description(value=long))
    return Documentation(
        short or given.short_description,
        Description(value=long) if long else given.long_description,
        given.source_code,
    )
