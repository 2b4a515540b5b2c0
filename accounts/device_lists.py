"""The next device list is checked here: it follows the newest one, and nothing in it comes back.

Clients never rely on these; they keep a list that no client could follow from being published.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.enrolment import check_prekey, refused_member
from accounts.models import Device, DeviceList
from accounts.protocol import Malformed
from accounts.refusals import Refused
from accounts.signed_objects import (
    DeviceEntry,
    DeviceListObject,
    PrekeyObject,
    list_verifies,
    parse_device_list,
    parse_prekey,
)

# What apps above keep for a device and drop with it: each gets the ids of the revoked devices,
# inside the transaction that revokes them.
forget_devices: list[Callable[[Collection[UUID]], None]] = []


@dataclass(frozen=True, slots=True)
class SentPrekey:
    """A prekey and its signature, as received."""

    prekey: bytes
    prekey_sig: bytes


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device that enters with this list, and its first prekey, read and found good."""

    entry: DeviceEntry
    sent: SentPrekey
    prekey: PrekeyObject


@dataclass(frozen=True, slots=True)
class Succession:
    """What a good next list changes."""

    device_list: DeviceListObject
    new: tuple[NewDevice, ...]
    dropped: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class NextList:
    """The bytes of ``POST /api/me/device-lists``, as received."""

    device_list: bytes
    list_sig: bytes
    prekeys: Sequence[SentPrekey]

    def check(self, newest: DeviceList, now_ms: int) -> Succession:
        """Read everything against the newest list; ``invalid``, ``list_version`` or ``prekey``."""
        before = parse_device_list(bytes(newest.body))
        after = read_next_list(before, self.device_list, self.list_sig)
        if (after.bk_version, after.bk_hash) != (before.bk_version, before.bk_hash):
            raise refused_member("device_list", "Names another backup key.")
        old = {entry.device: entry for entry in before.entries}
        new = {entry.device: entry for entry in after.entries if entry.device not in old}
        if any(old.get(entry.device, entry) != entry for entry in after.entries):
            raise refused_member("device_list", "Changes a device that stays.")
        _refuse_returners(new.values())
        dropped = old.keys() - {entry.device for entry in after.entries}
        return Succession(after, self._with_prekeys(after.user, new, now_ms), frozenset(dropped))

    def _with_prekeys(
        self, user: UUID, new: dict[UUID, DeviceEntry], now_ms: int
    ) -> tuple[NewDevice, ...]:
        owners = [_owner(sent) for sent in self.prekeys]
        if sorted(owners) != sorted(new):
            raise refused_member("prekeys", "Not exactly one for each new device.")
        return tuple(
            NewDevice(new[owner], sent, _checked(sent, user, new[owner], now_ms))
            for owner, sent in zip(owners, self.prekeys, strict=True)
        )


def read_next_list(before: DeviceListObject, body: bytes, sig: bytes) -> DeviceListObject:
    """Read the list that follows ``before``; ``invalid``, or ``list_version`` for another one."""
    try:
        after = parse_device_list(body)
    except Malformed:
        raise refused_member("device_list", "Does not parse.") from None
    if (after.user, after.amk_pub) != (before.user, before.amk_pub):
        raise refused_member("device_list", "Of another account.")
    if not list_verifies(after, sig):
        raise refused_member("list_sig", "Does not verify.")
    if (after.version, after.prev_hash) != (before.version + 1, before.list_hash):
        raise Refused("list_version")
    return after


def _refuse_returners(entries: Collection[DeviceEntry]) -> None:
    """No key that was ever a device enters again: not a revoked one, not another account's."""
    keys = [entry.dsk_pub for entry in entries]
    if Device.objects.filter(dsk_pub__in=keys).exists():
        raise refused_member("device_list", "Names a device that was one before.")


def _owner(sent: SentPrekey) -> UUID:
    try:
        return parse_prekey(sent.prekey).device
    except Malformed:
        raise Refused("prekey") from None


def _checked(sent: SentPrekey, user: UUID, entry: DeviceEntry, now_ms: int) -> PrekeyObject:
    return check_prekey(sent.prekey, sent.prekey_sig, user, entry.device, entry.dsk_pub, now_ms)
