"""Frames as no client of ours sends them, each under what the server answers to it.

docs/wire.md lists the same names. Bytes are sent as they stand, on a socket that was proved.
"""

import json
from typing import Any

from tests.messaging.raw import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    asking,
    frame,
    head,
    masked,
    text,
)

ID = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"
GOOD = json.dumps({"event": "ping", "ref": "물음", "t": 1}, ensure_ascii=False).encode()
AT = GOOD.index("물".encode()) + 1  # within a letter of three bytes
MOST = 64 * 1024


def pieces(*payloads: bytes, opcode: int = TEXT, between: bytes = b"") -> bytes:
    """One message in fragments, with other bytes between each two."""
    first, *others = payloads
    frames = [frame(opcode, first, fin=False)]
    for at, payload in enumerate(others, start=1):
        frames.append(frame(CONTINUATION, payload, fin=at == len(others)))
    return between.join(frames)


def close(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def says(**members: Any) -> bytes:
    """A ping with changed members."""
    return text(json.dumps({"event": "ping", "ref": "1", "t": 1, **members}))


def with_t(value: str) -> bytes:
    """A ping whose number is written like this."""
    return text(f'{{"event": "ping", "ref": "1", "t": {value}}}')


def deep(levels: int) -> str:
    """So many lists, one in the other."""
    return "[" * levels + "]" * levels


READ = {
    "fragments": pieces(GOOD[:5], GOOD[5:9], GOOD[9:]),
    "a cut within a letter": pieces(GOOD[:AT], GOOD[AT:]),
    "empty fragments": pieces(b"", GOOD, b"", b""),
    "the last of two members with one name": text('{"event":"x","event":"ping","ref":"1","t":1}'),
}
PONGS = {"a ping of 125 bytes": frame(PING, bytes(125))}
NOTHING = {"a pong that nobody asked for": frame(PONG, b"yes")}
PROTOCOL = {
    "an empty text": text(""),
    "a binary frame": frame(BINARY, GOOD),
    "a binary message in fragments": pieces(GOOD[:5], GOOD[5:], opcode=BINARY),
    "no JSON": text("hello"),
    "JSON that is cut off": text('{"event":"ping"'),
    "JSON with a comma too many": text('{"event":"ping","ref":"1","t":1,}'),
    "two objects": text(GOOD + GOOD),
    "a byte order mark": text(b"\xef\xbb\xbf" + GOOD),
    "an escaped half of a letter": text(r'{"event":"ping","ref":"\ud800","t":1}'),
    "NaN": with_t("NaN"),
    "Infinity": with_t("Infinity"),
    "a number too large to be one": with_t("1e400"),
    "a list": text("[]"),
    "null": text("null"),
    "30,000 lists in each other": text(deep(30_000)),
    "30,000 lists in each other for a number": with_t(deep(30_000)),
    "no event": text('{"ref":"1"}'),
    "an unknown event": asking("message.delete", "1"),
    "an event of the server": asking("hello", "1"),
    "the name of something in the server's code": asking("__init__", "1"),
    "an event that is a list": says(event=["ping"]),
    "64 KiB of blanks": text(b" " * MOST),
}
INVALID = {
    "no ref": text('{"event":"ping","t":1}'),
    "an empty ref": says(ref=""),
    "a ref of 37 characters": says(ref="r" * 37),
    "a ref that is a number": says(ref=1),
    "a missing member": asking("ping", "1"),
    "an unknown member": says(more=1),
    "a negative number": with_t("-1"),
    "a number from 2^53 on": with_t(str(2**53)),
    "a number of a hundred digits": with_t("9" * 100),
    "a fraction": with_t("1.0"),
    "an exponent": with_t("1e3"),
    "true for a number": with_t("true"),
    "a text for a number": with_t('"1"'),
    "null for a number": with_t("null"),
    "a hundred lists in each other for a number": with_t(deep(100)),
    "an id in capital letters": asking("cursor.move", "1", room_id=ID.upper()),
    "padded base64": asking("message.send", "1", room_id=ID, envelope="AA=="),
    "201 rooms": asking("sync", "1", rooms={ID[:-3] + f"{n:03x}": 0 for n in range(201)}),
}
BROKEN = {
    "a frame that is not masked": head(TEXT, len(GOOD), mask=False) + GOOD,
    "the first reserved bit": frame(TEXT, GOOD, rsv=4),
    "the second reserved bit": frame(TEXT, GOOD, rsv=2),
    "the third reserved bit": frame(TEXT, GOOD, rsv=1),
    "opcode 3": frame(3, GOOD),
    "opcode 11": frame(11),
    "a continuation of nothing": frame(CONTINUATION, GOOD),
    "a new message before the end of another": frame(TEXT, GOOD, fin=False) + text(GOOD),
    "a ping of 126 bytes": frame(PING, bytes(126)),
    "a ping in fragments": frame(PING, b"are", fin=False),
}
NOT_UTF8 = {
    "bytes that are no UTF-8": text(b"\xff\xfe"),
    "half of a pair of UTF-16": text(b'{"event":"\xed\xa0\x80"}'),
    "a letter written too long": text(b'{"event":"\xc0\xaf"}'),
    "a text that ends within a letter": text(GOOD[:AT]),
}
BAD_CLOSES = {
    "a close of one byte": frame(CLOSE, b"\x03"),
    "a close with code 999": close(999),
    "a close with code 1005": close(1005),
    "a close with code 5000": close(5000),
    "a close whose reason is no UTF-8": close(1000, b"\xff"),
}
TOO_LARGE = {
    "a frame over 64 KiB, at its first bytes": head(TEXT, MOST + 1) + masked(b"")[:4],
    "a frame of 2^62 bytes, at its first bytes": head(TEXT, 1 << 62) + masked(b"")[:4],
    "fragments that are over 64 KiB together": pieces(*[b" " * 16_000] * 5),
    "more than 256 fragments": frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 300,
}
CLOSES = {
    "a close with code 1000": close(1000),
    "a close with a code of the client's own": close(4999, "안녕".encode()),
    "a close without a code": frame(CLOSE),
}

ANSWERS: dict[str, dict[str, bytes]] = {
    "`reply`": READ,
    "a pong with the same bytes": PONGS,
    "nothing": NOTHING,
    "`protocol`": PROTOCOL,
    "`invalid`": INVALID,
    "close 1002": BROKEN,
    "close 1007": NOT_UTF8,
    "close 1008": {"three that are answered by `protocol`": text("hello") * 3},
    "close 1009": TOO_LARGE,
    "close 4029": {"more than 40 at once": asking("ping", "1", t=1) * 60},
    "a close in return": CLOSES,
    "the end": BAD_CLOSES,
}
