"""What a person sees of their rooms (docs/wire.md, Room), in a fixed number of queries."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Max, Q

from accounts.models import User
from accounts.refusals import Refused
from messaging import runtime
from messaging.access import end_of
from messaging.models import Cursor
from messaging.outage import log_must_answer
from messaging.record import Record
from messaging.threads import db
from rooms.access import room_for_reader, stale_rooms, visible_stays
from rooms.models import EpochCommit, Membership, Room

# Databases bound how many conditions one query may have; SQLite's bound is 1000.
ROOMS_A_QUERY = 200


@dataclass(slots=True)
class RoomOverview:
    """A room as one person sees it: former members see it as it was when they left."""

    room: Room
    me: Membership
    head_epoch: int
    head_hash: bytes
    head_seq: int = 0
    stale: bool = False
    members: list[Membership] = field(default_factory=list)
    leaving: list[Membership] = field(default_factory=list)
    cursors: list[tuple[uuid.UUID, int, int]] = field(default_factory=list)
    end: Record | None = None
    reads_end: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether it belongs on the list: not hidden, or something newer is stored."""
        return not self.me.is_hidden or self.head_seq > self.me.hidden_to


async def list_rooms(*, actor: User) -> list[RoomOverview]:
    """All rooms of a person that they have not hidden."""
    rooms = await _with_seqs(await db(_overviews)(actor.id, None))
    return [room for room in rooms if room.is_shown]


async def show_room(*, actor: User, room_id: uuid.UUID) -> RoomOverview:
    """One room, hidden or not; ``not_found`` or ``room_deleted`` when there is none."""
    rooms = await _with_seqs(await db(_overviews)(actor.id, room_id))
    if not rooms:
        await db(room_for_reader)(actor, room_id)  # refuses, with the right code
        raise Refused("not_found")
    return rooms[0]


async def _with_seqs(rooms: list[RoomOverview]) -> list[RoomOverview]:
    ends = {room.end.key: room.end for room in rooms if room.end is not None}
    with log_must_answer():
        heads = await runtime.log().heads({room.room.id for room in rooms}) if rooms else {}
        found = await runtime.log().find(ends.keys()) if ends else {}
    for room in rooms:
        room.head_seq = heads[room.room.id]
        if room.end is not None and room.end.key in found:
            room.head_seq = found[room.end.key].seq - (0 if room.reads_end else 1)
    return rooms


def _overviews(user_id: uuid.UUID, room_id: uuid.UUID | None) -> list[RoomOverview]:
    stays = visible_stays(user_id)
    if room_id is not None:
        stays = stays.filter(room=room_id)
    newest: dict[uuid.UUID, Membership] = {}
    for stay in stays:
        newest.setdefault(stay.room_id, stay)
    rows = list(newest.values())
    former = _former_overviews([row for row in rows if not row.is_current])
    current = _current_overviews([row for row in rows if row.is_current])
    _add_members([*current, *former])
    return sorted([*current, *former], key=lambda each: each.room.created_at)


def _current_overviews(rows: Sequence[Membership]) -> list[RoomOverview]:
    room_ids = {row.room_id for row in rows}
    stale, cursors = stale_rooms(room_ids), _cursors(room_ids)
    return [
        RoomOverview(
            room=row.room,
            me=row,
            head_epoch=row.room.head_epoch or 0,
            head_hash=bytes(row.room.head_hash),
            stale=row.room_id in stale,
            cursors=cursors[row.room_id],
        )
        for row in rows
    ]


def _former_overviews(rows: Sequence[Membership]) -> list[RoomOverview]:
    commits = _commits_around([(row.room_id, row.last_epoch or 0) for row in rows])
    overviews = []
    for row in rows:
        last = row.last_epoch or 0
        end, reads_end = end_of(row, commits.get((row.room_id, last + 1)))
        overviews.append(
            RoomOverview(
                room=row.room,
                me=row,
                head_epoch=last,
                head_hash=bytes(commits[row.room_id, last].hash),
                end=end,
                reads_end=reads_end,
            )
        )
    return overviews


def _commits_around(
    ends: Sequence[tuple[uuid.UUID, int]],
) -> dict[tuple[uuid.UUID, int], EpochCommit]:
    found: dict[tuple[uuid.UUID, int], EpochCommit] = {}
    for start in range(0, len(ends), ROOMS_A_QUERY):
        wanted = Q(pk__in=[])
        for room_id, last in ends[start : start + ROOMS_A_QUERY]:
            wanted |= Q(room=room_id, epoch__in=(last, last + 1))
        accepted = EpochCommit.objects.filter(wanted, status=EpochCommit.Status.ACCEPTED)
        rows = accepted.only("room_id", "epoch", "hash", "created_at")
        found |= {(row.room_id, row.epoch): row for row in rows}
    return found


def _cursors(
    room_ids: Iterable[uuid.UUID],
) -> defaultdict[uuid.UUID, list[tuple[uuid.UUID, int, int]]]:
    rows = (
        Cursor.objects.filter(room_id__in=set(room_ids))
        .values_list("room_id", "user_id")
        .annotate(delivered=Max("delivered_to"), read=Max("read_to"))
        .order_by("user_id")
    )
    found: defaultdict[uuid.UUID, list[tuple[uuid.UUID, int, int]]] = defaultdict(list)
    for room_id, user_id, delivered, read in rows:
        found[room_id].append((user_id, delivered, read))
    return found


def _add_members(rooms: Sequence[RoomOverview]) -> None:
    rows = Membership.objects.filter(room__in={room.room.id for room in rooms})
    by_room: defaultdict[uuid.UUID, list[Membership]] = defaultdict(list)
    for row in rows.select_related("user").order_by("user_id", "joined_epoch"):
        by_room[row.room_id].append(row)
    for room in rooms:
        for row in by_room[room.room.id]:
            _place(room, row)
        present = {row.user_id for row in room.members}
        room.cursors = [cursor for cursor in room.cursors if cursor[0] in present]


def _place(room: RoomOverview, row: Membership) -> None:
    if room.me.is_current:
        if row.is_current:
            room.members.append(row)
        elif row.removed_epoch is None:
            room.leaving.append(row)
    elif row.joined_epoch <= room.head_epoch and (
        row.last_epoch is None or row.last_epoch >= room.head_epoch
    ):
        room.members.append(row)
