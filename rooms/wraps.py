"""Wraps and the prekeys list of a commit: what only the server can check before others see it."""

import time
from collections.abc import Iterable, Mapping
from uuid import UUID

from accounts.models import Prekey
from rooms.commit import WRAP_SIZE, PrekeyEntry
from rooms.outcomes import demand

CLOCK_TOLERANCE_MS = 24 * 60 * 60 * 1000


def demand_prekeys(
    entries: Mapping[UUID, PrekeyEntry],
    devices: Iterable[UUID],
    previous: Mapping[UUID, PrekeyEntry],
) -> None:
    """Every device of the new roster has an entry, published here and never older than before.

    ``seq`` 0 says that a device has no usable prekey: that is never an error of the commit. All
    else is ``prekey``.
    """
    demand(entries.keys() == set(devices), "prekey")
    used = {device: entry for device, entry in entries.items() if entry.seq}
    published = _published(used)
    oldest = int(time.time() * 1000) - CLOCK_TOLERANCE_MS
    for device, entry in used.items():
        expires_ms = published.get((device, entry.seq, entry.prekey_hash), 0)
        demand(expires_ms > oldest, "prekey")
        before = previous.get(device)
        demand(before is None or entry.seq >= before.seq, "prekey")
        demand(before is None or entry.seq != before.seq or entry == before, "prekey")


def _published(used: Mapping[UUID, PrekeyEntry]) -> dict[tuple[UUID, int, bytes], int]:
    rows = Prekey.objects.filter(
        device__in=used.keys(), seq__in={entry.seq for entry in used.values()}
    ).values_list("device_id", "seq", "prekey_hash", "expires_ms")
    return {(device, seq, bytes(digest)): expires for device, seq, digest, expires in rows}


def demand_wraps(wraps: Mapping[UUID, bytes], entries: Mapping[UUID, PrekeyEntry]) -> None:
    """One wrap of 1168 bytes for each device with a prekey, none for anybody else.

    ``epoch_unusable`` otherwise: a member would find an epoch that does not open.
    """
    wanted = {device for device, entry in entries.items() if entry.seq}
    demand(wraps.keys() == wanted, "epoch_unusable")
    demand(all(len(wrap) == WRAP_SIZE for wrap in wraps.values()), "epoch_unusable")
