"""The few rules of docs/protocol.md that the server needs in order to refuse junk.

This is not the client's code and cannot become it: nothing here opens, unwraps or derives a secret.
Clients never rely on these checks; they make their own.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from itertools import pairwise

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

SUITE = 1
NUMBER_LIMIT = 1 << 53


class Malformed(ValueError):
    """Bytes that are not the object they claim to be. Carries no part of the input."""


def lp(*fields: bytes) -> bytes:
    """Join fields, each with its u32 length before it. See docs/protocol.md, "Conventions"."""
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def read_lp(data: bytes, count: int | None = None) -> list[bytes]:
    """Split what `lp` joined; a wrong number of fields and trailing bytes are `Malformed`."""
    fields: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if at + 4 > len(data) or end > len(data):
            raise Malformed("a field runs past the end")
        fields.append(bytes(data[at + 4 : end]))
        at = end
    if count is not None and len(fields) != count:
        raise Malformed("wrong number of fields")
    return fields


def fixed(field: bytes, size: int) -> bytes:
    """A field of exactly ``size`` bytes, else `Malformed`."""
    if len(field) != size:
        raise Malformed("wrong field length")
    return field


def uint(field: bytes, size: int) -> int:
    """A big-endian unsigned integer of ``size`` bytes and below 2^53, else `Malformed`."""
    value = int.from_bytes(fixed(field, size), "big")
    if value >= NUMBER_LIMIT:
        raise Malformed("a number beyond 2^53")
    return value


def typed(data: bytes, label: str, count: int) -> list[bytes]:
    """The fields of an object after its type label and suite; refuses another label or suite."""
    fields = read_lp(data, count)
    if fields[0] != label.encode() or uint(fields[1], 1) != SUITE:
        raise Malformed("wrong type or suite")
    return fields[2:]


def ascending(keys: Sequence[bytes]) -> None:
    """Refuse a list that is not strictly ascending, which also refuses duplicates."""
    if any(a >= b for a, b in pairwise(keys)):
        raise Malformed("not strictly ascending")


def labelled(label: str, data: bytes) -> bytes:
    """The bytes that are hashed, keyed or signed under a label."""
    return lp(b"HRK/1 " + label.encode(), data)


def digest(label: str, data: bytes) -> bytes:
    """H(label, x): BLAKE2b-256 under a label."""
    return hashlib.blake2b(labelled(label, data), digest_size=32).digest()


def verifies(public: bytes, label: str, data: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature under a label is good; libsodium decides."""
    if len(public) != 32 or len(signature) != 64 or not crypto_core_ed25519_is_valid_point(public):
        return False
    try:
        VerifyKey(public).verify(labelled(label, data), signature)
    except BadSignatureError:
        return False
    return True


def to_base64url(data: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Strictly canonical base64url without padding; anything else is `Malformed`."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("not base64url") from error
    if to_base64url(data) != text:
        raise Malformed("not canonical base64url")
    return data
