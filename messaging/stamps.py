"""The acceptance stamp: the server's proof to itself of which device sent a header, and when.

A report is checked against it, so that nobody can be framed with a header the server never took
from that device (docs/protocol.md 8.5).
"""

import functools
import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings

from accounts.protocol import lp

LABEL = b"HRK/1 stamp"


@dataclass(frozen=True, slots=True)
class Stamp:
    """``key_id`` says which of the server's keys made it; ``accepted_ms`` is part of it."""

    key_id: int
    accepted_ms: int
    value: bytes


@functools.lru_cache(maxsize=16)
def _key(secret: str) -> tuple[int, bytes]:
    key = hmac.digest(secret.encode(), LABEL, "sha256")
    return int.from_bytes(hashlib.sha256(LABEL + key).digest()[:4], "big"), key


def _value(key_id: int, key: bytes, header_hash: bytes, accepted_ms: int) -> bytes:
    parts = lp(LABEL, key_id.to_bytes(4, "big"), header_hash, accepted_ms.to_bytes(8, "big"))
    return hmac.digest(key, parts, "sha256")


def make_stamp(header_hash: bytes, accepted_ms: int) -> Stamp:
    """Stamp a header, given as H("hdr", hdr), with the newest key."""
    key_id, key = _key(settings.SECRET_KEY)
    return Stamp(key_id, accepted_ms, _value(key_id, key, header_hash, accepted_ms))


def verify_stamp(header_hash: bytes, stamp: Stamp) -> bool:
    """Whether this server made the stamp for this header and time, with a key it still has."""
    if not 0 <= stamp.accepted_ms < 2**64:
        return False
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        key_id, key = _key(secret)
        expected = _value(key_id, key, header_hash, stamp.accepted_ms)
        if key_id == stamp.key_id and hmac.compare_digest(expected, stamp.value):
            return True
    return False
