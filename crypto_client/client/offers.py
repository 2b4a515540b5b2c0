"""Account keys that the server calls somebody's now, though another one is pinned.

Nothing is taken over by itself: a person looks at the change first (docs/protocol.md §3.1).
"""

from collections.abc import Iterable
from contextlib import suppress

from crypto_client.client.failures import Refused
from crypto_client.client.keys import Keyring, now_ms
from crypto_client.errors import ProtocolError


def offered_key(keyring: Keyring, user: bytes) -> bytes | None:
    """The other account key that the server last showed for somebody; None for the pinned one."""
    row = keyring.store.row("SELECT amk_pub FROM offered_keys WHERE user = ?", user)
    return row["amk_pub"] if row else None


def look_again(keyring: Keyring, users: Iterable[bytes]) -> None:
    """Ask for the keys of those of whom the key log names a newer list than is known here."""
    for user in users:
        known = keyring.newest(user)
        if known is None or keyring.key_log.is_newest(user, known.list_hash, now_ms()):
            continue
        with suppress(ProtocolError, Refused):  # who asks next is told why
            keyring.refresh(user)
