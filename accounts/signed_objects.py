"""What the server reads of the objects that accounts sign. See docs/protocol.md, sections 3 to 5.

Clients make their own checks of all of this; the server refuses what no client could use.
"""

from dataclasses import dataclass
from uuid import UUID

from accounts.protocol import (
    Malformed,
    ascending,
    digest,
    fixed,
    lp,
    read_lp,
    typed,
    uint,
    verifies,
)

SUITE_FIELD = b"\x01"
NO_HASH = bytes(32)
MAX_DEVICES = 32
PREKEY_LIFE_MS = 8_640_000_000
XWING_PUB = 1216
SEALED = 72
MAX_CREDENTIAL = 1023


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """One device of a list: its id, derived from its key, and its consent to the account."""

    device: UUID
    dsk_pub: bytes
    accept: bytes
    created_ms: int


@dataclass(frozen=True, slots=True)
class DeviceListObject:
    """One signed version of all devices of an account."""

    user: UUID
    amk_pub: bytes
    version: int
    prev_hash: bytes
    bk_version: int
    bk_hash: bytes
    entries: tuple[DeviceEntry, ...]
    list_hash: bytes


@dataclass(frozen=True, slots=True)
class PrekeyObject:
    """A device's public key for wraps; times in milliseconds."""

    user: UUID
    device: UUID
    seq: int
    xw_pub: bytes
    created_ms: int
    expires_ms: int
    prekey_hash: bytes


@dataclass(frozen=True, slots=True)
class ResetObject:
    """Somebody's wish that an account goes on under another account key."""

    user: UUID
    amk_old: bytes
    amk_new: bytes
    reset_id: bytes


@dataclass(frozen=True, slots=True)
class VetoObject:
    """A device's word against one reset."""

    signer: UUID
    reset_id: bytes
    sig: bytes


@dataclass(frozen=True, slots=True)
class RecoveryObject:
    """The part of a recovery blob that is not sealed."""

    user: UUID
    amk_pub: bytes
    version: int
    bk_version: int
    ops: int
    mem_bytes: int
    bk_pub: bytes


@dataclass(frozen=True, slots=True)
class PasskeyObject:
    """The part of a passkey that is not sealed; ``passkey_id`` follows from it."""

    user: UUID
    amk_pub: bytes
    bk_version: int
    credential: bytes
    passkey_id: UUID


def _id(field: bytes) -> UUID:
    return UUID(bytes=fixed(field, 16))


def parse_device_list(body: bytes) -> DeviceListObject:
    """Read a DeviceList (docs/protocol.md 3.3); what is malformed is refused with `Malformed`.

    Checks the form alone. Signatures, derived ids and consent are `list_verifies`.
    """
    user, amk_pub, version, prev_hash, time, bk_version, bk_hash, entries = typed(
        body, "devices", 10
    )
    uint(time, 8)
    number = uint(version, 8)
    if number == 0 or (number == 1) != (fixed(prev_hash, 32) == NO_HASH) or not uint(bk_version, 8):
        raise Malformed("a version and its predecessor do not fit")
    rows = [read_lp(entry, 4) for entry in read_lp(entries)]
    if not 1 <= len(rows) <= MAX_DEVICES:
        raise Malformed("wrong number of devices")
    ascending([fixed(row[0], 16) for row in rows])
    parsed = tuple(
        DeviceEntry(_id(device), fixed(dsk, 32), fixed(accept, 64), uint(created, 8))
        for device, dsk, accept, created in rows
    )
    return DeviceListObject(
        user=_id(user),
        amk_pub=fixed(amk_pub, 32),
        version=number,
        prev_hash=prev_hash,
        bk_version=uint(bk_version, 8),
        bk_hash=fixed(bk_hash, 32),
        entries=parsed,
        list_hash=digest("devices", body),
    )


def list_verifies(device_list: DeviceListObject, signature: bytes) -> bool:
    """Whether the account signed the list, and each device is its own key's and agreed."""
    return verifies(device_list.amk_pub, "devices", device_list.list_hash, signature) and all(
        _entry_verifies(device_list, entry) for entry in device_list.entries
    )


def _entry_verifies(device_list: DeviceListObject, entry: DeviceEntry) -> bool:
    user, device = device_list.user.bytes, entry.device.bytes
    accepted = lp(SUITE_FIELD, user, device_list.amk_pub, device)
    return device == derived_device_id(device_list.user, entry.dsk_pub).bytes and verifies(
        entry.dsk_pub, "device-accept", accepted, entry.accept
    )


def derived_device_id(user: UUID, dsk_pub: bytes) -> UUID:
    """The id that a device's key gives it for this person (docs/protocol.md 3.2)."""
    return UUID(bytes=digest("device-id", lp(user.bytes, dsk_pub))[:16])


def parse_prekey(body: bytes) -> PrekeyObject:
    """Read a Prekey (docs/protocol.md 4); what is malformed is refused with `Malformed`."""
    kind, user, device, seq, xw_pub, created, expires = typed(body, "prekey", 9)
    if uint(kind, 1) != 1 or uint(seq, 8) == 0:
        raise Malformed("wrong kind or sequence number")
    made, ends = uint(created, 8), uint(expires, 8)
    if not made < ends <= made + PREKEY_LIFE_MS:
        raise Malformed("a life that is too short or too long")
    return PrekeyObject(
        user=_id(user),
        device=_id(device),
        seq=uint(seq, 8),
        xw_pub=fixed(xw_pub, XWING_PUB),
        created_ms=made,
        expires_ms=ends,
        prekey_hash=digest("prekey", body),
    )


def parse_recovery(body: bytes) -> RecoveryObject:
    """Read a recovery blob (docs/protocol.md 5.3) with its bounds; else `Malformed`."""
    ctx, check, sealed_rk, sealed_seed, bk_pub = read_lp(body, 5)
    fixed(check, 32), fixed(sealed_rk, SEALED), fixed(sealed_seed, SEALED)
    user, amk_pub, version, bk_version, alg, ops, mem, salt = typed(ctx, "recovery", 10)
    fixed(salt, 16)
    if uint(alg, 1) != 1 or not uint(version, 8) or not uint(bk_version, 8):
        raise Malformed("unknown algorithm or version")
    if not 3 <= uint(ops, 4) <= 16 or not 64 * 2**20 <= uint(mem, 8) <= 2**30:
        raise Malformed("costs out of bounds")
    return RecoveryObject(
        user=_id(user),
        amk_pub=fixed(amk_pub, 32),
        version=uint(version, 8),
        bk_version=uint(bk_version, 8),
        ops=uint(ops, 4),
        mem_bytes=uint(mem, 8),
        bk_pub=fixed(bk_pub, XWING_PUB),
    )


def parse_passkey(body: bytes) -> PasskeyObject:
    """Read a passkey (docs/protocol.md 5.7); what is malformed is refused with `Malformed`."""
    context, sealed = read_lp(body, 2)
    user, amk_pub, bk_version, credential = typed(context, "passkey", 6)
    fixed(sealed, SEALED)
    if not 1 <= len(credential) <= MAX_CREDENTIAL:
        raise Malformed("no credential id")
    name = digest("passkey-id", lp(fixed(user, 16), credential))[:16]
    number = uint(bk_version, 8)
    return PasskeyObject(_id(user), fixed(amk_pub, 32), number, credential, UUID(bytes=name))


def parse_reset(body: bytes) -> ResetObject:
    """Read a reset (docs/protocol.md 3.6); what is malformed is refused with `Malformed`."""
    user, amk_old, amk_new, time, nonce = typed(body, "reset", 7)
    uint(time, 8), fixed(nonce, 32)
    if fixed(amk_old, 32) == fixed(amk_new, 32):
        raise Malformed("the same account key again")
    return ResetObject(_id(user), amk_old, amk_new, digest("reset", body))


def parse_veto(body: bytes) -> VetoObject:
    """Read a veto (docs/protocol.md 3.5); what is malformed is refused with `Malformed`."""
    signer, reset_id, sig = typed(body, "veto", 5)
    return VetoObject(_id(signer), fixed(reset_id, 32), fixed(sig, 64))


def veto_verifies(veto: VetoObject, user: UUID, dsk_pub: bytes) -> bool:
    """Whether this device key signed this veto for this person's account."""
    signed = lp(SUITE_FIELD, user.bytes, veto.reset_id)
    return verifies(dsk_pub, "veto", signed, veto.sig)
