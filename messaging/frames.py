"""The grammar of the socket: docs/wire.md, section 4, as one registry of events.

`parse_frame` turns text into a typed request or refuses it; the makers turn answers into bytes.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from accounts.protocol import Malformed, from_base64url
from accounts.refusals import REFUSALS, Refused

MAX_REF = 36
MAX_ENVELOPE = 48_000  # what fits in a frame; its own reader refuses what no envelope can be
MAX_SYNC_ROOMS = 200
MAX_SEQ = 2**53 - 1

Reader = Callable[[Any], Any]


class Unreadable(Refused):
    """A frame that breaks the grammar. ``ref`` is the frame's own where it could be read."""

    def __init__(self, code: str, ref: str | None = None) -> None:
        super().__init__(code)
        self.ref = ref


@dataclass(frozen=True, slots=True)
class Request:
    """A frame from a client whose members have been read and checked."""

    event: str
    ref: str
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Grammar:
    """The members of one event besides ``event`` and ``ref``, and how each is read."""

    required: Mapping[str, Reader]
    optional: Mapping[str, Reader]


def read_id(value: Any) -> uuid.UUID:
    """A lower-case UUID."""
    if not isinstance(value, str) or len(value) != 36:
        raise Malformed("not an id")
    try:
        found = uuid.UUID(value)
    except ValueError as error:
        raise Malformed("not an id") from error
    if str(found) != value:
        raise Malformed("not a canonical id")
    return found


def read_bytes(low: int, high: int) -> Reader:
    """Bytes between two sizes, as canonical base64url."""

    def read(value: Any) -> bytes:
        if not isinstance(value, str) or len(value) > 4 * (high // 3 + 1):
            raise Malformed("not bytes")
        data = from_base64url(value)
        if not low <= len(data) <= high:
            raise Malformed("wrong size")
        return data

    return read


def read_number(value: Any) -> int:
    """A whole number that every client can hold: 0 to 2^53 - 1."""
    if type(value) is not int or not 0 <= value <= MAX_SEQ:
        raise Malformed("not a number")
    return value


def read_cursors(value: Any) -> dict[uuid.UUID, int]:
    """At most 200 rooms, each with the seq after which the client knows nothing."""
    if not isinstance(value, dict) or len(value) > MAX_SYNC_ROOMS:
        raise Malformed("not cursors")
    return {read_id(room): read_number(seq) for room, seq in value.items()}


FROM_CLIENT: dict[str, Grammar] = {
    "device.prove": Grammar({"device_id": read_id, "signature": read_bytes(64, 64)}, {}),
    "message.send": Grammar({"room_id": read_id, "envelope": read_bytes(1, MAX_ENVELOPE)}, {}),
    "sync": Grammar({"rooms": read_cursors}, {}),
    "heads": Grammar({}, {}),
    "cursor.move": Grammar(
        {"room_id": read_id}, {"delivered_to": read_number, "read_to": read_number}
    ),
    "ping": Grammar({"t": read_number}, {}),
}

# What the server sends, and the members it promises; `?` marks those that may be missing.
FROM_SERVER: dict[str, tuple[str, ...]] = {
    "hello": ("nonce", "origin", "now_ms"),
    "reply": ("ref",),
    "error": ("ref?", "code", "retryable", "retry_after_ms?"),
    "message.live": ("room_id", "envelope", "accepted_ms", "key_id", "stamp"),
    "message.stored": ("room_id", "from", "to", "ids"),
    "message.refused": ("room_id", "message_id", "code"),
    "sync.page": ("room_id", "after", "upto", "head", "items", "more"),
    "commit.accepted": ("room_id", "epoch", "hash"),
    "member.left": ("room_id", "user_id"),
    "room.added": ("room_id",),
    "room.removed": ("room_id",),
    "room.deleted": ("room_id",),
    "cursor.moved": ("room_id", "user_id", "delivered_to", "read_to"),
    "friend_request.received": ("friend_request_id",),
    "friend_request.closed": ("friend_request_id",),
    "friendship.made": ("user_id",),
    "friendship.ended": ("user_id",),
    "profile.changed": ("user_id",),
    "reset.changed": (),
    "heads": ("rooms",),
    "reconnect": ("within_ms",),
}


def parse_frame(text: str | None) -> Request:
    """Read one text frame of a client.

    Raises `Unreadable`: ``protocol`` for what is no frame of ours, ``invalid`` for a member that is
    missing, unknown, or of the wrong type or size.
    """
    fields = _object(text)
    event, ref = fields.pop("event", None), fields.pop("ref", None)
    known_ref = ref if isinstance(ref, str) and 1 <= len(ref) <= MAX_REF else None
    grammar = FROM_CLIENT.get(event) if isinstance(event, str) else None
    if grammar is None:
        raise Unreadable("protocol", known_ref)
    if known_ref is None or not grammar.required.keys() <= fields.keys():
        raise Unreadable("invalid", known_ref)
    readers = {**grammar.required, **grammar.optional}
    try:
        members = {name: readers[name](value) for name, value in fields.items()}
    except (KeyError, Malformed) as error:
        raise Unreadable("invalid", known_ref) from error
    return Request(event, known_ref, members)


def _object(text: str | None) -> dict[str, Any]:
    try:
        fields = orjson.loads(text) if text is not None else None
    except orjson.JSONDecodeError as error:
        raise Unreadable("protocol") from error
    if not isinstance(fields, dict):
        raise Unreadable("protocol")
    return fields


def push(event: str, **members: Any) -> bytes:
    """A frame that answers nothing; ids may be UUIDs."""
    return orjson.dumps({"event": event, **members})


def reply(ref: str, **members: Any) -> bytes:
    """The answer to the request ``ref``."""
    return orjson.dumps({"event": "reply", "ref": ref, **members})


def error(ref: str | None, code: str, retry_after_ms: int | None = None) -> bytes:
    """The refusal of the request ``ref``, or of a frame whose ref could not be read."""
    members: dict[str, Any] = {"event": "error", "code": code, "retryable": REFUSALS[code][1]}
    if ref is not None:
        members["ref"] = ref
    if retry_after_ms is not None:
        members["retry_after_ms"] = retry_after_ms
    return orjson.dumps(members)
