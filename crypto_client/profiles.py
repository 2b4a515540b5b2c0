"""A person's name, signed by one of their devices (docs/protocol.md §3.7)."""

from dataclasses import dataclass

from crypto_client.device_list import DeviceList
from crypto_client.encoding import (
    ID_SIZE,
    KEY_SIZE,
    SUITE_BYTE,
    dump_json,
    lp,
    parse_json,
    typed_fields,
    u64,
    uint,
)
from crypto_client.errors import (
    BodyError,
    ListRollbackError,
    ParseError,
    PinMismatchError,
    SignatureError,
)
from crypto_client.identity import DeviceKeys
from crypto_client.primitives import h, verify

MAX_PROFILE = 4096
MAX_NAME = 256
MAX_STATUS = 1024


@dataclass(frozen=True)
class SignedProfile:
    """A profile as it travels: the bytes as received, and the signature of one device."""

    data: bytes
    device: bytes
    sig: bytes

    @property
    def profile_hash(self) -> bytes:
        """The hash that is signed and remembered."""
        return h("profile", self.data)


@dataclass(frozen=True)
class KnownProfile:
    """The newest profile that this client has verified for an account."""

    version: int
    profile_hash: bytes


@dataclass(frozen=True)
class Profile:
    """A profile that has been read."""

    user: bytes
    amk_pub: bytes
    version: int
    time: int
    name: str
    status: str


def make_profile(
    keys: DeviceKeys, *, version: int, time: int, name: str, status: str = ""
) -> SignedProfile:
    """Sign a profile as this device; ``version`` is one more than the newest known."""
    body = dump_json({"name": name, "status": status})
    data = lp(b"profile", SUITE_BYTE, keys.user, keys.amk_pub, u64(version), u64(time), body)
    parse_profile(data)
    return SignedProfile(data, keys.device, keys.sign("profile", h("profile", data)))


def parse_profile(data: bytes) -> Profile:
    """Read a profile without believing it; ``parse``, ``suite`` or ``body`` for another shape."""
    sizes = [ID_SIZE, KEY_SIZE, 8, 8, None]
    user, amk_pub, version, time, body = typed_fields(data, "profile", sizes)
    if uint(version) == 0 or len(body) > MAX_PROFILE:
        raise ParseError("a profile has a number and at most 4,096 bytes")
    members = parse_json(body)
    if not isinstance(members, dict):
        raise BodyError("a profile is an object")
    name, status = (
        _line(members.get("name"), MAX_NAME),
        _line(members.get("status", ""), MAX_STATUS),
    )
    if not name:
        raise BodyError("a profile has a name")
    return Profile(user, amk_pub, uint(version), uint(time), name, status)


def _line(value: object, maximum: int) -> str:
    if not isinstance(value, str) or len(value.encode("utf-8")) > maximum:
        raise BodyError("a name or status is a string of limited length")
    if any(character < " " or "\x7f" <= character < "\xa0" for character in value):
        raise BodyError("a name or status is one line")
    return value


def accept_profile(
    signed: SignedProfile, devices: DeviceList, known: KnownProfile | None
) -> tuple[Profile, KnownProfile, bool]:
    """Read a profile of the account of ``devices``: (profile, what to remember, is it new).

    Refuses ``parse``, ``suite``, ``body``, ``pin_mismatch``, ``signature`` (not by a listed
    device) and ``list_rollback`` (older than the known one).
    """
    profile = parse_profile(signed.data)
    if (profile.user, profile.amk_pub) != (devices.user, devices.amk_pub):
        raise PinMismatchError("a profile of another account or key")
    entry = devices.entry(signed.device)
    if entry is None:
        raise SignatureError("a profile by a device that the list does not name")
    verify(entry.dsk_pub, "profile", signed.profile_hash, signed.sig)
    # Two devices may write one version at once; the greater hash counts, for every reader alike.
    place = (profile.version, signed.profile_hash)
    if known is not None and place < (known.version, known.profile_hash):
        raise ListRollbackError("a profile older than one already verified")
    changed = known is None or place != (known.version, known.profile_hash)
    return profile, KnownProfile(*place), changed
