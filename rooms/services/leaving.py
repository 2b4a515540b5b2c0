"""Leaving a group, hiding a room for oneself, and deleting it for everybody."""

from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.realtime import notify_on_commit
from accounts.refusals import Refused
from rooms.access import chain_roster, room_for_admin, room_for_reader
from rooms.lists import lists_for, signing_key
from rooms.models import DeletedRoom, EpochCommit, Membership, Room
from rooms.outcomes import demand, parsing
from rooms.services.commits import roster_of
from rooms.statements import LEAVE, Statement, Subject, parse_statement, signed_by


@transaction.atomic
def record_leave(
    *, actor: User, device_id: UUID, room_id: UUID, statement: bytes
) -> tuple[Membership, bool]:
    """End the actor's stay at once, and keep the statement for whoever commits the removal.

    Gives the stay and whether it ended now; leaving twice changes nothing. Refuses with
    ``forbidden`` (a direct room, or removed by somebody), ``last_admin``, ``commit_pending``,
    ``stale_epoch`` (the roster does not name this device yet) or ``commit_refused``.
    """
    Room.objects.select_for_update().filter(pk=room_id).first()
    room, stay = room_for_reader(actor, room_id)
    if room.kind != Room.Kind.GROUP or not (stay.is_current or stay.left_by_own_word):
        raise Refused("forbidden")
    if not stay.is_current:
        return stay, False
    with parsing():
        parsed = parse_statement(statement)
    _demand_own_leave(parsed, stay, actor.id, device_id)
    # A commit on its way may take the admin's role from who is counted on here.
    if room.commits.filter(status=EpochCommit.Status.PENDING).exists():
        raise Refused("commit_pending", retry_after_ms=500)
    _demand_another_admin(stay)
    stay.last_epoch, stay.leave_statement = room.head_epoch, statement
    stay.save(update_fields=["last_epoch", "leave_statement"])
    notify_on_commit(actor.id, "room.removed", room_id=str(room_id))
    return stay, True


def _demand_own_leave(
    statement: Statement, stay: Membership, actor_id: UUID, device_id: UUID
) -> None:
    demand(statement.kind == LEAVE, "parse")
    signer = (statement.signer_user, statement.signer_device)
    demand(signer == (actor_id, device_id), "signature")
    member = roster_of([stay])[actor_id]
    key = signing_key(member, device_id, lists_for({}, {actor_id: member}))
    if key is None:
        raise Refused("stale_epoch")
    subject = Subject(stay.room_id, actor_id, member.amk_pub, member.joined_epoch)
    demand(signed_by(statement, subject, key), "signature")


def _demand_another_admin(stay: Membership) -> None:
    admins = chain_roster(stay.room_id).filter(role=Membership.Role.ADMIN, last_epoch__isnull=True)
    is_admin = stay.role == Membership.Role.ADMIN
    if is_admin and not admins.exclude(pk=stay.pk).exists():
        raise Refused("last_admin")


@transaction.atomic
def hide_room(*, actor: User, room_id: UUID, head_seq: int) -> None:
    """Delete a room for oneself: it leaves the list until something newer than this is stored."""
    _, stay = room_for_reader(actor, room_id)
    stay.is_hidden, stay.hidden_to = True, head_seq
    stay.save(update_fields=["is_hidden", "hidden_to"])


@transaction.atomic
def mark_deleted(*, actor: User, room_id: UUID) -> None:
    """Put up the tombstone: from now on nobody sees the room and nothing more enters its log."""
    room_for_admin(actor, room_id)
    DeletedRoom.objects.get_or_create(room_id=room_id)


@transaction.atomic
def erase_room(*, room_id: UUID) -> None:
    """Remove the relational rows of a room whose tombstone stands and whose log is gone."""
    if not DeletedRoom.objects.filter(room_id=room_id).exists():
        raise Refused("not_found")
    Room.objects.filter(pk=room_id).delete()
