"""Loads of rooms that grant: the load is the permission check.

A room that does not exist, that is not yet confirmed and that is not yours give the same answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import Device, DeviceList, User
from accounts.refusals import Refused
from rooms.models import DeletedRoom, EpochCommit, EpochWrap, HistoryRecord, Membership, Room

PAGE = 100


@dataclass(frozen=True, slots=True)
class Stay:
    """The epochs a person may read: ``first`` to ``last``, or on and on while ``last`` is None."""

    first: int
    last: int | None

    def covers(self, epoch: int) -> bool:
        """Whether an epoch is inside."""
        return self.first <= epoch and (self.last is None or epoch <= self.last)


def visible_stays(user_id: UUID) -> QuerySet[Membership]:
    """Every stay of a person in rooms that exist for others too, the newest first."""
    deleted = DeletedRoom.objects.filter(room_id=OuterRef("room_id"))
    return (
        Membership.objects.filter(~Exists(deleted), user=user_id, room__head_epoch__isnull=False)
        .select_related("room")
        .order_by("-joined_epoch")
    )


def room_for_member(user: User | UUID, room_id: UUID) -> tuple[Room, Membership]:
    """The room of a person who is in it now; ``forbidden`` once they have left.

    Strangers get ``not_found``, and everybody ``room_deleted`` once it is deleted for everybody.
    """
    room, membership = room_for_reader(user, room_id)
    if not membership.is_current:
        raise Refused("forbidden")
    return room, membership


def room_for_reader(user: User | UUID, room_id: UUID) -> tuple[Room, Membership]:
    """The room of a person who is or was in it, with their newest stay."""
    user_id = user.id if isinstance(user, User) else user
    membership = visible_stays(user_id).filter(room=room_id).first()
    if membership is None:
        deleted = DeletedRoom.objects.filter(room_id=room_id).exists()
        raise Refused("room_deleted" if deleted else "not_found")
    return membership.room, membership


def room_for_admin(user: User | UUID, room_id: UUID) -> tuple[Room, Membership]:
    """The group of a person who is its admin now; else ``forbidden``."""
    room, membership = room_for_member(user, room_id)
    if room.kind != Room.Kind.GROUP or membership.role != Membership.Role.ADMIN:
        raise Refused("forbidden")
    return room, membership


def epochs_readable(membership: Membership) -> tuple[int, int | None]:
    """The first and the last epoch of one stay; None: up to the head, whatever comes."""
    return membership.joined_epoch, membership.last_epoch


def stays_of(user_id: UUID, room_id: UUID) -> list[Stay]:
    """All stays of a person in a room, newest first; together they say what may be read."""
    rows = visible_stays(user_id).filter(room=room_id)
    return [Stay(*epochs_readable(row)) for row in rows]


def rooms_of(user: User | UUID) -> set[UUID]:
    """The rooms a person is in now."""
    user_id = user.id if isinstance(user, User) else user
    rooms = visible_stays(user_id).filter(last_epoch__isnull=True)
    return set(rooms.order_by().values_list("room_id", flat=True))


def chain_roster(room_id: UUID | OuterRef) -> QuerySet[Membership]:
    """The rows of the chain's roster: those who left stay in it until a commit removes them."""
    return Membership.objects.filter(room=room_id, removed_epoch__isnull=True)


def reasons_to_commit(room_id: UUID | OuterRef) -> QuerySet[Membership]:
    """Rows of the roster that the next commit has to change before anybody may write.

    Somebody left, or has a newer device list than the roster names: with the old secret a leaver
    or a revoked device would read on. A suspended member stays in the roster (their sockets and
    sessions are closed instead): only people remove people.
    """
    newer = DeviceList.objects.filter(
        user=OuterRef("user"),
        key_number=F("user__account_key__number"),
        version__gt=OuterRef("list_version"),
    )
    return chain_roster(room_id).filter(Q(last_epoch__isnull=False) | Exists(newer))


def stale_rooms(room_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these rooms that need a commit before the next message."""
    rows = (
        Room.objects.filter(id__in=set(room_ids))
        .filter(Exists(reasons_to_commit(OuterRef("pk"))))
        .values_list("id", flat=True)
    )
    return set(rows)


def may_know(asker: UUID, other: UUID) -> bool:
    """Whether a person meets, or met, another in a room: whoever was in it up to their last epoch.

    A newcomer needs the keys of those who left before, to verify the chain; who has left learns
    nothing of those who came later.
    """
    others = Membership.objects.filter(room=OuterRef("room"), user=other)
    earlier = others.filter(joined_epoch__lte=OuterRef("last_epoch"))
    meets = Q(last_epoch__isnull=True) & Exists(others) | Exists(earlier)
    return visible_stays(asker).filter(meets).exists()


def half_deleted_rooms() -> list[UUID]:
    """Rooms with a tombstone whose rows are still here: their erasure was interrupted."""
    deleted = DeletedRoom.objects.values("room_id")
    return list(Room.objects.filter(id__in=deleted).values_list("id", flat=True))


def accepted_commits(room_id: UUID, *, after: int) -> QuerySet[EpochCommit]:
    """The commits of a room's chain above an epoch, ascending; pending ones are nobody's."""
    accepted = EpochCommit.Status.ACCEPTED
    rows = EpochCommit.objects.filter(room=room_id, status=accepted, epoch__gt=after)
    return rows.order_by("epoch")


def commits_for(
    user: User | UUID, room_id: UUID, *, after: int, limit: int = PAGE
) -> tuple[list[EpochCommit], int]:
    """Commits above an epoch, and the head as this person sees it.

    From epoch 0, because who joins verifies the chain from there; to a former member up to the
    last epoch that was theirs.
    """
    room, stay = room_for_reader(user, room_id)
    head = (room.head_epoch or 0) if stay.last_epoch is None else stay.last_epoch
    rows = accepted_commits(room_id, after=after).filter(epoch__lte=head)
    return list(rows.defer("prekeys")[: min(limit, PAGE)]), head


def head_prekeys(user: User | UUID, room_id: UUID) -> bytes:
    """The prekeys list of the head commit, below which no committer may fall."""
    room, _ = room_for_member(user, room_id)
    return bytes(accepted_commits(room_id, after=-1).get(epoch=room.head_epoch or 0).prekeys)


def wraps_for(user: User, device: Device, room_id: UUID, *, after: int) -> list[EpochWrap]:
    """The wraps of a device above an epoch, in the epochs that its owner may read."""
    room_for_reader(user, room_id)
    rows = (
        EpochWrap.objects.filter(
            device=device, commit__in=accepted_commits(room_id, after=after).order_by()
        )
        .filter(within(stays_of(user.id, room_id), "commit__epoch"))
        .select_related("commit")
        .defer("commit__core", "commit__ops", "commit__state", "commit__prekeys")
    )
    return list(rows.order_by("commit__epoch")[:PAGE])


def history_for(user: User, room_id: UUID, *, after: int) -> list[HistoryRecord]:
    """A person's own history records of a room above an epoch."""
    room_for_reader(user, room_id)
    rows = HistoryRecord.objects.filter(user=user, room=room_id, epoch__gt=after)
    return list(rows.order_by("epoch", "writer_device")[:PAGE])


def within(stays: Iterable[Stay], field: str) -> Q:
    """The condition that an epoch field lies in one of these stays."""
    condition = Q(pk__in=[])
    for stay in stays:
        one = Q(**{f"{field}__gte": stay.first})
        if stay.last is not None:
            one &= Q(**{f"{field}__lte": stay.last})
        condition |= one
    return condition
