"""All devices of an account in one signed, versioned statement (docs/protocol.md §3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crypto_client.encoding import (
    HASH_SIZE,
    ID_SIZE,
    KEY_SIZE,
    SUITE_BYTE,
    ascending,
    lp,
    lp_split,
    typed_fields,
    u64,
    uint,
)
from crypto_client.errors import (
    ListForkError,
    ListRollbackError,
    ParseError,
    PinMismatchError,
    ReferenceMissingError,
)
from crypto_client.identity import AccountKey, DeviceEntry
from crypto_client.primitives import check_public_key, h, sign, verify

MAX_DEVICES = 32
NO_HASH = bytes(HASH_SIZE)


@dataclass(frozen=True)
class SignedDeviceList:
    """A device list as it travels: the bytes as received, and the account key's signature."""

    data: bytes
    sig: bytes

    @property
    def list_hash(self) -> bytes:
        """The hash that rosters and later lists name it by."""
        return h("devices", self.data)


@dataclass(frozen=True)
class DeviceList:
    """A device list that has been read."""

    user: bytes
    amk_pub: bytes
    version: int
    prev_list_hash: bytes
    time: int
    bk_version: int
    bk_hash: bytes
    entries: tuple[DeviceEntry, ...]

    def encode(self) -> bytes:
        """Write the bytes that are hashed and signed."""
        return lp(
            b"devices",
            SUITE_BYTE,
            self.user,
            self.amk_pub,
            u64(self.version),
            self.prev_list_hash,
            u64(self.time),
            u64(self.bk_version),
            self.bk_hash,
            lp(*(entry.encode() for entry in self.entries)),
        )

    def entry(self, device: bytes) -> DeviceEntry | None:
        """Give the row of one device, or None when the list does not name it."""
        return next((entry for entry in self.entries if entry.device == device), None)


@dataclass(frozen=True)
class KnownList:
    """The highest list that this client has verified for an account."""

    version: int
    list_hash: bytes


def parse_device_list(data: bytes) -> DeviceList:
    """Read a device list without believing it; ``parse`` or ``suite`` for another shape."""
    sizes = [ID_SIZE, KEY_SIZE, 8, HASH_SIZE, 8, 8, HASH_SIZE, None]
    user, amk_pub, version, prev, time, bk_version, bk_hash, rows = typed_fields(
        data, "devices", sizes
    )
    entries = tuple(DeviceEntry.parse(row) for row in lp_split(rows, MAX_DEVICES))
    ascending([entry.device for entry in entries])
    if not entries or uint(bk_version) == 0:
        raise ParseError("a list names at least one device and a backup key")
    if uint(version) == 0 or (uint(version) == 1) != (prev == NO_HASH):
        raise ParseError("the first list, and only the first, has no predecessor")
    return DeviceList(
        user, amk_pub, uint(version), prev, uint(time), uint(bk_version), bk_hash, entries
    )


def sign_device_list(account: AccountKey, devices: DeviceList) -> SignedDeviceList:
    """Sign a list with the account key it names; ValueError when it names another."""
    if (devices.user, devices.amk_pub) != (account.user, account.public):
        raise ValueError("a list is signed by its own account")
    data = devices.encode()
    return SignedDeviceList(data, sign(account.seed, "devices", h("devices", data)))


def first_device_list(
    account: AccountKey, entries: Sequence[DeviceEntry], *, time: int, bk_pub: bytes
) -> SignedDeviceList:
    """Make version 1 of an account's list; ``time`` in ms, ``bk_pub`` its first backup key."""
    rows = tuple(sorted(entries, key=lambda entry: entry.device))
    content = DeviceList(account.user, account.public, 1, NO_HASH, time, 1, h("bk", bk_pub), rows)
    return sign_device_list(account, content)


def next_device_list(
    account: AccountKey, previous: SignedDeviceList, entries: Sequence[DeviceEntry], *, time: int
) -> SignedDeviceList:
    """Make the successor of a list with these devices; one that is left out is revoked."""
    before = parse_device_list(previous.data)
    rows = tuple(sorted(entries, key=lambda entry: entry.device))
    content = replace(
        before,
        version=before.version + 1,
        prev_list_hash=previous.list_hash,
        time=time,
        entries=rows,
    )
    return sign_device_list(account, content)


def list_with_backup(
    account: AccountKey, newest: SignedDeviceList, bk_pub: bytes, *, time: int
) -> SignedDeviceList:
    """Make the list that names the next backup key; the devices stay as they are."""
    before = parse_device_list(newest.data)
    content = replace(
        before,
        version=before.version + 1,
        prev_list_hash=newest.list_hash,
        time=time,
        bk_version=before.bk_version + 1,
        bk_hash=h("bk", bk_pub),
    )
    return sign_device_list(account, content)


def list_with(
    account: AccountKey, newest: SignedDeviceList, entry: DeviceEntry, *, time: int
) -> SignedDeviceList:
    """Make the list in which a further device enters; the others' entries stay as they are.

    ValueError when the device is in the list already, or the list is full.
    """
    entries = parse_device_list(newest.data).entries
    if len(entries) == MAX_DEVICES or any(row.device == entry.device for row in entries):
        raise ValueError("a list names at most 32 devices, each once")
    return next_device_list(account, newest, [*entries, entry], time=time)


def list_without(
    account: AccountKey, newest: SignedDeviceList, device: bytes, *, time: int
) -> SignedDeviceList:
    """Make the list that revokes a device; ValueError when it is not there, or is the last one."""
    entries = parse_device_list(newest.data).entries
    kept = [row for row in entries if row.device != device]
    if not kept or len(kept) == len(entries):
        raise ValueError("a list that drops one of several devices")
    return next_device_list(account, newest, kept, time=time)


def walk_own_lists(
    lists: Sequence[SignedDeviceList], *, user: bytes, amk_pub: bytes
) -> tuple[DeviceList, ...]:
    """Read every list of the own account, from the first on, each naming its predecessor.

    A device that has nothing yet knows no highest version: it takes no list on trust. Refuses
    ``reference`` when one is missing, and as `accept_device_list` does.
    """
    opened = tuple(verify_device_list(signed, user, amk_pub) for signed in lists)
    if not opened or opened[0].version != 1:
        raise ReferenceMissingError("the first device list of the own account")
    accept_device_list(KnownList(1, lists[0].list_hash), lists, user=user, amk_pub=amk_pub)
    return opened


def verify_device_list(signed: SignedDeviceList, user: bytes, amk_pub: bytes) -> DeviceList:
    """Read a list that must be this account's, in the order of docs/protocol.md §3.3.

    Refuses ``parse``, ``suite``, ``pin_mismatch`` (another account or key) and ``signature``.
    """
    devices = parse_device_list(signed.data)
    if (devices.user, devices.amk_pub) != (user, amk_pub):
        raise PinMismatchError("a device list of another account or key")
    check_public_key(devices.amk_pub)
    verify(devices.amk_pub, "devices", signed.list_hash, signed.sig)
    for entry in devices.entries:
        entry.verify(user, amk_pub)
    return devices


def accept_device_list(
    known: KnownList | None, lists: Sequence[SignedDeviceList], *, user: bytes, amk_pub: bytes
) -> KnownList:
    """Move the highest known list forward along ``lists`` (ascending, the newest last).

    At first contact (``known`` is None) the newest stands for itself. Refuses ``list_rollback``
    for a lower version, ``list_fork`` for a contradiction, ``reference`` for a missing one.
    """
    read = [(verify_device_list(signed, user, amk_pub), signed.list_hash) for signed in lists]
    if known is None:
        newest, newest_hash = read[-1]
        return KnownList(newest.version, newest_hash)
    for devices, list_hash in read:
        known = _step(known, devices, list_hash)
    return known


def _step(known: KnownList, devices: DeviceList, list_hash: bytes) -> KnownList:
    if devices.version < known.version:
        raise ListRollbackError("a device list older than one already verified")
    if devices.version == known.version:
        if list_hash != known.list_hash:
            raise ListForkError("two device lists of one version")
        return known
    if devices.version > known.version + 1:
        raise ReferenceMissingError("a device list in between", list_hash=devices.prev_list_hash)
    if devices.prev_list_hash != known.list_hash:
        raise ListForkError("a device list with another predecessor")
    return KnownList(devices.version, list_hash)
