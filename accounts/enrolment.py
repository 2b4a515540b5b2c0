"""What a new account brings is checked here: it fits together and is signed, or nothing is kept.

Clients never rely on these; they keep broken keys from being published by mistake.
"""

from dataclasses import dataclass
from uuid import UUID

from nacl.bindings import crypto_core_ed25519_is_valid_point

from accounts.protocol import Malformed, digest, verifies
from accounts.refusals import Refused
from accounts.signed_objects import (
    DeviceListObject,
    PrekeyObject,
    RecoveryObject,
    list_verifies,
    parse_device_list,
    parse_prekey,
    parse_recovery,
)
from accounts.trial import survives_trial

CLOCK_SLACK_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Checked:
    """The three objects of an enrolment, read and found good."""

    device_list: DeviceListObject
    prekey: PrekeyObject
    recovery: RecoveryObject


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The bytes of ``POST /api/me/keys``, as received."""

    account_key: bytes
    device_list: bytes
    list_sig: bytes
    prekey: bytes
    prekey_sig: bytes
    recovery_blob: bytes
    recovery_sig: bytes

    def check(self, user: UUID, now_ms: int) -> Checked:
        """Read and verify everything for this person; ``invalid`` or ``prekey``."""
        if not crypto_core_ed25519_is_valid_point(self.account_key):
            raise refused_member("account_key", "Not a valid signing key.")
        devices = self._check_list(user)
        recovery = check_recovery(self.recovery_blob, self.recovery_sig, devices, 1)
        entry = devices.entries[0]
        prekey = check_prekey(
            self.prekey, self.prekey_sig, user, entry.device, entry.dsk_pub, now_ms
        )
        return Checked(devices, prekey, recovery)

    def _check_list(self, user: UUID) -> DeviceListObject:
        try:
            devices = parse_device_list(self.device_list)
        except Malformed:
            raise refused_member("device_list", "Does not parse.") from None
        if (devices.user, devices.amk_pub) != (user, self.account_key):
            raise refused_member("device_list", "Of another account.")
        if devices.version != 1 or len(devices.entries) != 1:
            raise refused_member("device_list", "Not a first version with one device.")
        if not list_verifies(devices, self.list_sig):
            raise refused_member("list_sig", "Does not verify.")
        return devices


def check_recovery(
    body: bytes, sig: bytes, devices: DeviceListObject, version: int
) -> RecoveryObject:
    """Read and verify a blob of this version that goes with this list; else ``invalid``."""
    try:
        blob = parse_recovery(body)
    except Malformed:
        raise refused_member("recovery_blob", "Does not parse.") from None
    if (blob.user, blob.amk_pub) != (devices.user, devices.amk_pub):
        raise refused_member("recovery_blob", "Of another account.")
    backup = (devices.bk_version, devices.bk_hash)
    if blob.version != version or (blob.bk_version, digest("bk", blob.bk_pub)) != backup:
        raise refused_member("recovery_blob", "Another version or backup key than the list's.")
    if not verifies(devices.amk_pub, "recovery", digest("recovery", body), sig):
        raise refused_member("recovery_sig", "Does not verify.")
    return blob


def check_prekey(
    body: bytes, sig: bytes, user: UUID, device: UUID, dsk_pub: bytes, now_ms: int
) -> PrekeyObject:
    """Read and verify a prekey of this device, with a trial encapsulation; else ``prekey``."""
    try:
        prekey = parse_prekey(body)
    except Malformed:
        raise Refused("prekey") from None
    named = (prekey.user, prekey.device) == (user, device)
    timely = prekey.created_ms <= now_ms + CLOCK_SLACK_MS and now_ms < prekey.expires_ms
    signed = verifies(dsk_pub, "prekey", prekey.prekey_hash, sig)
    if not (named and timely and signed and survives_trial(prekey.xw_pub)):
        raise Refused("prekey")
    return prekey


def refused_member(name: str, why: str) -> Refused:
    """``invalid``, naming the member of the body that is wrong."""
    return Refused("invalid", fields={name: [why]})
