"""A further device enters an account by a code on its screen (docs/protocol.md §3.8).

Both sides are states that every step replaces: there is no way back into a state that failed, and
a state that gave up holds nothing that could be used.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from crypto_client import xwing
from crypto_client.device_list import (
    MAX_DEVICES,
    DeviceList,
    SignedDeviceList,
    next_device_list,
    parse_device_list,
    verify_device_list,
)
from crypto_client.encoding import (
    HASH_SIZE,
    ID_SIZE,
    KEY_SIZE,
    SIGNATURE_SIZE,
    SUITE_BYTE,
    ascending,
    lp,
    lp_fields,
    lp_split,
    typed_fields,
    u64,
    uint,
)
from crypto_client.errors import LinkError, ParseError, ProtocolError
from crypto_client.identity import AccountKey, DeviceEntry, DeviceKeys, device_id, new_device
from crypto_client.primitives import (
    ZERO_NONCE,
    Random,
    aead_open,
    aead_seal,
    h,
    kdf,
    system_random,
)

LINK_MS = 5 * 60 * 1000
MAX_PINS = 10_000
MAX_HEAD = 1024


@dataclass(frozen=True)
class LinkCode:
    """What the new device shows: never sent to the server, since psk is in it."""

    data: bytes = field(repr=False)
    origin: bytes
    user: bytes
    amk_pub: bytes
    dsk_pub: bytes
    accept: bytes
    xw_hash: bytes
    psk: bytes = field(repr=False)

    @property
    def code_hash(self) -> bytes:
        """The hash by which a code that was used is known again."""
        return h("qr", self.data)

    @property
    def device(self) -> bytes:
        """The id that the new device will have."""
        return device_id(self.user, self.dsk_pub)


@dataclass(frozen=True)
class Pin:
    """A contact's account key and the highest device list verified for it."""

    user: bytes
    amk_pub: bytes
    version: int
    list_hash: bytes


@dataclass(frozen=True)
class Waiting:
    """The new device shows its code; ``made`` in ms."""

    keys: DeviceKeys
    code: LinkCode
    xw_seed: bytes = field(repr=False)
    made: int

    @property
    def xw_pub(self) -> bytes:
        """The one-use key that the old device fetches through the server, 1216 bytes."""
        return xwing.public_of(self.xw_seed)


@dataclass(frozen=True)
class Linked:
    """The new device is in the list; what the old one told it."""

    keys: DeviceKeys
    devices: SignedDeviceList
    head: bytes
    pins: tuple[Pin, ...]
    backup_seed: bytes = field(repr=False)


@dataclass(frozen=True)
class Asking:
    """The old device has read a code and asks its owner; ``read`` in ms."""

    code: LinkCode
    xw_pub: bytes
    read: int


@dataclass(frozen=True)
class Answered:
    """The old device's list to publish and its answer for the new one."""

    devices: SignedDeviceList
    answer: bytes


@dataclass(frozen=True)
class GaveUp:
    """A side that failed, and by which outcome; nothing else is left."""

    outcome: str
    why: str


def _given_up(error: ProtocolError) -> GaveUp:
    return GaveUp(error.outcome, str(error))


def _require(condition: object, why: str) -> None:
    if not condition:
        raise LinkError(why)


def begin_link(
    user: bytes, amk_pub: bytes, origin: str, *, now: int, random: Random = system_random
) -> Waiting:
    """Begin as the new device; user and AMK_pub are what the server claims."""
    keys = new_device(user, amk_pub, now, random)
    seed, psk = random(xwing.SEED_SIZE), random(KEY_SIZE)
    xw_hash = h("link-xw", xwing.public_of(seed))
    fields = (origin.encode("ascii"), user, amk_pub, keys.dsk_pub, keys.accept, xw_hash, psk)
    return Waiting(keys, parse_code(lp(b"link", SUITE_BYTE, *fields)), seed, now)


def parse_code(data: bytes) -> LinkCode:
    """Read a code without believing it; ``parse`` or ``suite`` for another shape."""
    sizes = [None, ID_SIZE, KEY_SIZE, KEY_SIZE, SIGNATURE_SIZE, HASH_SIZE, KEY_SIZE]
    return LinkCode(data, *typed_fields(data, "link", sizes))


def scan_code(
    data: bytes,
    xw_pub: bytes,
    *,
    own: tuple[bytes, bytes],
    origin: str,
    used: Container[bytes],
    now: int,
) -> Asking | GaveUp:
    """Read a code as the old device of the account ``own`` (user, AMK_pub)."""
    try:
        code = parse_code(data)
        _check_code(code, xw_pub, own, origin)
        _require(code.code_hash not in used, "a code that was read before")
    except ProtocolError as error:
        return _given_up(error)
    return Asking(code, xw_pub, now)


def _check_code(code: LinkCode, xw_pub: bytes, own: tuple[bytes, bytes], origin: str) -> None:
    _require(code.origin == origin.encode("ascii"), "a code of another server")
    _require((code.user, code.amk_pub) == own, "a code of another account or key")
    try:
        DeviceEntry(code.device, code.dsk_pub, code.accept, 0).verify(code.user, code.amk_pub)
    except ProtocolError:
        raise LinkError("a device that did not agree to be this account's") from None
    _require(code.xw_hash == h("link-xw", xw_pub), "another key than the code names")


def answer_code(
    state: Asking | Answered | GaveUp,
    account: AccountKey,
    previous: SignedDeviceList,
    *,
    head: bytes,
    pins: Sequence[Pin],
    backup_seed: bytes,
    now: int,
    random: Random = system_random,
) -> Answered | GaveUp:
    """List the new device, after its owner has agreed and opened the account key.

    ``backup_seed`` is empty when the new device is not to read old rooms; RK is never sent.
    """
    try:
        if not isinstance(state, Asking):
            raise LinkError("nothing is being asked")
        _require(0 <= now - state.read <= LINK_MS, "a code that is too old")
        devices = _list_with(state.code, account, previous, now)
        payload = _encode_payload(devices, head, pins, backup_seed)
        return Answered(devices, _seal(state, payload, random))
    except ProtocolError as error:
        return _given_up(error)


def _list_with(
    code: LinkCode, account: AccountKey, previous: SignedDeviceList, now: int
) -> SignedDeviceList:
    before = parse_device_list(previous.data)
    named = {(code.user, code.amk_pub), (before.user, before.amk_pub)}
    _require(named == {(account.user, account.public)}, "a code of another account")
    _require(before.entry(code.device) is None, "a device that is listed already")
    _require(len(before.entries) < MAX_DEVICES, "an account with too many devices")
    entry = DeviceEntry(code.device, code.dsk_pub, code.accept, now)
    return next_device_list(account, previous, [*before.entries, entry], time=now)


def _encode_payload(
    devices: SignedDeviceList, head: bytes, pins: Sequence[Pin], backup_seed: bytes
) -> bytes:
    rows = [
        lp(pin.user, pin.amk_pub, u64(pin.version), pin.list_hash)
        for pin in sorted(pins, key=lambda pin: pin.user)
    ]
    return lp(devices.data, devices.sig, head, lp(*rows), backup_seed)


def _seal(state: Asking, payload: bytes, random: Random) -> bytes:
    try:
        ciphertext, shared = xwing.encapsulate(state.xw_pub, random)
    except xwing.XWingError as error:
        raise LinkError(str(error)) from None
    return ciphertext + aead_seal(_answer_key(shared, state.code), ZERO_NONCE, payload, b"")


def _answer_key(shared: bytes, code: LinkCode) -> bytes:
    # psk proves that the answer comes from who saw the screen; the hash binds it to this one code.
    return kdf(shared, "link", lp(code.psk, code.code_hash))


def finish_link(state: Waiting | Linked | GaveUp, answer: bytes, *, now: int) -> Linked | GaveUp:
    """Take an answer as the new device; whatever is wrong ends this attempt for good."""
    try:
        if not isinstance(state, Waiting):
            raise LinkError("nothing is awaited")
        _require(0 <= now - state.made <= LINK_MS, "a code that is too old")
        return _read_payload(state, _open(state, answer))
    except ProtocolError as error:
        return GaveUp(LinkError.outcome, str(error))


def _open(state: Waiting, answer: bytes) -> bytes:
    try:
        shared = xwing.decapsulate(state.xw_seed, answer[: xwing.CIPHERTEXT_SIZE])
    except xwing.XWingError as error:
        raise LinkError(str(error)) from None
    sealed = answer[xwing.CIPHERTEXT_SIZE :]
    return aead_open(_answer_key(shared, state.code), ZERO_NONCE, sealed, b"")


def _read_payload(state: Waiting, payload: bytes) -> Linked:
    data, sig, head, rows, seed = lp_fields(payload, [None, SIGNATURE_SIZE, None, None, None])
    _require(len(head) <= MAX_HEAD, "a head that is too long")
    signed = SignedDeviceList(data, sig)
    devices = verify_device_list(signed, state.code.user, state.code.amk_pub)
    entry = devices.entry(state.keys.device)
    _require(entry and entry.dsk_pub == state.keys.dsk_pub, "a list without this device")
    _require(not seed or _is_backup_seed(seed, devices), "another backup key than the list's")
    return Linked(state.keys, signed, head, _parse_pins(rows), seed)


def _is_backup_seed(seed: bytes, devices: DeviceList) -> bool:
    return len(seed) == xwing.SEED_SIZE and h("bk", xwing.public_of(seed)) == devices.bk_hash


def _parse_pins(data: bytes) -> tuple[Pin, ...]:
    rows = [lp_fields(row, [ID_SIZE, KEY_SIZE, 8, HASH_SIZE]) for row in lp_split(data, MAX_PINS)]
    ascending([row[0] for row in rows])
    pins = tuple(Pin(user, amk_pub, uint(version), hash_) for user, amk_pub, version, hash_ in rows)
    if any(pin.version == 0 for pin in pins):
        raise ParseError("a list has a version from 1 on")
    return pins
