"""The sixty digits that two people compare (docs/protocol.md §10)."""

import hashlib

from crypto_client.encoding import lp, u8

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
