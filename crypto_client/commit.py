"""A commit as bytes: core, state, prekey list, wraps (docs/protocol.md §6.4, §7, §7.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from crypto_client import xwing
from crypto_client.encoding import (
    HASH_SIZE,
    ID_SIZE,
    KEY_SIZE,
    SUITE_BYTE,
    TITLE_BUCKETS,
    ascending,
    dump_json,
    lp,
    lp_fields,
    lp_split,
    pad,
    parse_json,
    typed_fields,
    u8,
    u32,
    u64,
    uint,
    unpad,
)
from crypto_client.errors import AeadError, BodyError, EpochUnusableError, ParseError
from crypto_client.primitives import TAG_SIZE, ZERO_NONCE, aead_open, aead_seal, h, kdf
from crypto_client.roster import KIND_DIRECT, KIND_GROUP

HISTORY_OFF, HISTORY_FROM_JOIN = 0, 1
ADD_BY_ADMINS, ADD_BY_MEMBERS = 0, 1
WRAP_SIZE = xwing.CIPHERTEXT_SIZE + KEY_SIZE + TAG_SIZE
NO_PREKEY = bytes(HASH_SIZE)


@dataclass(frozen=True)
class Commit:
    """A commit as it travels: opaque byte strings, and the wraps by device (perhaps only ours)."""

    core: bytes
    tag: bytes
    sig: bytes
    ops: bytes
    state: bytes
    prekeys: bytes
    wraps: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def core_hash(self) -> bytes:
        """What wraps and the tag are bound to."""
        return h("core", self.core)

    @property
    def hash(self) -> bytes:
        """The commit's name in the chain, in messages and in the log."""
        return h("commit", lp(self.core, self.tag))


@dataclass(frozen=True)
class Core:
    """The signed heart of a commit."""

    room: bytes
    epoch: int
    prev_hash: bytes
    roster_hash: bytes
    ops_hash: bytes
    state_hash: bytes
    prekeys_hash: bytes
    committer_user: bytes
    committer_device: bytes
    time: int

    def encode(self) -> bytes:
        """Write ``core`` of docs/protocol.md §7."""
        return lp(
            b"commit",
            SUITE_BYTE,
            self.room,
            u64(self.epoch),
            self.prev_hash,
            self.roster_hash,
            self.ops_hash,
            self.state_hash,
            self.prekeys_hash,
            self.committer_user,
            self.committer_device,
            u64(self.time),
        )


def parse_core(data: bytes) -> Core:
    """Read a core; ``parse`` or ``suite`` for another shape."""
    sizes = [ID_SIZE, 8, *[HASH_SIZE] * 5, ID_SIZE, ID_SIZE, 8]
    room, epoch, prev, roster, ops, state, prekeys, user, device, time = typed_fields(
        data, "commit", sizes
    )
    return Core(room, uint(epoch), prev, roster, ops, state, prekeys, user, device, uint(time))


@dataclass(frozen=True)
class ClearState:
    """What the server may know about a room."""

    kind: int
    history_policy: int = HISTORY_FROM_JOIN
    add_policy: int = ADD_BY_ADMINS
    ttl_seconds: int = 0

    def encode(self, sealed: bytes) -> bytes:
        """Write ``state`` of docs/protocol.md §6.4 around the sealed title."""
        return lp(
            u8(self.kind),
            u8(self.history_policy),
            u8(self.add_policy),
            u32(self.ttl_seconds),
            sealed,
        )


def parse_state(data: bytes) -> tuple[ClearState, bytes]:
    """Read a state: (clear fields, sealed title); ``parse`` for values this version lacks."""
    kind, history, add, ttl, sealed = lp_fields(data, [1, 1, 1, 4, None])
    clear = ClearState(uint(kind), uint(history), uint(add), uint(ttl))
    known = (
        clear.kind in (KIND_GROUP, KIND_DIRECT)
        and clear.history_policy in (HISTORY_OFF, HISTORY_FROM_JOIN)
        and clear.add_policy in (ADD_BY_ADMINS, ADD_BY_MEMBERS)
        and clear.ttl_seconds == 0
    )
    if not known:
        raise ParseError("a state that this version does not know")
    return clear, sealed


def _title_key(secret: bytes, room: bytes, epoch: int) -> bytes:
    return kdf(secret, "state", lp(room, u64(epoch)))


def seal_title(secret: bytes, room: bytes, epoch: int, prev_hash: bytes, title: str) -> bytes:
    """Seal a room's title under an epoch secret; ``body`` when it is longer than 1,020 bytes."""
    padded = pad(dump_json({"title": title}), TITLE_BUCKETS)
    ad = lp(room, u64(epoch), prev_hash)
    return aead_seal(_title_key(secret, room, epoch), ZERO_NONCE, padded, ad)


def open_title(secret: bytes, core: Core, sealed: bytes) -> str:
    """Open a room's title; ``aead`` or ``body`` when it is not one."""
    ad = lp(core.room, u64(core.epoch), core.prev_hash)
    padded = aead_open(_title_key(secret, core.room, core.epoch), ZERO_NONCE, sealed, ad)
    content = parse_json(unpad(padded, TITLE_BUCKETS))
    title = content.get("title") if isinstance(content, dict) else None
    if not isinstance(title, str):
        raise BodyError("not a title")
    return title


def title_after(known: str | None, said: str, *, is_first: bool, changes: bool) -> str | None:
    """What a room is called after a commit that seals ``said`` (§6.4); None while nobody told.

    ``changes``: it has a ``state`` operation. After the first commit an empty title says that its
    committer does not know it, as a device does not that came in without the room's past.
    """
    if is_first:
        return said
    if said and (changes or known is None):
        return said
    return known


@dataclass(frozen=True)
class PrekeyRow:
    """Which prekey a device's wrap was made for; ``seq`` 0 when it got none."""

    device: bytes
    seq: int
    prekey_hash: bytes

    def encode(self) -> bytes:
        """Write one row of ``prekeys``."""
        return lp(self.device, u64(self.seq), self.prekey_hash)


def encode_prekeys(rows: Sequence[PrekeyRow]) -> bytes:
    """Write the prekey list of a commit, ascending by device."""
    return lp(*(row.encode() for row in sorted(rows, key=lambda row: row.device)))


def parse_prekeys(data: bytes) -> tuple[PrekeyRow, ...]:
    """Read the prekey list of a commit; ``parse`` for another shape or order."""
    rows = []
    for item in lp_split(data):
        device, seq, prekey_hash = lp_fields(item, [ID_SIZE, 8, HASH_SIZE])
        rows.append(PrekeyRow(device, uint(seq), prekey_hash))
    ascending([row.device for row in rows])
    if any((row.seq == 0) != (row.prekey_hash == NO_PREKEY) for row in rows):
        raise ParseError("a prekey row that is half empty")
    return tuple(rows)


def prekey_floors(prekeys: bytes) -> dict[bytes, int]:
    """Give, for each device, the number below which its prekey must not fall."""
    return {row.device: row.seq for row in parse_prekeys(prekeys)}


def confirm_tag(secret: bytes, core_hash: bytes) -> bytes:
    """Make the tag by which all readers of one commit share one secret."""
    return kdf(kdf(secret, "confirm"), "tag", core_hash)


def _wrap_ad(core_hash: bytes, user: bytes, device: bytes, prekey_hash: bytes) -> bytes:
    return lp(core_hash, user, device, prekey_hash)


def seal_wrap(
    secret: bytes,
    encapsulated: tuple[bytes, bytes],
    *,
    core_hash: bytes,
    user: bytes,
    device: bytes,
    prekey_hash: bytes,
) -> bytes:
    """Wrap an epoch secret for one device with an X-Wing (ciphertext, shared secret)."""
    ciphertext, shared = encapsulated
    ad = _wrap_ad(core_hash, user, device, prekey_hash)
    return ciphertext + aead_seal(kdf(shared, "wrap", ad), ZERO_NONCE, secret, ad)


def open_wrap(
    wrap: bytes, seed: bytes, *, core_hash: bytes, user: bytes, device: bytes, prekey_hash: bytes
) -> bytes:
    """Unwrap an epoch secret with a prekey's seed; ``epoch_unusable`` whatever goes wrong."""
    if len(wrap) != WRAP_SIZE:
        raise EpochUnusableError("a wrap has 1168 bytes")
    ad = _wrap_ad(core_hash, user, device, prekey_hash)
    try:
        shared = xwing.decapsulate(seed, wrap[: xwing.CIPHERTEXT_SIZE])
        key = kdf(shared, "wrap", ad)
        return aead_open(key, ZERO_NONCE, wrap[xwing.CIPHERTEXT_SIZE :], ad)
    except (xwing.XWingError, AeadError):
        raise EpochUnusableError("a wrap does not open") from None


class EpochSource(Protocol):
    """Where a device gets an epoch's secret from: the seam for another key agreement."""

    @property
    def user(self) -> bytes:
        """The own account."""

    @property
    def device(self) -> bytes:
        """The own device."""

    def secret(self, commit: Commit) -> bytes:
        """Give the 32-byte epoch secret of a commit; ``epoch_unusable`` when it cannot."""


@dataclass(frozen=True)
class PrekeySource:
    """Epoch secrets from wraps: ``seeds`` maps the hash of each own prekey to its secret seed."""

    user: bytes
    device: bytes
    seeds: Mapping[bytes, bytes] = field(repr=False)

    def secret(self, commit: Commit) -> bytes:
        """Try the own prekeys on the own wrap; the associated data says which one was meant."""
        wrap = commit.wraps.get(self.device)
        if wrap is None:
            raise EpochUnusableError("no wrap for this device")
        for prekey_hash, seed in self.seeds.items():
            try:
                return open_wrap(
                    wrap,
                    seed,
                    core_hash=commit.core_hash,
                    user=self.user,
                    device=self.device,
                    prekey_hash=prekey_hash,
                )
            except EpochUnusableError:
                continue
        raise EpochUnusableError("no own prekey opens the wrap")


@dataclass(frozen=True)
class HistorySource:
    """Epoch secrets from opened history records: ``secrets`` maps a commit hash to its secret."""

    user: bytes
    device: bytes
    secrets: Mapping[bytes, bytes] = field(repr=False)

    def secret(self, commit: Commit) -> bytes:
        """Look the commit up; the reader still compares the secret with the commit's tag."""
        if commit.hash not in self.secrets:
            raise EpochUnusableError("no history record for this epoch")
        return self.secrets[commit.hash]
