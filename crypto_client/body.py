"""What is inside a message: the strict JSON body (docs/protocol.md §8.3)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crypto_client.encoding import (
    HASH_SIZE,
    ID_SIZE,
    MAX_BODY,
    decode_base64url,
    dump_json,
    encode_base64url,
    parse_json,
)
from crypto_client.errors import BodyError, ParseError

MAX_VOID = 256
MAX_EMOJI = 64
_ATTACHED_LATER = ("seen", "void", "kt")


@dataclass(frozen=True)
class Reference:
    """A message by its writer's device, its id and the commitment of one of its versions."""

    device: bytes
    msg_id: bytes
    c: bytes

    def members(self) -> dict[str, str]:
        """Write the reference as it stands in a body."""
        named = (("device", self.device), ("id", self.msg_id), ("c", self.c))
        return {name: encode_base64url(data) for name, data in named}


@dataclass(frozen=True)
class KeyLogClaim:
    """The newest head of a key log that a writer has verified."""

    size: int
    root: bytes
    log: int = 1

    def member(self) -> dict[str, object]:
        """Write it as a body carries it."""
        members: dict[str, object] = {"size": self.size, "root": encode_base64url(self.root)}
        return members if self.log == 1 else {**members, "log": self.log}


@dataclass(frozen=True)
class Body:
    """A message body that has been read; ``members`` holds all of it, unknown members too."""

    data: bytes
    type: str
    text: str | None
    seen: tuple[int, bytes] | None
    void: tuple[tuple[int, int], ...]
    kt: KeyLogClaim | None
    reply: Reference | None
    target: Reference | None
    members: Mapping[str, object]

    @property
    def content(self) -> str:
        """What two copies of one message must share: all but ``seen``, ``void`` and ``kt``."""
        kept = {name: v for name, v in self.members.items() if name not in _ATTACHED_LATER}
        return json.dumps(kept, sort_keys=True, ensure_ascii=False)


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise BodyError(what)


def is_count(value: object) -> bool:
    """Say whether a member is a whole number from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def bytes_member(value: object, size: int) -> bytes:
    """Read a member that holds this many bytes; ``body`` for anything else."""
    _require(isinstance(value, str), "bytes are base64url")
    try:
        return decode_base64url(str(value), size)
    except ParseError as error:
        raise BodyError(str(error)) from None


def _object(value: object, names: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(value, dict) or not all(name in value for name in names):
        raise BodyError(f"an object with {', '.join(names)} belongs here")
    return value


def _hash_at(value: object, count: str, digest: str) -> tuple[int, bytes]:
    members = _object(value, (count, digest))
    _require(is_count(members[count]), "a count is a number from 0")
    return int(str(members[count])), bytes_member(members[digest], HASH_SIZE)


def _claim(value: object) -> KeyLogClaim:
    size, root = _hash_at(value, "size", "root")
    log = _object(value, ()).get("log", 1)
    _require(is_count(log) and log != 0, "logs are counted from 1")
    return KeyLogClaim(size, root, int(str(log)))


def _reference(value: object) -> Reference:
    members = _object(value, ("device", "id", "c"))
    sizes = (("device", ID_SIZE), ("id", ID_SIZE), ("c", HASH_SIZE))
    return Reference(*(bytes_member(members[name], size) for name, size in sizes))


def _check_edit(members: Mapping[str, object]) -> None:
    rev = members.get("rev")
    _require(is_count(rev) and rev != 0, "an edit has a revision from 1 on")
    _require(isinstance(members.get("text"), str), "an edit has a text")


def _check_reaction(members: Mapping[str, object]) -> None:
    emoji = members.get("emoji")
    if not isinstance(emoji, str) or not 1 <= len(emoji.encode("utf-8")) <= MAX_EMOJI:
        raise BodyError("a reaction is a short string")
    _require(isinstance(members.get("set"), bool), "a reaction is set or cleared")


_ACTS: dict[str, Callable[[Mapping[str, object]], None]] = {
    "edit": _check_edit,
    "delete": lambda _: None,
    "hide": lambda _: None,
    "reaction": _check_reaction,
}


def _target(members: Mapping[str, object]) -> Reference | None:
    check = _ACTS.get(str(members["type"]))
    if check is None:
        return None
    target = _reference(members.get("target"))
    check(members)
    return target


def _void(value: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list) or len(value) > MAX_VOID:
        raise BodyError("void is a list of at most 256 pairs")
    pairs = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(is_count, pair)):
            raise BodyError("a void counter is [epoch, n]")
        pairs.append((pair[0], pair[1]))
    return tuple(pairs)


def parse_body(data: bytes) -> Body:
    """Read a body of at most 32,764 bytes; ``body`` for anything outside the profile."""
    _require(len(data) <= MAX_BODY, "a body is at most 32,764 bytes")
    members = parse_json(data)
    if not isinstance(members, dict) or not isinstance(members.get("type"), str):
        raise BodyError("a body is an object with a type")
    text = members.get("text")
    _require(text is None or isinstance(text, str), "text is a string")
    _require(members["type"] != "text" or text is not None, "a text has a text")
    reply = _reference(members["reply"]) if "reply" in members else None
    kt = _claim(members["kt"]) if "kt" in members else None
    seen = _hash_at(members["seen"], "seq", "log") if "seen" in members else None
    void = _void(members["void"]) if "void" in members else ()
    return Body(data, members["type"], text, seen, void, kt, reply, _target(members), members)


def text_body(
    text: str,
    *,
    reply: Reference | None = None,
    seen: tuple[int, bytes] | None = None,
    void: tuple[tuple[int, int], ...] = (),
    kt: KeyLogClaim | None = None,
) -> bytes:
    """Write the body of a text message, with the own log hash, void counters and key-log head."""
    members: dict[str, object] = {"type": "text", "text": text}
    if reply is not None:
        members["reply"] = reply.members()
    return write_body(members, seen=seen, void=void, kt=kt)


def write_body(
    members: Mapping[str, object],
    *,
    seen: tuple[int, bytes] | None = None,
    void: tuple[tuple[int, int], ...] = (),
    kt: KeyLogClaim | None = None,
) -> bytes:
    """Write a body of any type with what is attached to each; ``body`` if malformed."""
    written = dict(members)
    if seen is not None:
        written["seen"] = {"seq": seen[0], "log": encode_base64url(seen[1])}
    if void:
        written["void"] = [list(pair) for pair in void]
    if kt is not None:
        written["kt"] = kt.member()
    data = dump_json(written)
    parse_body(data)
    return data
