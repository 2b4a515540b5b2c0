"""Account keys that resets have ended: what the server says of them, verified and kept.

Chains of the past name their device lists. A pin is replaced only when a person says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crypto_client.client.server import JSON, unb64
from crypto_client.client.store import Store
from crypto_client.device_list import SignedDeviceList, verify_device_list
from crypto_client.errors import PinMismatchError
from crypto_client.succession import Reset, SignedReset, walk_resets


@dataclass(frozen=True)
class FormerKey:
    """One account key of the past: the reset that ended it, and the lists under it."""

    reset: Reset
    reset_id: bytes
    lists: tuple[tuple[SignedDeviceList, int], ...]


def read_former(answer: JSON, user: bytes, amk_pub: bytes) -> tuple[FormerKey, ...]:
    """Read the former keys of a person, the first one first; they must lead to ``amk_pub``.

    Refuses as `walk_resets` and `verify_device_list` do.
    """
    rows = answer.get("former", [])
    signed = [SignedReset(unb64(row["reset"]), unb64(row["reset_sig"])) for row in rows]
    resets = walk_resets(signed, user=user, amk_pub=amk_pub)
    return tuple(
        FormerKey(reset, each.reset_id, _lists(row["lists"], user, reset.amk_old))
        for row, each, reset in zip(rows, signed, resets, strict=True)
    )


def _lists(
    rows: Sequence[JSON], user: bytes, amk_pub: bytes
) -> tuple[tuple[SignedDeviceList, int], ...]:
    signed = [SignedDeviceList(unb64(row["device_list"]), unb64(row["list_sig"])) for row in rows]
    return tuple((each, verify_device_list(each, user, amk_pub).version) for each in signed)


def keep_former(store: Store, user: bytes, former: Sequence[FormerKey]) -> None:
    """Keep resets and lists of former keys; nothing of it is anybody's newest list."""
    with store.transaction():
        for key in former:
            store.run(
                "INSERT OR IGNORE INTO resets VALUES (?, ?, ?, ?)",
                user,
                key.reset.amk_old,
                key.reset.amk_new,
                key.reset_id,
            )
            for signed, version in key.lists:
                insert_list(store, user, signed, version)


def insert_list(store: Store, user: bytes, signed: SignedDeviceList, version: int) -> None:
    """Keep a list that has verified under some account key of its owner, by its hash."""
    store.run(
        "INSERT OR IGNORE INTO device_lists VALUES (?, ?, ?, ?, ?)",
        signed.list_hash,
        user,
        version,
        signed.data,
        signed.sig,
    )


def resets_between(former: Sequence[FormerKey], amk_pub: bytes) -> tuple[FormerKey, ...]:
    """The resets that lead on from a pinned key; ``pin_mismatch`` when there is none."""
    for at, key in enumerate(former):
        if key.reset.amk_old == amk_pub:
            return tuple(former[at:])
    raise PinMismatchError("another account key, and no reset that leads to it")


def former_keys(store: Store, user: bytes, amk_pub: bytes) -> list[tuple[bytes, bytes]]:
    """The keys whose verified resets lead to a key, with the ids of these resets, newest first."""
    rows = store.rows("SELECT * FROM resets WHERE user = ?", user)
    before = {row["amk_new"]: row for row in rows}
    found: list[tuple[bytes, bytes]] = []
    while (row := before.pop(amk_pub, None)) is not None:
        amk_pub = row["amk_old"]
        found.append((amk_pub, row["reset_id"]))
    return found
