"""How a commit becomes the head: first pending, then (once it is in the queue) accepted.

A pending row is never dropped, it is finished: it may be in the queue already, and then the log
will hold it. Whoever finds one publishes the same record again, which is idempotent by the message
id that its hash gives, and accepts it. Readers see no pending row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.key_log import server_keys
from accounts.models import User
from accounts.protocol import to_base64url
from accounts.realtime import notify_on_commit
from accounts.refusals import Refused
from friends.access import friend_ids
from rooms.access import chain_roster, room_for_member
from rooms.chain import Head, Step, authorise, begin, demand_committer, follow
from rooms.commit import (
    PrekeyEntry,
    ReadCommit,
    SentCommit,
    parse_prekeys,
    parse_state,
    read_commit,
)
from rooms.lists import demand_keys, lists_for
from rooms.models import DeletedRoom, EpochCommit, EpochWrap, Membership, Room
from rooms.outcomes import demand
from rooms.rates import demand_rate
from rooms.roster import ROLE_ADMIN, Member, Remove, Roster, apply, parse_ops
from rooms.services.replacing import end_replaced_stays
from rooms.wraps import demand_prekeys, demand_wraps

# Longer than the queue takes to confirm or to give up: a younger one has somebody working on it.
PENDING_LEASE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The head after a commit. ``is_new`` is false when it was accepted before.

    ``removed``: who was a member until now (a leaver was none any more).
    """

    room_id: UUID
    epoch: int
    hash: bytes
    is_new: bool
    removed: frozenset[UUID]

    @property
    def hash_text(self) -> str:
        """The hash as JSON has it."""
        return to_base64url(self.hash)


@transaction.atomic
def insert_pending_room(
    *,
    actor: User,
    device_id: UUID,
    genesis: bytes,
    sent: SentCommit,
    wraps: Mapping[UUID, bytes],
) -> EpochCommit:
    """Check a new room and its commit of epoch 0 and keep both, invisible until accepted.

    The same creator with the same bytes gets the row of the first time. Refuses with
    ``room_exists`` (``room_id``), ``not_friends``, ``keys_missing`` or ``commit_refused``.
    """
    commit = read_commit(sent)
    step = begin(commit, commit.origin.room_id)
    demand(commit.origin.data == genesis, "reference")
    demand_committer(step, actor.id, device_id)
    earlier = _earlier_room(commit, device_id)
    if earlier is not None:
        return earlier
    _demand_welcome(step, actor)
    _demand_all(step, {}, wraps)
    try:
        with transaction.atomic():
            room = Room.objects.create(
                id=commit.core.room_id, kind=commit.origin.kind, genesis=genesis, creator=actor
            )
    except IntegrityError:
        raise Refused("room_exists", room_id=str(commit.core.room_id)) from None
    return _insert(room, commit, wraps)


def _earlier_room(commit: ReadCommit, device_id: UUID) -> EpochCommit | None:
    room_id = commit.core.room_id
    if DeletedRoom.objects.filter(room_id=room_id).exists():
        raise Refused("room_deleted")
    if not Room.objects.filter(pk=room_id).exists():
        return None
    row = _same_commit(commit, device_id)
    if row is None:
        raise Refused("room_exists", room_id=str(room_id))
    return row


@transaction.atomic
def insert_pending_commit(
    *,
    actor: User,
    device_id: UUID,
    room_id: UUID,
    sent: SentCommit,
    wraps: Mapping[UUID, bytes],
) -> EpochCommit:
    """Check a commit against the head and keep it, invisible until accepted.

    The same device with the same bytes gets the row of the first time. Refuses with
    ``stale_head``, ``commit_pending``, ``not_friends``, ``keys_missing``, ``rate_limited`` or
    ``commit_refused``.
    """
    # The lock comes first: two commits for one epoch are judged one after the other.
    Room.objects.select_for_update().filter(pk=room_id).first()
    room, _ = room_for_member(actor, room_id)
    commit = read_commit(sent)
    earlier = _same_commit(commit, device_id)
    if earlier is not None and commit.core.room_id == room_id:
        return earlier
    head, prekeys = _head_of(room)
    step = follow(commit, head)
    if room.commits.filter(epoch=commit.core.epoch).exists():
        raise Refused("commit_pending", retry_after_ms=500)
    demand_committer(step, actor.id, device_id)
    demand_rate(step, actor)
    _demand_welcome(step, actor)
    _demand_all(step, prekeys, wraps)
    _demand_someone_stays_admin(step, room_id)
    return _insert(room, commit, wraps)


def _same_commit(commit: ReadCommit, device_id: UUID) -> EpochCommit | None:
    row = EpochCommit.objects.filter(
        room=commit.core.room_id, epoch=commit.core.epoch, committer_device=device_id
    ).first()
    return row if row is not None and bytes(row.hash) == commit.hash else None


def _head_of(room: Room) -> tuple[Head, dict[UUID, PrekeyEntry]]:
    row = room.commits.get(epoch=room.head_epoch or 0, status=EpochCommit.Status.ACCEPTED)
    head = Head(
        room_id=room.id,
        epoch=row.epoch,
        hash=bytes(row.hash),
        roster=roster_of(chain_roster(room.id)),
        state=parse_state(bytes(row.state)),
    )
    return head, parse_prekeys(bytes(row.prekeys))


def roster_of(memberships: Iterable[Membership]) -> Roster:
    """The chain's roster, from the rows in which it is kept."""
    return {
        row.user_id: Member(
            row.user_id,
            bytes(row.amk_pub),
            row.role,
            row.list_version,
            bytes(row.list_hash),
            row.joined_epoch,
        )
        for row in memberships
    }


def _demand_welcome(step: Step, actor: User) -> None:
    """Who joins is a friend of the one who adds, and has keys."""
    invited = step.newcomers - {actor.id}
    if not invited <= (friend_ids(actor.id) if invited else set()):
        raise Refused("not_friends")
    if invited:
        demand_keys(invited)


def _demand_all(
    step: Step, previous: Mapping[UUID, PrekeyEntry], wraps: Mapping[UUID, bytes]
) -> None:
    lists = lists_for(step.before, step.after)
    if any(isinstance(op, Remove) and op.statement for op in step.commit.ops):
        step = replace(step, server_keys=server_keys())
    devices = authorise(step, lists)
    demand_prekeys(step.commit.prekeys, devices, previous)
    demand_wraps(wraps, step.commit.prekeys)


def _demand_someone_stays_admin(step: Step, room_id: UUID) -> None:
    """Not only leavers may be left as admins: nobody could commit the last one's removal."""
    leavers = set(
        chain_roster(room_id).filter(last_epoch__isnull=False).values_list("user_id", flat=True)
    )
    admins = {user for user, row in step.after.items() if row.role == ROLE_ADMIN}
    demand(not admins or bool(admins - leavers), "op_forbidden")


def _insert(room: Room, commit: ReadCommit, wraps: Mapping[UUID, bytes]) -> EpochCommit:
    sent = commit.sent
    row = EpochCommit.objects.create(
        room=room,
        epoch=commit.core.epoch,
        hash=commit.hash,
        core=sent.core,
        tag=sent.tag,
        sig=sent.sig,
        ops=sent.ops,
        state=sent.state,
        prekeys=sent.prekeys,
        committer_id=commit.core.committer_user,
        committer_device=commit.core.committer_device,
    )
    EpochWrap.objects.bulk_create(
        EpochWrap(commit=row, device_id=device, wrap=wrap) for device, wrap in wraps.items()
    )
    return row


def _pending(older_than: timedelta) -> QuerySet[EpochCommit]:
    began = timezone.now() - older_than
    return EpochCommit.objects.filter(status=EpochCommit.Status.PENDING, created_at__lte=began)


def pending_commits(*, older_than: timedelta = PENDING_LEASE) -> list[EpochCommit]:
    """Commits that somebody began and has not finished for so long, in any room."""
    return list(_pending(older_than).order_by("created_at"))


def pending_commit(room_id: UUID, *, older_than: timedelta = PENDING_LEASE) -> EpochCommit | None:
    """The one of this room."""
    return _pending(older_than).filter(room=room_id).first()


@transaction.atomic
def accept_commit(*, room_id: UUID, epoch: int) -> Accepted:
    """Make a pending commit the head: head, roster and wraps change together.

    Only after the queue has confirmed it. Doing it twice changes nothing. ``room_deleted`` when
    the room went away in between.
    """
    room = Room.objects.select_for_update().filter(pk=room_id).first()
    commit = EpochCommit.objects.filter(room=room_id, epoch=epoch).first()
    if room is None or commit is None:
        raise Refused("room_deleted")
    is_new = commit.status == EpochCommit.Status.PENDING
    removed = _move_head(room, commit) if is_new else frozenset()
    return Accepted(room_id, epoch, bytes(commit.hash), is_new, removed)


def _move_head(room: Room, commit: EpochCommit) -> frozenset[UUID]:
    rows = {row.user_id: row for row in chain_roster(room.id)}
    before = roster_of(rows.values())
    after = apply(before if commit.epoch else None, parse_ops(bytes(commit.ops)))
    removed = {user for user in before.keys() - after.keys() if rows[user].is_current}
    for user in before.keys() - after.keys():
        _end_stay(rows[user], commit.epoch)
    added = after.keys() - before.keys()
    Membership.objects.bulk_create(_new_stay(room, after[user]) for user in sorted(added))
    for user in before.keys() & after.keys():
        if before[user] != after[user]:
            _change_row(rows[user], after[user])
    room.head_epoch, room.head_hash = commit.epoch, commit.hash
    room.save(update_fields=["head_epoch", "head_hash"])
    commit.status = EpochCommit.Status.ACCEPTED
    commit.save(update_fields=["status"])
    # A key may have been replaced while the commit that adds it was on its way.
    end_replaced_stays(room, added)
    for user in added:
        notify_on_commit(user, "room.added", room_id=str(room.id))
    for user in removed:
        notify_on_commit(user, "room.removed", room_id=str(room.id))
    return frozenset(removed)


def _end_stay(row: Membership, epoch: int) -> None:
    row.removed_epoch = epoch
    if row.last_epoch is None:
        row.last_epoch = epoch - 1
    row.save(update_fields=["removed_epoch", "last_epoch"])


def _new_stay(room: Room, member: Member) -> Membership:
    return Membership(
        room=room,
        user_id=member.user,
        role=member.role,
        amk_pub=member.amk_pub,
        list_version=member.list_version,
        list_hash=member.list_hash,
        joined_epoch=member.joined_epoch,
    )


def _change_row(row: Membership, member: Member) -> None:
    row.role, row.list_version, row.list_hash = member.role, member.list_version, member.list_hash
    row.save(update_fields=["role", "list_version", "list_hash"])
