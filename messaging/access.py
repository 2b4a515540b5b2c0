"""Loads that grant sending into a room and reading its log."""

import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from accounts.refusals import Refused
from messaging.events import commit_record, leave_record
from messaging.record import Record
from rooms.access import Stay, epochs_readable, reasons_to_commit, room_for_reader, visible_stays
from rooms.models import EpochCommit, Membership


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands in a room: what a message must fit, and whether one may be sent now."""

    epoch: int
    commit_hash: bytes
    is_member: bool
    is_stale: bool


def standing_of(user_id: uuid.UUID, room_id: uuid.UUID) -> Standing:
    """The standing of somebody who is or was in a room, in one query."""
    stays = visible_stays(user_id).filter(room=room_id)
    stay = stays.annotate(needs_commit=Exists(reasons_to_commit(OuterRef("room_id")))).first()
    if stay is None:
        room_for_reader(user_id, room_id)  # refuses, with the right code
        raise Refused("not_found")
    return Standing(
        epoch=stay.room.head_epoch or 0,
        commit_hash=bytes(stay.room.head_hash),
        is_member=stay.is_current,
        is_stale=stay.needs_commit,
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Which rows of a room's log a person may read.

    ``end``: the row that ended their membership, None while they are in the room.
    ``reads_end``: whether that row is still theirs to read (their own leave is).
    """

    room_id: uuid.UUID
    stays: tuple[Stay, ...]
    end: Record | None = None
    reads_end: bool = False

    def may_read(self, record: Record) -> bool:
        """Whether the row belongs to an epoch of theirs."""
        return any(stay.covers(record.epoch) for stay in self.stays)


def reader_of(user_id: uuid.UUID, room_id: uuid.UUID) -> Reader:
    """What a person who is or was in a room may read of its log; all their stays together."""
    rows = list(visible_stays(user_id).filter(room=room_id))
    if not rows:
        room_for_reader(user_id, room_id)  # refuses, with the right code
        raise Refused("not_found")
    stays = tuple(Stay(*epochs_readable(row)) for row in rows)
    newest = rows[0]
    if newest.is_current:
        return Reader(room_id, stays)
    closing = EpochCommit.objects.filter(
        room=room_id, epoch=(newest.last_epoch or 0) + 1, status=EpochCommit.Status.ACCEPTED
    ).first()
    return Reader(room_id, stays, *end_of(newest, closing))


def end_of(stay: Membership, closing: EpochCommit | None) -> tuple[Record | None, bool]:
    """The row of the log that ends a stay: the own leave, which they read, or the next commit."""
    if stay.leave_statement is not None:
        return leave_record(stay, accepted_ms=0), True
    return (commit_record(closing), False) if closing else (None, False)
