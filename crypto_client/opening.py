"""Receiving a message in the fixed order of docs/protocol.md §8.4."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Protocol

from crypto_client.body import Body, parse_body
from crypto_client.encoding import KEY_SIZE, MESSAGE_BUCKETS, SIGNATURE_SIZE, lp_fields, unpad
from crypto_client.envelope import Envelope, Pre, check_commitment, parse_envelope
from crypto_client.errors import (
    CounterError,
    CutError,
    EpochGapError,
    EpochUnusableError,
    ForkError,
    ReferenceMissingError,
    RosterError,
)
from crypto_client.primitives import aead_open, h, verify
from crypto_client.ratchet import Chain, EpochState, message_key


@dataclass(frozen=True)
class Known:
    """A message that was opened before: fingerprint, body and archived key."""

    eid: bytes
    body: bytes
    key: bytes = field(repr=False)


class MessageIndex(Protocol):
    """What a device has opened in a room; answered from its store."""

    def has(self, eid: bytes) -> bool:
        """Whether this very envelope is known."""

    def by_id(self, device: bytes, msg_id: bytes) -> Known | None:
        """The message that this device sent under this id."""

    def by_counter(self, device: bytes, epoch: int, n: int) -> Known | None:
        """The message that this device sent under this counter."""


class NothingKnown:
    """The index of an empty store."""

    def has(self, eid: bytes) -> bool:
        """Nothing is known."""
        return False

    def by_id(self, device: bytes, msg_id: bytes) -> Known | None:
        """Nothing is known."""
        return None

    def by_counter(self, device: bytes, epoch: int, n: int) -> Known | None:
        """Nothing is known."""
        return None


@dataclass(frozen=True)
class Message:
    """An opened message. ``frank_key`` and ``padded`` are what a report would disclose."""

    pre: Pre
    body: Body
    eid: bytes
    commitment: bytes
    key: bytes = field(repr=False)
    frank_key: bytes = field(repr=False)
    padded: bytes = field(repr=False)


@dataclass(frozen=True)
class Opened:
    """The next state and what was found.

    ``outcome`` is ``ok`` or ``equivocation``. ``message`` is None for an envelope that is known.
    ``again`` marks a second sealing of a message that is known: it is stored, not shown twice.
    """

    epoch: EpochState | None
    outcome: str = "ok"
    message: Message | None = None
    again: bool = False


def open_message(
    data: bytes,
    epoch: EpochState | None,
    *,
    room: bytes,
    index: MessageIndex | None = None,
    revoked: Container[bytes] = (),
) -> Opened:
    """Open an envelope with the state of the epoch that its header names (None: not known).

    ``revoked`` are devices known to be revoked. The order of checks, and so the name of a refusal,
    is fixed; when one is raised nothing changes. The caller stores the returned state, the message
    key and the eid in one transaction, and only then shows the message.
    """
    known = index or NothingKnown()
    if known.has(h("envelope", data)):
        return Opened(epoch)
    envelope = parse_envelope(data)
    state, chain = _place(envelope.header.pre, epoch, room, revoked)
    pre = envelope.header.pre
    same_counter = known.by_counter(pre.device, pre.epoch, pre.n)
    key, next_chain = _key(chain, pre.n, same_counter)
    message = _open(envelope, key, chain.dsk_pub)
    outcome, again = _compare(message, known.by_id(pre.device, pre.msg_id), same_counter)
    return Opened(state.with_chain(pre.device, next_chain), outcome, message, again)


def _place(
    pre: Pre, epoch: EpochState | None, room: bytes, revoked: Container[bytes]
) -> tuple[EpochState, Chain]:
    if pre.room != room:
        raise ReferenceMissingError("a message of another room")
    if epoch is None or epoch.epoch != pre.epoch:
        raise EpochGapError(f"epoch {pre.epoch} is not known")
    if epoch.commit_hash != pre.commit_hash:
        raise ForkError(f"another commit for epoch {pre.epoch}")
    if not epoch.opened:
        raise EpochUnusableError("this epoch does not open here")
    chain = epoch.chains.get(pre.device)
    if chain is None or chain.user != pre.user or pre.device in revoked:
        raise RosterError("a sender who is not in this epoch")
    if chain.cut is not None and pre.n >= chain.cut:
        raise CutError("written after the device was dropped")
    return epoch, chain


def _key(chain: Chain, n: int, same_counter: Known | None) -> tuple[bytes, Chain]:
    try:
        return message_key(chain, n)
    except CounterError:
        if same_counter is None:
            raise
        return same_counter.key, chain


def _open(envelope: Envelope, key: bytes, dsk_pub: bytes) -> Message:
    header = envelope.header
    inner = aead_open(key, envelope.nonce, envelope.ciphertext, header.data)
    frank_key, padded, signature = lp_fields(inner, [KEY_SIZE, None, SIGNATURE_SIZE])
    verify(dsk_pub, "msg", h("hdr", header.data), signature)
    check_commitment(header, frank_key, padded)
    body = parse_body(unpad(padded, MESSAGE_BUCKETS))
    return Message(header.pre, body, envelope.eid, header.commitment, key, frank_key, padded)


def _compare(message: Message, same_id: Known | None, same_n: Known | None) -> tuple[str, bool]:
    if same_n is not None and same_n.eid != message.eid:
        return "equivocation", False
    if same_id is None or same_id.eid == message.eid:
        return "ok", False
    if parse_body(same_id.body).content != message.body.content:
        return "equivocation", False
    return "ok", True
