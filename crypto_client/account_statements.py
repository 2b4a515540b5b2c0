"""What devices and account keys say about an account: docs/protocol.md §3.5 and §3.6.

Times of lists are claims of whoever holds the account key, so a reader never judges by them: it
judges by when it first saw each list itself.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crypto_client.device_list import (
    DeviceList,
    SignedDeviceList,
    parse_device_list,
)
from crypto_client.encoding import (
    HASH_SIZE,
    ID_SIZE,
    SIGNATURE_SIZE,
    SUITE_BYTE,
    lp,
    typed_fields,
    u64,
    uint,
)
from crypto_client.errors import DisputeError, ReferenceMissingError
from crypto_client.identity import DeviceEntry, DeviceKeys
from crypto_client.primitives import verify

DISPUTE_MS = 30 * 24 * 3600 * 1000
_SUBJECTS = {
    "suspend": (ID_SIZE, 8),
    "dispute": (HASH_SIZE,),
    "veto": (HASH_SIZE,),
    "erase": (ID_SIZE, ID_SIZE, ID_SIZE),
}


@dataclass(frozen=True)
class SeenList:
    """A verified device list and when (ms, own clock) this reader first saw it."""

    signed: SignedDeviceList
    seen: int

    def read(self) -> DeviceList:
        """Read the list again; it was verified when it was kept."""
        return parse_device_list(self.signed.data)


@dataclass(frozen=True)
class DeviceWord:
    """One device's signed word: ``suspend``, ``dispute``, ``veto`` or ``erase``."""

    kind: str
    signer: bytes
    subject: tuple[bytes, ...]
    sig: bytes

    def encode(self) -> bytes:
        """Write the word as it travels."""
        return lp(self.kind.encode("ascii"), SUITE_BYTE, self.signer, *self.subject, self.sig)

    def verify(self, entry: DeviceEntry, user: bytes) -> None:
        """Check the signature of this device of this account; ``signature`` when it is not."""
        verify(entry.dsk_pub, self.kind, _signed(self.kind, user, self.subject), self.sig)


def _signed(kind: str, user: bytes, subject: Sequence[bytes]) -> bytes:
    # An erase statement names no account: the message's device id already follows from it (§3.2).
    whose = () if kind == "erase" else (user,)
    return lp(SUITE_BYTE, *whose, *subject)


def parse_word(data: bytes, kind: str) -> DeviceWord:
    """Read a word of this kind without believing it; ``parse`` or ``suite`` for another shape."""
    sizes = [ID_SIZE, *_SUBJECTS[kind], SIGNATURE_SIZE]
    signer, *subject, sig = typed_fields(data, kind, sizes)
    return DeviceWord(kind, signer, tuple(subject), sig)


def _say(keys: DeviceKeys, kind: str, *subject: bytes) -> DeviceWord:
    sig = keys.sign(kind, _signed(kind, keys.user, subject))
    return DeviceWord(kind, keys.device, subject, sig)


def make_suspend(keys: DeviceKeys, device: bytes, *, time: int) -> DeviceWord:
    """Ask the server to stop serving a device of the own account, lost or stolen, at once."""
    return _say(keys, "suspend", device, u64(time))


def make_dispute(keys: DeviceKeys, list_hash: bytes) -> DeviceWord:
    """Object to a device list of the own account, or to what followed it."""
    return _say(keys, "dispute", list_hash)


def make_veto(keys: DeviceKeys, reset_id: bytes) -> DeviceWord:
    """Stop one reset of the own account."""
    return _say(keys, "veto", reset_id)


def make_erase(keys: DeviceKeys, room: bytes, device: bytes, msg_id: bytes) -> DeviceWord:
    """Allow the server to drop the sealed bytes of a message of the own account."""
    return _say(keys, "erase", room, device, msg_id)


def _by_listed_device(data: bytes, kind: str, devices: DeviceList) -> DeviceWord:
    word = parse_word(data, kind)
    entry = devices.entry(word.signer)
    if entry is None:
        raise DisputeError(f"a {kind} by a device that the list does not name")
    word.verify(entry, devices.user)
    return word


def check_suspend(data: bytes, devices: DeviceList) -> bytes:
    """Check a suspension against the account's newest list; gives the device that is suspended.

    Refuses ``dispute`` for a signer who is not listed and ``reference`` for an unknown device.
    """
    word = _by_listed_device(data, "suspend", devices)
    device, time = word.subject
    uint(time)
    if devices.entry(device) is None:
        raise ReferenceMissingError("a suspension of a device that the list does not name")
    return device


def check_veto(data: bytes, reset_id: bytes, devices: DeviceList) -> bytes:
    """Check a veto against the newest list under the old key; gives the device that objects.

    Refuses ``reference`` for another reset's veto and ``dispute`` for a signer not listed.
    """
    if parse_word(data, "veto").subject != (reset_id,):
        raise ReferenceMissingError("a veto of another reset")
    return _by_listed_device(data, "veto", devices).signer


def check_erase(
    data: bytes, *, room: bytes, device: bytes, msg_id: bytes, devices: DeviceList
) -> None:
    """Check that the author's account lets this message be erased.

    Refuses ``reference`` for another message's statement and ``dispute`` for another's device.
    """
    if parse_word(data, "erase").subject != (room, device, msg_id):
        raise ReferenceMissingError("an erase statement of another message")
    _by_listed_device(data, "erase", devices)


def check_dispute(data: bytes, lists: Sequence[SeenList], *, now: int) -> int:
    """Check a dispute against the lists seen of an account (ascending); gives the version.

    Refuses ``reference`` for a list that is not among them, and ``dispute`` for a device that was
    neither in the disputed list nor in one that another followed within the last 30 days.
    """
    word = parse_word(data, "dispute")
    hashes = [item.signed.list_hash for item in lists]
    if word.subject[0] not in hashes:
        raise ReferenceMissingError("a dispute of an unknown list", list_hash=word.subject[0])
    at = hashes.index(word.subject[0])
    disputed = lists[at].read()
    recent = [
        earlier.read()
        for earlier, later in itertools.pairwise(lists[: at + 1])
        if later.seen >= now - DISPUTE_MS
    ]
    for devices in (disputed, *recent):
        if (entry := devices.entry(word.signer)) is not None:
            word.verify(entry, disputed.user)
            return disputed.version
    raise DisputeError("a dispute by a device that was not listed lately")


def check_automatic_refresh(version: int, disputed: Iterable[int]) -> None:
    """Refuse, with ``dispute``, an automatic refresh to a disputed list or past it."""
    if any(version >= item for item in disputed):
        raise DisputeError("a refresh to a disputed list")
