"""The digits by which people compare an account key (docs/protocol.md 10)."""

import hashlib
from uuid import UUID

from accounts.protocol import lp

ROUNDS = 5200


def fingerprint(user: UUID, amk_pub: bytes) -> str:
    """One person's half of a safety number: six groups of five digits. Takes a few milliseconds."""
    given = lp(b"HRK/1 safety", b"\x01", user.bytes, amk_pub)
    hashed = hashlib.sha512(given).digest()
    for _ in range(ROUNDS - 1):
        hashed = hashlib.sha512(hashed + given).digest()
    groups = (int.from_bytes(hashed[5 * k : 5 * k + 5], "big") % 100_000 for k in range(6))
    return " ".join(f"{group:05d}" for group in groups)
