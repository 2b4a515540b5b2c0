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
_ATTACHED_LATER = ("seen", "void", "kt")


@dataclass(frozen=True)
class Body:
    """A message body that has been read; ``members`` holds all of it, unknown members too."""

    data: bytes
    type: str
    text: str | None
    seen: tuple[int, bytes] | None
    void: tuple[tuple[int, int], ...]
    members: Mapping[str, object]

    @property
    def content(self) -> str:
        """What two copies of one message must share: all but ``seen``, ``void`` and ``kt``."""
        kept = {name: v for name, v in self.members.items() if name not in _ATTACHED_LATER}
        return json.dumps(kept, sort_keys=True, ensure_ascii=False)


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise BodyError(what)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _bytes_of(value: object, size: int) -> bytes:
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
    _require(_is_count(members[count]), "a count is a number from 0")
    return int(str(members[count])), _bytes_of(members[digest], HASH_SIZE)


def _check_reply(value: object) -> None:
    members = _object(value, ("device", "id", "c"))
    for name, size in (("device", ID_SIZE), ("id", ID_SIZE), ("c", HASH_SIZE)):
        _bytes_of(members[name], size)


def _void(value: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list) or len(value) > MAX_VOID:
        raise BodyError("void is a list of at most 256 pairs")
    pairs = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(_is_count, pair)):
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
    readers: dict[str, Callable[[object], object]] = {
        "kt": lambda value: _hash_at(value, "size", "root"),
        "reply": _check_reply,
    }
    for name, read in readers.items():
        if name in members:
            read(members[name])
    seen = _hash_at(members["seen"], "seq", "log") if "seen" in members else None
    void = _void(members["void"]) if "void" in members else ()
    return Body(data, members["type"], text, seen, void, members)


def text_body(
    text: str,
    *,
    seen: tuple[int, bytes] | None = None,
    void: tuple[tuple[int, int], ...] = (),
) -> bytes:
    """Write the body of a text message, with the own log hash and void counters."""
    members: dict[str, object] = {"type": "text", "text": text}
    if seen is not None:
        members["seen"] = {"seq": seen[0], "log": encode_base64url(seen[1])}
    if void:
        members["void"] = [list(pair) for pair in void]
    data = dump_json(members)
    parse_body(data)
    return data
