"""Builds what an honest client never makes: commits and messages with one thing wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crypto_client import xwing
from crypto_client.commit import (
    ClearState,
    Commit,
    Core,
    PrekeyRow,
    confirm_tag,
    encode_prekeys,
    seal_title,
    seal_wrap,
)
from crypto_client.device_list import SignedDeviceList
from crypto_client.encoding import lp
from crypto_client.envelope import Pre, commitment
from crypto_client.epoch import RoomView
from crypto_client.identity import DeviceKeys
from crypto_client.ops import Create, Op, apply_ops, encode_ops
from crypto_client.prekeys import parse_prekey
from crypto_client.primitives import aead_seal, h
from crypto_client.ratchet import EpochState, message_key
from crypto_client.roster import Roster, roster_hash
from crypto_client.vectors.cast import NOW, Person, seeded


@dataclass(frozen=True)
class Forgery:
    """A commit's parts; whatever is left out is what an honest committer would put there."""

    view: RoomView | None
    by: DeviceKeys
    ops: Sequence[Op] = ()
    to: Sequence[Person] = ()
    roster: Roster | None = None
    clear: ClearState | None = None
    title: str = "garden"
    ops_bytes: bytes | None = None
    sealed_epoch: int | None = None
    core: Mapping[str, Any] = field(default_factory=dict)
    seed: str = "forged"

    def make(self) -> Commit:
        """Build the commit, correctly hashed, tagged, signed and wrapped."""
        secret = seeded(self.seed)(32)
        place = self._place()
        state = self._state(secret, place)
        ops = encode_ops(self.ops) if self.ops_bytes is None else self.ops_bytes
        rows = [(p, PrekeyRow(p.keys.device, 1, p.prekey.prekey_hash)) for p in self.to]
        prekeys = encode_prekeys([row for _, row in rows])
        values: dict[str, Any] = {
            "room": place[0],
            "epoch": place[1],
            "prev_hash": place[2],
            "roster_hash": roster_hash(self._roster()),
            "ops_hash": h("ops", ops),
            "state_hash": h("state", state),
            "prekeys_hash": h("prekeys", prekeys),
            "committer_user": self.by.user,
            "committer_device": self.by.device,
            "time": NOW,
        }
        core = Core(**{**values, **self.core}).encode()
        core_hash = h("core", core)
        unsigned = Commit(core, confirm_tag(secret, core_hash), b"", ops, state, prekeys)
        wraps = {p.keys.device: _wrap(p, secret, core_hash) for p in self.to}
        return replace(unsigned, sig=self.by.sign("commit", unsigned.hash), wraps=wraps)

    def _roster(self) -> Roster:
        if self.roster is not None:
            return self.roster
        return apply_ops(None if self.view is None else self.view.roster, self.ops)

    def _place(self) -> tuple[bytes, int, bytes]:
        if self.view is not None:
            return self.view.room, self.view.epoch + 1, self.view.head
        origin = next(op.origin for op in self.ops if isinstance(op, Create))
        return origin.room, 0, origin.head

    def _state(self, secret: bytes, place: tuple[bytes, int, bytes]) -> bytes:
        room, epoch, prev_hash = place
        clear = self.clear or (self.view.clear if self.view else ClearState(1))
        epoch = epoch if self.sealed_epoch is None else self.sealed_epoch
        return clear.encode(seal_title(secret, room, epoch, prev_hash, self.title))


def _wrap(person: Person, secret: bytes, core_hash: bytes) -> bytes:
    return seal_wrap(
        secret,
        xwing.encapsulate(parse_prekey(person.prekey.data).public, seeded("ephemeral")),
        core_hash=core_hash,
        user=person.user,
        device=person.keys.device,
        prekey_hash=person.prekey.prekey_hash,
    )


def with_core(commit: Commit, core: bytes, by: DeviceKeys) -> Commit:
    """Give a commit another core and sign it again."""
    changed = replace(commit, core=core)
    return replace(changed, sig=by.sign("commit", changed.hash))


def resigned(signed: SignedDeviceList, data: bytes, sign: Any) -> SignedDeviceList:
    """Give a device list other bytes and a signature that fits them."""
    return replace(signed, data=data, sig=sign("devices", h("devices", data)))


@dataclass(frozen=True)
class ForgedMessage:
    """A message's parts; whatever is left out is what an honest sender would put there."""

    epoch: EpochState
    by: DeviceKeys
    padded: bytes
    pre: Mapping[str, Any] = field(default_factory=dict)
    pre_data: bytes | None = None
    hdr_extra: tuple[bytes, ...] = ()
    frank_key: bytes = bytes(range(32))
    committed_key: bytes | None = None
    committed: bytes | None = None
    inner_extra: tuple[bytes, ...] = ()
    signer: DeviceKeys | None = None
    key_n: int | None = None

    def make(self) -> bytes:
        """Build the envelope, correctly committed, signed and sealed."""
        chain = self.epoch.chains[self.by.device]
        values: dict[str, Any] = {
            "room": self.epoch.room,
            "epoch": self.epoch.epoch,
            "commit_hash": self.epoch.commit_hash,
            "user": self.by.user,
            "device": self.by.device,
            "n": chain.n,
            "msg_id": b"m" * 16,
            "time": NOW,
        }
        content = Pre(**{**values, **self.pre})
        pre = content.encode() if self.pre_data is None else self.pre_data
        n = content.n if self.key_n is None else self.key_n
        key, _ = message_key(chain, n)
        committed_key = self.frank_key if self.committed_key is None else self.committed_key
        committed = self.padded if self.committed is None else self.committed
        hdr = lp(pre, commitment(committed_key, pre, committed), *self.hdr_extra)
        signature = (self.signer or self.by).sign("msg", h("hdr", hdr))
        inner = lp(self.frank_key, self.padded, signature, *self.inner_extra)
        nonce = seeded(f"nonce {n} {self.pre}")(24)
        return lp(hdr, nonce, aead_seal(key, nonce, inner, hdr))
