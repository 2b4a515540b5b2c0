"""Strict encodings (docs/protocol.md §1): what two readers must never read differently."""

import base64
import binascii
import itertools
import json
import re
from collections.abc import Sequence
from typing import NoReturn

from crypto_client.errors import BodyError, ParseError, SuiteError

SUITE = 1
SUITE_BYTE = b"\x01"
ID_SIZE = 16
KEY_SIZE = 32
HASH_SIZE = 32
SIGNATURE_SIZE = 64

MESSAGE_BUCKETS = (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
TITLE_BUCKETS = (256, 512, 1024)
MAX_BODY = MESSAGE_BUCKETS[-1] - 4
MAX_JSON_DEPTH = 6
NUMBER_LIMIT = 1 << 53

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _unsigned(value: int, size: int) -> bytes:
    if isinstance(value, bool) or not 0 <= value < 1 << (8 * size):
        raise ValueError(f"{value} does not fit in {size} bytes")
    return value.to_bytes(size, "big")


def u8(value: int) -> bytes:
    """Encode 0 ≤ value < 2^8; anything else is a ValueError."""
    return _unsigned(value, 1)


def u32(value: int) -> bytes:
    """Encode 0 ≤ value < 2^32, big-endian; anything else is a ValueError."""
    return _unsigned(value, 4)


def u64(value: int) -> bytes:
    """Encode 0 ≤ value < 2^53 in 8 bytes, big-endian; anything else is a ValueError."""
    if value >= NUMBER_LIMIT:
        raise ValueError(f"{value} is a number beyond 2^53")
    return _unsigned(value, 8)


def uint(data: bytes) -> int:
    """Read a fixed-width number whose length the caller has checked; ``parse`` from 2^53 on."""
    value = int.from_bytes(data, "big")
    if value >= NUMBER_LIMIT:
        raise ParseError("a number beyond 2^53")
    return value


def lp(*parts: bytes) -> bytes:
    """Join byte strings so that they come apart in one way only: u32 length ‖ bytes, each."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def lp_split(data: bytes, maximum: int | None = None) -> list[bytes]:
    """Take an LP apart; ``parse`` for a length beyond the end or more than ``maximum`` fields."""
    fields: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + 4
        end = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or end > len(data):
            raise ParseError("a length goes beyond the end")
        fields.append(data[start:end])
        if maximum is not None and len(fields) > maximum:
            raise ParseError("too many fields")
        at = end
    return fields


def lp_fields(data: bytes, sizes: Sequence[int | None]) -> list[bytes]:
    """Take an LP of known field count and lengths apart (None: any length); else ``parse``."""
    fields = lp_split(data, len(sizes))
    if len(fields) != len(sizes):
        raise ParseError(f"{len(fields)} fields where {len(sizes)} belong")
    for field, size in zip(fields, sizes, strict=True):
        if size is not None and len(field) != size:
            raise ParseError(f"a field of {len(field)} bytes where {size} belong")
    return fields


def typed_fields(data: bytes, label: str, sizes: Sequence[int | None]) -> list[bytes]:
    """Read an object that starts with its label and the suite; returns the fields after these two.

    Refuses another label or shape with ``parse`` and another suite with ``suite``.
    """
    fields = lp_fields(data, [None, 1, *sizes])
    if fields[0] != label.encode("ascii"):
        raise ParseError(f"not a {label!r} object")
    if fields[1] != SUITE_BYTE:
        raise SuiteError(f"suite {fields[1][0]}")
    return fields[2:]


def ascending(keys: Sequence[bytes]) -> None:
    """Refuse a list that is not strictly ascending (so also one with duplicates) with ``parse``."""
    if any(left >= right for left, right in itertools.pairwise(keys)):
        raise ParseError("a list is not strictly ascending")


def encode_base64url(data: bytes) -> str:
    """Write bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str, size: int | None = None) -> bytes:
    """Read base64url without padding; ``parse`` unless encoding again gives the same text."""
    if not _BASE64URL.match(text):
        raise ParseError("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ParseError("not base64url") from None
    if encode_base64url(data) != text or (size is not None and len(data) != size):
        raise ParseError("not base64url of this length")
    return data


def _no_number(text: str) -> NoReturn:
    raise BodyError(f"{text[:20]} is not an integer")


def _integer(text: str) -> int:
    if len(text) > 17 or text == "-0" or abs(int(text)) >= NUMBER_LIMIT:
        raise BodyError("an integer is out of range")
    return int(text)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BodyError("a name appears twice")
    return members


def _check_shape(value: object, depth: int) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise BodyError("a lone surrogate")
        return
    if not isinstance(value, (dict, list)):
        return
    if depth >= MAX_JSON_DEPTH:
        raise BodyError("nested too deeply")
    for item in [*value, *value.values()] if isinstance(value, dict) else value:
        _check_shape(item, depth + 1)


def parse_json(data: bytes) -> object:
    """Read JSON under the strict profile of docs/protocol.md §1.2; everything else is ``body``."""
    try:
        value: object = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise BodyError("not JSON") from None
    _check_shape(value, 0)
    return value


def dump_json(value: object) -> bytes:
    """Write JSON that parse_json accepts; BodyError when the value is outside the profile."""
    try:
        data = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        encoded = data.encode("utf-8")
    except (TypeError, ValueError):
        raise BodyError("a value outside the profile") from None
    parse_json(encoded)
    return encoded


def pad(content: bytes, buckets: Sequence[int]) -> bytes:
    """Put the length in front and fill with zeros to the smallest bucket; too long is ``body``."""
    for bucket in buckets:
        if len(content) + 4 <= bucket:
            return (u32(len(content)) + content).ljust(bucket, b"\0")
    raise BodyError("too long for the largest bucket")


def unpad(padded: bytes, buckets: Sequence[int]) -> bytes:
    """Undo ``pad``; ``body`` for a wrong bucket, a wrong length or any non-zero padding byte."""
    if len(padded) not in buckets:
        raise BodyError("not a padding bucket")
    content = padded[4 : 4 + uint(padded[:4])]
    if pad(content, buckets) != padded:
        raise BodyError("padding is not canonical")
    return content
