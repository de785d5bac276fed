"""Reservations: of several runs that want the same result, one computes it while the others wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flyteidl.datacatalog.datacatalog_pb2 import (
    GetOrExtendReservationRequest,
    GetOrExtendReservationResponse,
    ReleaseReservationRequest,
    ReleaseReservationResponse,
    Reservation,
    ReservationID,
)
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from flyte_admin.catalog.checks import check_dataset_id, check_owner
from flyte_admin.catalog.rows import is_dataset
from flyte_admin.db.catalog_tables import DATASET, reservations
from flyte_admin.db.database import Database
from flyte_core.clock import Clock
from flyte_core.errors import AlreadyExists

LONGEST_HEARTBEAT = timedelta(seconds=10)
GRACE = 3
"""Heartbeats that an owner may miss before its reservation is anybody's."""


class Reservations:
    """Answers the RPCs about reservations."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get_or_extend(self, request: GetOrExtendReservationRequest) -> GetOrExtendReservationResponse:
        """Reserve what is free, has expired or is the caller's already; else tell who has it, until when."""
        check_dataset_id(request.reservation_id.dataset_id)
        check_owner(request.owner_id, request.reservation_id.tag_name)
        wanted = request.heartbeat_interval.ToTimedelta() if request.HasField("heartbeat_interval") else None
        heartbeat = min(LONGEST_HEARTBEAT, wanted) if wanted is not None and wanted > timedelta() else LONGEST_HEARTBEAT
        try:
            row = await self._database.write(lambda connection: self._take(connection, request, heartbeat))
        except AlreadyExists:  # another server has inserted it at the same time: it is there now
            row = await self._database.write(lambda connection: self._take(connection, request, heartbeat))
        reservation = Reservation(reservation_id=request.reservation_id, owner_id=row.owner_id)
        reservation.heartbeat_interval.FromTimedelta(heartbeat)
        reservation.expires_at.FromDatetime(row.expires_at)
        return GetOrExtendReservationResponse(reservation=reservation)

    def _take(self, connection: Connection, request: GetOrExtendReservationRequest, heartbeat: timedelta) -> Row[Any]:
        now, condition = self._clock.now(), _is_reservation(request.reservation_id)
        found = connection.execute(select(reservations).where(condition).with_for_update()).one_or_none()
        values = {"owner_id": request.owner_id, "expires_at": now + heartbeat * GRACE, "updated_at": now}
        if found is None:
            dataset = request.reservation_id.dataset_id
            key = {part: getattr(dataset, part) for part in DATASET}
            connection.execute(
                insert(reservations).values(**key, tag_name=request.reservation_id.tag_name, created_at=now, **values)
            )
        elif found.expires_at < now or found.owner_id == request.owner_id:
            connection.execute(update(reservations).where(reservations.c.id == found.id).values(**values))
        return connection.execute(select(reservations).where(condition)).one()

    async def release(self, request: ReleaseReservationRequest) -> ReleaseReservationResponse:
        """Give up a reservation; nothing happens where it is not this owner's."""
        check_dataset_id(request.reservation_id.dataset_id)
        check_owner(request.owner_id, request.reservation_id.tag_name)
        own = and_(_is_reservation(request.reservation_id), reservations.c.owner_id == request.owner_id)
        await self._database.write(lambda connection: connection.execute(delete(reservations).where(own)) and None)
        return ReleaseReservationResponse()


def _is_reservation(reservation: ReservationID) -> ColumnElement[bool]:
    return and_(is_dataset(reservations, reservation.dataset_id), reservations.c.tag_name == reservation.tag_name)
