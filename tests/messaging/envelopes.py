"""Envelopes with headers of our choice. The server opens none: zeros stand for what is sealed."""

import os
from dataclasses import replace
from typing import Any

from accounts.services import now_ms
from crypto_client.encoding import lp
from crypto_client.envelope import Pre
from tests.rooms.garden import Garden

SMALLEST = 256 + 124  # a padded body of 256 bytes, its key, signature and lengths, the cipher's tag


def pre_of(garden: Garden, name: str, **changes: Any) -> Pre:
    """The header fields of one of the cast's next message, with changes."""
    device = garden.chain.keys[name].device
    head = garden.chain.head
    pre = Pre(
        room=head.room,
        epoch=head.epoch,
        commit_hash=head.head,
        user=device.user,
        device=device.device,
        n=100,
        msg_id=os.urandom(16),
        time=now_ms(),
    )
    return replace(pre, **changes)


def wrapped(pre: bytes, *, sealed: int = SMALLEST, nonce: int = 24, commitment: int = 32) -> bytes:
    """An envelope around header bytes."""
    return lp(lp(pre, bytes(commitment)), bytes(nonce), bytes(sealed))


def envelope(garden: Garden, name: str, **changes: Any) -> bytes:
    """An envelope with a changed header."""
    return wrapped(pre_of(garden, name, **changes).encode())
