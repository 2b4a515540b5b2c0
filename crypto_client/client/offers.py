"""Account keys that the server calls somebody's now, though another one is pinned.

Nothing is taken over by itself: a person looks at the change first (docs/protocol.md §3.1).
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress

from crypto_client.client.failures import Refused
from crypto_client.client.keys import Keyring, keep_list, now_ms
from crypto_client.client.server import unb64
from crypto_client.device_list import KnownList, SignedDeviceList, accept_device_list
from crypto_client.errors import PinMismatchError, ProtocolError, ReferenceMissingError


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


def accept_key(keyring: Keyring, user: bytes, amk_pub: bytes) -> None:
    """Take over an offered account key: the person here has decided.

    Refuses ``pin_mismatch`` when the server shows another key by now, and ``kt`` when its device
    list is not the newest in the key log.
    """
    keyring.key_log.follow(now_ms())
    keys = keyring.server.user_keys(uuid.UUID(bytes=user), after_version=0)
    if unb64(keys["account_key"]) != amk_pub:
        raise PinMismatchError("another account key than the one that was looked at")
    lists = [
        SignedDeviceList(unb64(item["device_list"]), unb64(item["list_sig"]))
        for item in sorted(keys["lists"], key=lambda item: int(item["version"]))
    ]
    known: KnownList | None = None
    for signed in lists:
        known = accept_device_list(known, [signed], user=user, amk_pub=amk_pub)
    if known is None:
        raise ReferenceMissingError("an account key without a device list")
    keyring.key_log.demand_newest(user, known.list_hash)
    with keyring.store.transaction():
        keyring.store.run("DELETE FROM offered_keys WHERE user = ?", user)
        for version, signed in enumerate(lists, known.version - len(lists) + 1):
            keep_list(keyring.store, user, amk_pub, signed, version)
