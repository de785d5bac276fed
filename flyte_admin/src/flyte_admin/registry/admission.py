"""What may be registered where: identifiers, and the project and domain they lie in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flyteidl.admin.project_pb2 import InactiveProject, Project
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from sqlalchemy import Connection, bindparam, select

from flyte_admin.db.schema import projects
from flyte_core.errors import InvalidInput
from flyte_core.identifiers import AnyIdentifier, check_identifier

MOST_LABELS = 16
"""Labels on one project or launch plan, at most (upstream's bound)."""

_LABEL_PREFIX = r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?"
_LABEL_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = re.compile(_LABEL_PREFIX + _LABEL_NAME)
_LABEL_VALUE = re.compile(f"(?:{_LABEL_NAME})?")
_STATE = select(projects.c.state).where(projects.c.identifier == bindparam("identifier"))


class InactiveProjectRefused(InvalidInput):
    """The project is archived.

    :ivar detail: goes into the details of the gRPC status; upstream's scheduler knows the case by it
    """

    def __init__(self, project: str) -> None:
        super().__init__(f"project [{project}] is not active", field="id.project")
        self.detail = InactiveProject(id=project)


@dataclass(frozen=True, slots=True)
class Domains:
    """The domains which this platform has, by id, in order.

    :ivar names: id to display name
    """

    names: Mapping[str, str]

    def check(self, domain: str, *, field: str = "domain") -> None:
        """Refuse a domain which is not configured.

        :raises InvalidInput: naming the known ones
        """
        if domain not in self.names:
            raise InvalidInput(
                f"domain [{domain[:256]}] is unrecognized by system; known are {', '.join(self.names)}", field=field
            )

    def require_active(self, connection: Connection, project: str, domain: str) -> None:
        """Refuse unless the project is registered and active, and the domain is known (upstream: INVALID_ARGUMENT).

        :raises InvalidInput: with upstream's text; :class:`InactiveProjectRefused` for an archived project
        """
        self.check(domain)
        state = connection.execute(_STATE, {"identifier": project}).scalar()
        if state is None:
            raise InvalidInput(
                f"failed to validate that project [{project[:256]}] and domain [{domain}] are registered, "
                f"err: [project [{project[:256]}] not found]",
                field="project",
            )
        if state != Project.ProjectState.ACTIVE:
            raise InactiveProjectRefused(project)


def check_entity_id(identifier: Identifier, field: str, resource_type: int) -> None:
    """Check the identifier of an entity that is to be registered.

    :raises InvalidInput: if a part is missing, too long, not ASCII, or could be taken for a folder of the object store
    """
    check_identifier(identifier, field, resource_type=resource_type)
    check_ascii(identifier, field)


def implied(identifier: Identifier, resource_type: ResourceType.ValueType) -> Identifier:
    """Return the identifier of a request to a method that serves one type only, checked.

    In a URL the type is not said: unset, it is the method's (upstream's rule); another one is refused.
    """
    if identifier.resource_type == ResourceType.UNSPECIFIED:
        filled = Identifier(resource_type=resource_type)
        filled.MergeFrom(identifier)
        identifier = filled
    check_identifier(identifier, "id", resource_type=resource_type)
    return identifier


def check_ascii(identifier: AnyIdentifier, field: str) -> None:
    """Refuse parts that are not ASCII (look-alikes) and those that name a folder (``.``, ``..``)."""
    for part in ("project", "domain", "name", "version"):
        value = getattr(identifier, part, "")
        if not value.isascii() or value in (".", ".."):
            raise InvalidInput(
                f"invalid value for {field}.{part}: {value[:64]!r} must be ASCII and not '.' or '..'",
                field=f"{field}.{part}",
            )


def check_labels(labels: Mapping[str, str], field: str) -> None:
    """Refuse labels that Kubernetes would refuse, and more than :data:`MOST_LABELS`.

    :raises InvalidInput: naming the first label at fault
    """
    if len(labels) > MOST_LABELS:
        raise InvalidInput(f"invalid value for {field}: {len(labels)} labels, at most {MOST_LABELS}", field=field)
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key):
            raise InvalidInput(f"invalid label key [{key[:256]}] in {field}: not as Kubernetes' labels", field=field)
        if not _LABEL_VALUE.fullmatch(value):
            raise InvalidInput(f"invalid label value [{value[:256]}] of {key} in {field}", field=field)
