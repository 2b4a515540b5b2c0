"""The signed public keys that epoch secrets are wrapped to (docs/protocol.md §4)."""

from dataclasses import dataclass

from crypto_client import xwing
from crypto_client.encoding import ID_SIZE, SUITE_BYTE, lp, typed_fields, u8, u64, uint
from crypto_client.errors import PrekeyError
from crypto_client.identity import DeviceEntry, DeviceKeys
from crypto_client.primitives import Random, h, system_random, verify

LIFETIME_MS = 100 * 24 * 3600 * 1000
CLOCK_SLACK_MS = 24 * 3600 * 1000
KIND_PREKEY = 1


@dataclass(frozen=True)
class SignedPrekey:
    """A prekey as it travels: the bytes as received, and the device's signature."""

    data: bytes
    sig: bytes

    @property
    def prekey_hash(self) -> bytes:
        """The hash that a commit names it by."""
        return h("prekey", self.data)


@dataclass(frozen=True)
class Prekey:
    """A prekey that has been read; times in ms."""

    kind: int
    user: bytes
    device: bytes
    seq: int
    public: bytes
    created: int
    expires: int

    def encode(self) -> bytes:
        """Write the bytes that are hashed and signed."""
        return lp(
            b"prekey",
            SUITE_BYTE,
            u8(self.kind),
            self.user,
            self.device,
            u64(self.seq),
            self.public,
            u64(self.created),
            u64(self.expires),
        )


def new_prekey(
    keys: DeviceKeys, *, seq: int, created: int, random: Random = system_random
) -> tuple[bytes, SignedPrekey]:
    """Make a prekey with this number: (its 32-byte secret seed, the signed public half)."""
    seed = random(xwing.SEED_SIZE)
    public = xwing.public_of(seed)
    content = Prekey(
        KIND_PREKEY, keys.user, keys.device, seq, public, created, created + LIFETIME_MS
    )
    return seed, sign_prekey(keys, content)


def sign_prekey(keys: DeviceKeys, content: Prekey) -> SignedPrekey:
    """Sign a prekey as its device."""
    data = content.encode()
    return SignedPrekey(data, keys.sign("prekey", h("prekey", data)))


def parse_prekey(data: bytes) -> Prekey:
    """Read a prekey without believing it; ``parse`` or ``suite`` for another shape."""
    kind, user, device, seq, public, created, expires = typed_fields(
        data, "prekey", [1, ID_SIZE, ID_SIZE, 8, xwing.PUBLIC_SIZE, 8, 8]
    )
    return Prekey(uint(kind), user, device, uint(seq), public, uint(created), uint(expires))


def verify_prekey(
    signed: SignedPrekey,
    *,
    user: bytes,
    entry: DeviceEntry,
    now: int,
    seq_floor: int = 0,
    trial: bool = True,
) -> Prekey:
    """Check that a prekey is this device's, valid ``now`` (ms) and not below a known number.

    Refuses ``prekey`` for everything that makes it unfit and ``signature`` for another signer.
    """
    prekey = parse_prekey(signed.data)
    if prekey.kind != KIND_PREKEY or (prekey.user, prekey.device) != (user, entry.device):
        raise PrekeyError("a prekey of another kind or device")
    if prekey.seq == 0 or prekey.seq < seq_floor:
        raise PrekeyError("a prekey number that fell")
    if not prekey.created < prekey.expires <= prekey.created + LIFETIME_MS:
        raise PrekeyError("a prekey with a wrong lifetime")
    if now > prekey.expires + CLOCK_SLACK_MS:
        raise PrekeyError("an expired prekey")
    verify(entry.dsk_pub, "prekey", signed.prekey_hash, signed.sig)
    if trial:
        try_prekey(prekey)
    return prekey


def try_prekey(prekey: Prekey, random: Random = system_random) -> tuple[bytes, bytes]:
    """Encapsulate to a prekey: (ciphertext, shared secret); ``prekey`` when its key is unfit."""
    try:
        return xwing.encapsulate(prekey.public, random)
    except xwing.XWingError as error:
        raise PrekeyError(str(error)) from None
