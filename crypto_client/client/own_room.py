"""The own room of this account: which rooms are own ones, and what is noted there (§8.9)."""

import uuid

from crypto_client.client.failures import Unverified
from crypto_client.client.notes import Notes
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import JSON, unb64
from crypto_client.committing import create_own_room
from crypto_client.errors import LogForkError, ProtocolError
from crypto_client.ops import Create, parse_ops
from crypto_client.own_room import KeptNote, Note, Place, is_own_origin, is_own_room
from crypto_client.roster import parse_origin


def is_own(rooms: Rooms, summary: JSON) -> bool:
    """Whether a room is the account's own: by its chain, before that by its genesis."""
    device, room = rooms.keyring.device, uuid.UUID(summary["room_id"]).bytes
    view = rooms.view(room)
    if view is not None:
        return is_own_room(view, device.user, device.amk_pub)
    try:
        origin = unb64(summary["genesis"])
        is_this = parse_origin(origin).room == room
        return is_this and is_own_origin(origin, device.user, device.amk_pub)
    except ProtocolError:
        return False


def listed(rooms: Rooms) -> list[JSON]:
    """The rooms that a person is shown: all but the own one."""
    return [summary for summary in rooms.all() if not is_own(rooms, summary)]


def own_rooms(rooms: Rooms) -> list[bytes]:
    """The own rooms that are verified here, the one that counts first before the others."""
    ids = (uuid.UUID(summary["room_id"]).bytes for summary in rooms.all() if is_own(rooms, summary))
    return sorted(room for room in ids if rooms.view(room) is not None)


def collect_note(rooms: Rooms, room: bytes, seq: int, eid: bytes) -> None:
    """Keep what a stored message notes, when it stands in an own room.

    Done again with the same outcome when the page is handed out again after a crash.
    """
    own = rooms.keyring.device.user
    sql = "SELECT sender, body FROM messages WHERE room = ? AND eid = ? AND body IS NOT NULL"
    row = rooms.store.row(sql, room, eid)
    notes = Notes(rooms.store, own)
    note = notes.read(row["body"], row["sender"]) if row else None
    if note is not None and room in (held := own_rooms(rooms)):
        notes.keep(KeptNote(note, Place(room, seq)), held)


def room_to_note_in(rooms: Rooms) -> tuple[bytes, list[Note]]:
    """The own room to write in, made when there is none, and what else belongs there.

    Every room was looked for just before: another device may have made one.
    """
    held = own_rooms(rooms)
    if held:
        trouble = rooms.trouble(held[0])
        if trouble not in {"", LogForkError.outcome}:
            raise Unverified(trouble)
        return held[0], _homeless(rooms, held)
    keyring = rooms.keyring
    user = keyring.device.user
    by = rooms.committer([user])
    newest = keyring.newest(user)
    if newest is None:
        raise Unverified("reference")
    commit = create_own_room(by, keyring.lists()[newest.list_hash])
    create = parse_ops(commit.ops)[0]
    assert isinstance(create, Create)  # noqa: S101 (we have just made it)
    room = rooms.create(commit, create.origin.data)
    return room, _homeless(rooms, [room])


def _homeless(rooms: Rooms, held: list[bytes]) -> list[Note]:
    """Notes whose room is gone: they are written again by whoever has them."""
    kept = Notes(rooms.store, rooms.keyring.device.user).kept().values()
    return [each.note for each in kept if each.place.room not in held]
