"""An account goes on under another account key: reset or succession (docs/protocol.md §3.6)."""

from collections.abc import Sequence
from dataclasses import dataclass

from crypto_client.account_statements import SeenList
from crypto_client.encoding import (
    ID_SIZE,
    KEY_SIZE,
    SIGNATURE_SIZE,
    SUITE_BYTE,
    lp,
    typed_fields,
    u64,
    uint,
)
from crypto_client.errors import (
    ListRollbackError,
    ParseError,
    PinMismatchError,
    ReferenceMissingError,
)
from crypto_client.identity import AccountKey, DeviceKeys
from crypto_client.primitives import Random, check_public_key, h, sign, system_random, verify

RESET_WAIT_MS = 72 * 3600 * 1000
SUCCEED_MS = 7 * 24 * 3600 * 1000
RENEWED, RESET = "renewed", "reset"
WAITING, VETOED, DUE = "waiting", "vetoed", "due"


@dataclass(frozen=True)
class SignedReset:
    """A reset as it travels: the bytes as received, and the new account key's signature."""

    data: bytes
    sig: bytes

    @property
    def reset_id(self) -> bytes:
        """The hash that a veto names it by, 32 bytes."""
        return h("reset", self.data)


@dataclass(frozen=True)
class Reset:
    """A reset that has been read."""

    user: bytes
    amk_old: bytes
    amk_new: bytes
    time: int


def make_reset(
    account: AccountKey, amk_old: bytes, *, time: int, random: Random = system_random
) -> SignedReset:
    """Ask for the account to go on under ``account``, whose old key is lost."""
    new = account.public
    data = lp(b"reset", SUITE_BYTE, account.user, amk_old, new, u64(time), random(32))
    return SignedReset(data, sign(account.seed, "reset", h("reset", data)))


def parse_reset(data: bytes) -> Reset:
    """Read a reset without believing it; ``parse`` or ``suite`` for another shape."""
    sizes = [ID_SIZE, KEY_SIZE, KEY_SIZE, 8, 32]
    who, old, new, time, _ = typed_fields(data, "reset", sizes)
    return Reset(who, old, new, uint(time))


def verify_reset(signed: SignedReset, user: bytes, amk_old: bytes) -> Reset:
    """Read a reset of this account; ``pin_mismatch`` for another, ``signature`` for no owner."""
    reset = parse_reset(signed.data)
    if (reset.user, reset.amk_old) != (user, amk_old):
        raise PinMismatchError("a reset of another account or key")
    _check_new_key(amk_old, reset.amk_new)
    verify(reset.amk_new, "reset", signed.reset_id, signed.sig)
    return reset


def walk_resets(resets: Sequence[SignedReset], *, user: bytes, amk_pub: bytes) -> tuple[Reset, ...]:
    """Read the resets of an account, ascending, that lead to its present key, the last one's.

    Each begins at the key that the one before led to. Refuses ``pin_mismatch`` where they do not
    meet or end at another key, and as `verify_reset` does.
    """
    read: list[Reset] = []
    for signed in resets:
        begins_at = read[-1].amk_new if read else parse_reset(signed.data).amk_old
        read.append(verify_reset(signed, user, begins_at))
    if read and read[-1].amk_new != amk_pub:
        raise PinMismatchError("resets that lead to another account key")
    return tuple(read)


def _check_new_key(old: bytes, new: bytes) -> None:
    if old == new:
        raise ParseError("the same account key again")
    check_public_key(new)


def reset_state(*, announced: int, now: int, has_live_device: bool, vetoed: bool) -> str:
    """Say where a verified reset stands: ``waiting``, ``vetoed`` or ``due``; times in ms.

    ``announced`` is when the devices could know of it, never the time that the reset claims.
    """
    if vetoed:
        return VETOED
    return WAITING if has_live_device and now < announced + RESET_WAIT_MS else DUE


@dataclass(frozen=True)
class Succession:
    """The old account key names its successor; a device of long standing vouches for it."""

    user: bytes
    amk_old: bytes
    amk_new: bytes
    version: int
    sig: bytes
    device: bytes
    device_sig: bytes

    def signed_content(self) -> bytes:
        """Write what the old account key and the device sign."""
        return lp(SUITE_BYTE, self.user, self.amk_new, u64(self.version))

    def encode(self) -> bytes:
        """Write the succession as it travels."""
        return lp(
            b"succession",
            SUITE_BYTE,
            self.user,
            self.amk_old,
            self.amk_new,
            u64(self.version),
            self.sig,
            self.device,
            self.device_sig,
        )


def make_succession(
    account: AccountKey, keys: DeviceKeys | None, amk_new: bytes, *, version: int
) -> Succession:
    """Sign the successor of ``account``; ``version`` is that of its newest device list."""
    content = lp(SUITE_BYTE, account.user, amk_new, u64(version))
    sig = sign(account.seed, "succeed", content)
    device, device_sig = b"", b""
    if keys is not None:
        device, device_sig = keys.device, keys.sign("succeed-device", content)
    return Succession(account.user, account.public, amk_new, version, sig, device, device_sig)


def parse_succession(data: bytes) -> Succession:
    """Read a succession without believing it; ``parse`` or ``suite`` for another shape."""
    sizes = [ID_SIZE, KEY_SIZE, KEY_SIZE, 8, SIGNATURE_SIZE, None, None]
    user, old, new, version, sig, device, device_sig = typed_fields(data, "succession", sizes)
    if (len(device), len(device_sig)) not in ((0, 0), (ID_SIZE, SIGNATURE_SIZE)):
        raise ParseError("a succession is vouched for by one device or by none")
    return Succession(user, old, new, uint(version), sig, device, device_sig)


def judge_succession(
    data: bytes, lists: Sequence[SeenList], *, user: bytes, amk_old: bytes, now: int
) -> str:
    """Say what a succession of a pinned account is: ``renewed`` by its owner, or a ``reset``.

    ``lists`` are those seen under the old key, ascending. Refuses ``pin_mismatch``,
    ``list_rollback`` (an older list than the newest is named), ``reference`` (a newer one) and
    ``signature``.
    """
    succession = parse_succession(data)
    if (succession.user, succession.amk_old) != (user, amk_old):
        raise PinMismatchError("a succession of another account or key")
    _check_new_key(amk_old, succession.amk_new)
    verify(amk_old, "succeed", succession.signed_content(), succession.sig)
    newest = lists[-1].read()
    if succession.version < newest.version:
        raise ListRollbackError("a succession from an older list")
    if succession.version > newest.version:
        raise ReferenceMissingError("a succession from a list that is not at hand")
    entry = newest.entry(succession.device)
    if entry is None:
        return RESET
    content = succession.signed_content()
    verify(entry.dsk_pub, "succeed-device", content, succession.device_sig)
    return RENEWED if _listed_since(lists, succession.device) <= now - SUCCEED_MS else RESET


def _listed_since(lists: Sequence[SeenList], device: bytes) -> int:
    since = lists[-1].seen
    for item in reversed(lists):
        if item.read().entry(device) is None:
            break
        since = item.seen
    return since
