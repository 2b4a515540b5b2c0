"""Commands about rooms."""

import argparse
import uuid

from crypto_client.client.failures import Refused, Usage
from crypto_client.client.keys import Keyring
from crypto_client.client.output import Output
from crypto_client.client.own_room import listed, own_rooms
from crypto_client.client.server import JSON, b64
from crypto_client.client.session import Session
from crypto_client.commit import HISTORY_FROM_JOIN, HISTORY_OFF, ClearState
from crypto_client.committing import (
    commit_add,
    commit_history_off,
    commit_remove,
    commit_title,
    create_direct,
    create_group,
)
from crypto_client.device_list import SignedDeviceList
from crypto_client.epoch import RoomView
from crypto_client.ops import Create, parse_ops
from crypto_client.roster import KIND_DIRECT, KIND_GROUP, find_member
from crypto_client.statements import make_leave


def direct(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Open the one room shared with a friend."""
    rooms = session.messenger.rooms
    keyring = rooms.keyring
    friend = _friend_user(session, arguments.email)
    by = rooms.committer([keyring.device.user, friend])
    own, theirs = _list(keyring, keyring.device.user), _list(keyring, friend)
    commit = create_direct(by, own, theirs, clear=_clear(KIND_DIRECT, arguments.history))
    room = rooms.create(commit, _origin(commit.ops))
    _show(session, output, room)


def group(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Open a group with a title and chosen friends."""
    rooms = session.messenger.rooms
    users = [rooms.keyring.device.user, *(_friend_user(session, e) for e in arguments.emails)]
    by = rooms.committer(users)
    lists = [_list(rooms.keyring, user) for user in dict.fromkeys(users)]
    clear = _clear(KIND_GROUP, arguments.history)
    commit = create_group(by, lists, title=arguments.title, clear=clear)
    room = rooms.create(commit, _origin(commit.ops))
    _show(session, output, room)


def invite(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Add a friend to a group; they see what comes from now on."""
    rooms = session.messenger.rooms
    room = find_room(session, arguments.room)
    friend = _friend_user(session, arguments.email)
    rooms.heal(room)  # who started again is still in the roster, under the key of before
    rooms.commit(
        room,
        lambda view, by: commit_add(view, [_list(rooms.keyring, friend)], by),
        more_users=[friend],
    )
    _show(session, output, room)


def remove(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Remove a member from a group, as its admin."""
    rooms = session.messenger.rooms
    room = find_room(session, arguments.room)
    user = _member_user(session, room, arguments.email)
    rooms.commit(room, lambda view, by: commit_remove(view, user, by))
    _show(session, output, room)


def rename(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Give a group another title."""
    room = find_room(session, arguments.room)
    session.messenger.rooms.commit(room, lambda view, by: commit_title(view, arguments.title, by))
    _show(session, output, room)


def end_history(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Keep no history of a room from now on; there is no way back."""
    rooms = session.messenger.rooms
    room = find_room(session, arguments.room)
    view = rooms.view(room)
    if view is not None and view.keeps_history:
        rooms.commit(room, commit_history_off)
    _show(session, output, room)


def _clear(kind: int, history: str) -> ClearState:
    policy = HISTORY_OFF if history == "off" else HISTORY_FROM_JOIN
    return ClearState(kind, history_policy=policy)


def leave(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Leave a group; what was there stays readable here."""
    room = find_room(session, arguments.room)
    keyring = session.messenger.rooms.keyring
    view = session.messenger.rooms.view(room)
    own = find_member(view.roster, keyring.device.user) if view else None
    if own is None:
        raise Refused("not_found")
    statement = make_leave(keyring.device, room, own.joined_epoch)
    path = f"/api/rooms/{uuid.UUID(bytes=room)}/leave"
    session.server.post(path, {"statement": b64(statement.encode())})
    session.messenger.rooms.refresh_room(room)
    output.row({"left": True}, lambda row: "left")


def delete(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Delete a room for oneself, or as admin for everybody."""
    room = find_room(session, arguments.room)
    path = f"/api/rooms/{uuid.UUID(bytes=room)}"
    if arguments.for_all:
        session.server.delete(path)
    else:
        session.server.post(f"{path}/hide")
    session.messenger.rooms.forget(room)
    output.row({"deleted": True}, lambda row: "deleted")


def list_rooms(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """All rooms of this person."""
    for summary in listed(session.messenger.rooms):
        _show(session, output, uuid.UUID(summary["room_id"]).bytes)


def find_room(session: Session, name: str) -> bytes:
    """A room by id, by a title that is unique here, or by the other person's e-mail."""
    try:
        wanted = uuid.UUID(name).bytes
    except ValueError:
        return _room_by_words(session, name)
    rooms = session.messenger.rooms
    if rooms.view(wanted) is None or wanted in own_rooms(rooms):
        raise Refused("not_found")
    return wanted


def _room_by_words(session: Session, words: str) -> bytes:
    if "@" in words:
        user = _friend_user(session, words)
        matches = [r for r in session.messenger.rooms.all() if _is_direct_with(session, r, user)]
    else:
        rooms = listed(session.messenger.rooms)
        matches = [summary for summary in rooms if title_of(session, summary) == words]
    if not matches:
        raise Refused("not_found")
    if len(matches) > 1:
        raise Usage("ambiguous_room")
    return uuid.UUID(matches[0]["room_id"]).bytes


def _view_of(session: Session, summary: JSON) -> RoomView | None:
    return session.messenger.rooms.view(uuid.UUID(summary["room_id"]).bytes)


def _is_direct_with(session: Session, summary: JSON, user: bytes) -> bool:
    """Judged by the verified roster: a server could call any room the one with a friend."""
    view = _view_of(session, summary)
    is_direct = view is not None and view.clear.kind == KIND_DIRECT
    return is_direct and view is not None and find_member(view.roster, user) is not None


def title_of(session: Session, summary: JSON) -> str:
    """A group's opened title, or the other person's nickname."""
    view = _view_of(session, summary)
    if view is None or view.clear.kind != KIND_DIRECT:
        return (view.shown_title or "") if view else ""
    own = session.keyring.device.user
    others = [row.user for row in view.roster if row.user != own]
    return session.messenger.rooms.nickname(others[0]) if others else ""


def _members(session: Session, view: RoomView | None) -> list[str]:
    """Who is in the room by its chain; only their names are the server's word."""
    rows = view.roster if view else ()
    return [session.messenger.rooms.nickname(row.user) for row in rows]


def _show(session: Session, output: Output, room: bytes) -> None:
    summary = session.messenger.rooms.refresh_room(room)
    view = session.messenger.rooms.view(room)
    output.row(
        {
            "room_id": summary["room_id"],
            "kind": summary["kind"],
            "title": title_of(session, summary),
            "epoch": view.epoch if view else None,
            "members": _members(session, view),
            "left": summary["me"]["last_epoch"] is not None,
            "unread": session.messenger.unread(room),
            "history": "on" if view is None or view.keeps_history else "off",
            "trouble": session.messenger.rooms.trouble(room),
        },
        lambda row: (
            f"{row['room_id']}  {row['title']}  ({', '.join(row['members'])})"
            + (f"  {row['unread']} unread" if row["unread"] else "")
            + ("  left" if row["left"] else "")
            + ("  keeps no history" if row["history"] == "off" else "")
            + (f"  not verified: {row['trouble']}" if row["trouble"] else "")
        ),
    )


def _friend_user(session: Session, email: str) -> bytes:
    for friend in session.server.get("/api/friends")["friends"]:
        if friend["email"].lower() == email.lower():
            if not friend["has_keys"]:
                raise Refused("keys_missing")
            return uuid.UUID(friend["user_id"]).bytes
    raise Refused("not_friends")


def _member_user(session: Session, room: bytes, who: str) -> bytes:
    members = session.messenger.rooms.refresh_room(room)["members"]
    ids = {member["user_id"] for member in members}
    for friend in session.server.get("/api/friends")["friends"]:
        if friend["email"].lower() == who.lower() and friend["user_id"] in ids:
            return uuid.UUID(friend["user_id"]).bytes
    named = [member["user_id"] for member in members if member["nickname"] == who]
    if len(named) != 1:
        raise Refused("not_found")
    return uuid.UUID(named[0]).bytes


def _list(keyring: Keyring, user: bytes) -> SignedDeviceList:
    newest = keyring.newest(user)
    if newest is None:
        raise Refused("keys_missing")
    return keyring.lists()[newest.list_hash]


def _origin(ops: bytes) -> bytes:
    create = parse_ops(ops)[0]
    assert isinstance(create, Create)  # noqa: S101 (we have just made it)
    return create.origin.data
