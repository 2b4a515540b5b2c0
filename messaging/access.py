"""Loads that grant sending into a room and reading its log."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.refusals import Refused
from messaging.events import commit_record, leave_record
from messaging.prepared import PreparedQuery
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


def _standing(user_id: uuid.UUID, room_id: uuid.UUID) -> QuerySet[Membership, tuple[Any, ...]]:
    stays = visible_stays(user_id).filter(room=room_id)
    needs_commit = Exists(reasons_to_commit(OuterRef("room_id")))
    return stays.annotate(needs_commit=needs_commit).values_list(
        "room__head_epoch", "room__head_hash", "last_epoch", "needs_commit"
    )


_STANDING = PreparedQuery(_standing, ids=2)


def standing_of(user_id: uuid.UUID, room_id: uuid.UUID) -> Standing:
    """The standing of somebody who is or was in a room, in one query."""
    stay = _STANDING.first(user_id, room_id)
    if stay is None:
        room_for_reader(user_id, room_id)  # refuses, with the right code
        raise Refused("not_found")
    epoch, commit_hash, last_epoch, needs_commit = stay
    return Standing(
        epoch=epoch,
        commit_hash=bytes(commit_hash),
        is_member=last_epoch is None,
        is_stale=bool(needs_commit),
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
    reader = readers_of(user_id, [room_id]).get(room_id)
    if reader is None:
        room_for_reader(user_id, room_id)  # refuses, with the right code
        raise Refused("not_found")
    return reader


def readers_of(user_id: uuid.UUID, room_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Reader]:
    """`reader_of` for up to 200 rooms in two queries; rooms that are not theirs are left out."""
    stays: defaultdict[uuid.UUID, list[Membership]] = defaultdict(list)
    for row in visible_stays(user_id).filter(room__in=room_ids):
        stays[row.room_id].append(row)
    newest = [rows[0] for rows in stays.values()]
    closings = _closing_commits([row for row in newest if not row.is_current])
    return {
        room_id: Reader(
            room_id,
            tuple(Stay(*epochs_readable(row)) for row in rows),
            *_end_of_reading(rows[0], closings),
        )
        for room_id, rows in stays.items()
    }


def _closing_commits(ended: Collection[Membership]) -> dict[uuid.UUID, EpochCommit]:
    """room → the commit after somebody's last epoch there, where there is one already."""
    if not ended:
        return {}
    wanted = Q(pk__in=[])
    for stay in ended:
        wanted |= Q(room=stay.room_id, epoch=(stay.last_epoch or 0) + 1)
    rows = EpochCommit.objects.filter(wanted, status=EpochCommit.Status.ACCEPTED)
    return {row.room_id: row for row in rows.only("room_id", "epoch", "hash", "created_at")}


def _end_of_reading(
    stay: Membership, closings: Mapping[uuid.UUID, EpochCommit]
) -> tuple[Record | None, bool]:
    return (None, False) if stay.is_current else end_of(stay, closings.get(stay.room_id))


def end_of(stay: Membership, closing: EpochCommit | None) -> tuple[Record | None, bool]:
    """The row of the log that ends a stay: the own leave, which they read, or the next commit."""
    if stay.left_by_own_word:
        return leave_record(stay, accepted_ms=0), True
    return (commit_record(closing), False) if closing else (None, False)
