"""Who signs: the account key, the device key, and the proof of being a device (protocol.md §3)."""

import re
from dataclasses import dataclass, field

from crypto_client.encoding import (
    ID_SIZE,
    KEY_SIZE,
    SIGNATURE_SIZE,
    SUITE_BYTE,
    lp,
    lp_fields,
    u64,
    uint,
)
from crypto_client.errors import ParseError, SignatureError
from crypto_client.primitives import (
    Random,
    check_public_key,
    h,
    public_key,
    sign,
    system_random,
    verify,
)

_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+:[0-9]{1,5}\Z", re.ASCII)


@dataclass(frozen=True)
class AccountKey:
    """An account's long-lived signing key; in memory only for the signatures that need it."""

    user: bytes
    seed: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        """The AMK_pub that others pin, 32 bytes."""
        return public_key(self.seed)


@dataclass(frozen=True)
class DeviceKeys:
    """One device's signing key and its place in an account."""

    user: bytes
    amk_pub: bytes
    device: bytes
    dsk_pub: bytes
    dsk_seed: bytes = field(repr=False)
    accept: bytes
    created: int

    def sign(self, label: str, data: bytes) -> bytes:
        """Sign under a label as this device."""
        return sign(self.dsk_seed, label, data)

    def entry(self) -> "DeviceEntry":
        """Give the row that the account's device list holds for this device."""
        return DeviceEntry(self.device, self.dsk_pub, self.accept, self.created)


@dataclass(frozen=True)
class DeviceEntry:
    """One row of a device list."""

    device: bytes
    dsk_pub: bytes
    accept: bytes
    created: int

    def encode(self) -> bytes:
        """Write ``entry`` of docs/protocol.md §3.2."""
        return lp(self.device, self.dsk_pub, self.accept, u64(self.created))

    @staticmethod
    def parse(data: bytes) -> "DeviceEntry":
        """Read an entry; ``parse`` for another shape."""
        fields = lp_fields(data, [ID_SIZE, KEY_SIZE, SIGNATURE_SIZE, 8])
        return DeviceEntry(fields[0], fields[1], fields[2], uint(fields[3]))

    def verify(self, user: bytes, amk_pub: bytes) -> None:
        """Check that this device is this account's: derived id, key, accept; ``signature``."""
        check_public_key(self.dsk_pub)
        if self.device != device_id(user, self.dsk_pub):
            raise SignatureError("a device id that is not the derived one")
        verify(
            self.dsk_pub, "device-accept", lp(SUITE_BYTE, user, amk_pub, self.device), self.accept
        )


def new_account(user: bytes, random: Random = system_random) -> AccountKey:
    """Make an account key for a 16-byte user id."""
    return AccountKey(user, random(KEY_SIZE))


def device_id(user: bytes, dsk_pub: bytes) -> bytes:
    """Derive the 16-byte device id, so that nobody can choose another's (protocol.md §3.2)."""
    return h("device-id", lp(user, dsk_pub))[:ID_SIZE]


def new_device(
    user: bytes, amk_pub: bytes, created: int, random: Random = system_random
) -> DeviceKeys:
    """Make a device key that agrees to belong to this account; ``created`` in ms."""
    seed = random(KEY_SIZE)
    public = public_key(seed)
    device = device_id(user, public)
    accept = sign(seed, "device-accept", lp(SUITE_BYTE, user, amk_pub, device))
    return DeviceKeys(user, amk_pub, device, public, seed, accept, created)


def _proof_content(origin: str, nonce: bytes, user: bytes, device: bytes) -> bytes:
    if not _ORIGIN.match(origin) or len(nonce) != 32:
        raise ParseError(
            "an origin names scheme, host and port in lower case; a nonce has 32 bytes"
        )
    return lp(SUITE_BYTE, origin.encode("ascii"), nonce, user, device)


def device_proof(keys: DeviceKeys, origin: str, nonce: bytes) -> bytes:
    """Sign a server's 32-byte nonce: this connection is this device (protocol.md §3.4).

    ``origin`` always names its port: ``https://chat.example:443``; else ``parse``.
    """
    return keys.sign("auth", _proof_content(origin, nonce, keys.user, keys.device))


def verify_device_proof(
    proof: bytes, dsk_pub: bytes, *, origin: str, nonce: bytes, user: bytes, device: bytes
) -> None:
    """Check a device proof as the server does; ``signature`` when it is not this device's."""
    verify(dsk_pub, "auth", _proof_content(origin, nonce, user, device), proof)
