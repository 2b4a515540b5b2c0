"""What two people compare: sixty digits, or a code (docs/protocol.md §10)."""

import hashlib

from crypto_client.encoding import (
    ID_SIZE,
    KEY_SIZE,
    SUITE_BYTE,
    ascending,
    lp,
    lp_fields,
    typed_fields,
    u8,
)
from crypto_client.errors import PinMismatchError, ReferenceMissingError

ROUNDS = 5200


def fingerprint(user: bytes, amk_pub: bytes) -> str:
    """Give one account's 30 digits: 5,200 rounds of SHA-512 over user id and account key."""
    content = lp(b"HRK/1 safety", u8(1), user, amk_pub)
    digest = hashlib.sha512(content).digest()
    for _ in range(ROUNDS - 1):
        digest = hashlib.sha512(digest + content).digest()
    chunks = (int.from_bytes(digest[at : at + 5], "big") % 100_000 for at in range(0, 30, 5))
    return "".join(f"{chunk:05d}" for chunk in chunks)


def safety_number(one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> str:
    """Give the 60 digits of two (user, AMK_pub) pairs; the same whoever asks."""
    return "".join(sorted((fingerprint(*one), fingerprint(*other))))


def safety_code(one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> bytes:
    """Give the bytes that both people's screens show; the same whoever asks."""
    return lp(b"safety", SUITE_BYTE, *(lp(*account) for account in sorted((one, other))))


def compare_code(data: bytes, one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> None:
    """Compare a code from the other screen with the own two (user, AMK_pub) pairs, byte by byte.

    Refuses ``parse`` and ``suite`` for what is no code, ``reference`` for one about other people
    and ``pin_mismatch`` for these two with another key: that is what comparing is for.
    """
    read = [
        lp_fields(pair, [ID_SIZE, KEY_SIZE]) for pair in typed_fields(data, "safety", [None] * 2)
    ]
    ascending([user for user, _ in read])
    if [user for user, _ in read] != sorted((one[0], other[0])):
        raise ReferenceMissingError("a code of other people")
    if data != safety_code(one, other):
        raise PinMismatchError("another account key than the one on the other screen")
