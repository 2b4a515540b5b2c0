"""What an account key that a reset has replaced means to rooms: its stays end (protocol.md 3.6).

The account under its new key is another party. Nobody lets it in but a person.
"""

import time
from collections.abc import Collection
from uuid import UUID

from accounts import key_log
from accounts.models import AccountKey
from accounts.realtime import notify_on_commit
from rooms.access import chain_roster
from rooms.models import Membership, Room
from rooms.statements import (
    KEY_WAS_REPLACED,
    LABELS,
    SERVER_REMOVE,
    Statement,
    Subject,
)


def end_stays_of_replaced_key(user_id: UUID) -> None:
    """End a person's stays under a former account key; for the transaction that replaces it."""
    open_rooms = Membership.objects.filter(user=user_id, removed_epoch=None).values("room")
    for room in Room.objects.select_for_update().filter(pk__in=open_rooms).order_by("pk"):
        end_replaced_stays(room, [user_id])


def end_replaced_stays(room: Room, users: Collection[UUID]) -> None:
    """End those of these people's stays in a room whose account key is not theirs any more.

    A group gets the server's signed word for the commit that removes the row. From a direct room
    nobody can be removed: it ends for both, and a new one begins under the new key.
    """
    present = dict(AccountKey.objects.filter(user__in=users).values_list("user", "amk_pub"))
    for stay in chain_roster(room.id).filter(user__in=users):
        if bytes(stay.amk_pub) == bytes(present.get(stay.user_id, stay.amk_pub)):
            continue
        if room.kind == Room.Kind.DIRECT:
            _end_direct_room(room)
        else:
            _end_stay_in_group(room, stay)


def _end_direct_room(room: Room) -> None:
    current = chain_roster(room.id).filter(last_epoch=None)
    people = list(current.values_list("user", flat=True))
    current.update(last_epoch=room.head_epoch)
    for person in people:
        notify_on_commit(person, "room.removed", room_id=str(room.id))


def _end_stay_in_group(room: Room, stay: Membership) -> None:
    if stay.last_epoch is None:
        stay.last_epoch = room.head_epoch
    if stay.leave_statement is None:
        stay.leave_statement = _servers_word(room, stay)
    stay.save(update_fields=["last_epoch", "leave_statement"])
    about = {"room_id": str(room.id), "user_id": str(stay.user_id)}
    for other in chain_roster(room.id).filter(last_epoch=None).values_list("user", flat=True):
        notify_on_commit(other, "member.left", **about)


def _servers_word(room: Room, stay: Membership) -> bytes:
    when = (time.time_ns() // 1_000_000).to_bytes(8, "big")
    why = bytes([KEY_WAS_REPLACED])
    subject = Subject(room.id, stay.user_id, bytes(stay.amk_pub), stay.joined_epoch)
    sig = key_log.server_signature(LABELS[SERVER_REMOVE], subject.encode(when, why))
    return Statement(SERVER_REMOVE, None, None, when, why, sig).encode()
