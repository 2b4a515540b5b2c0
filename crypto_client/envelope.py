"""Sealing a message, and the header that the server may read (docs/protocol.md §8.2)."""

from dataclasses import dataclass, field

from crypto_client.body import parse_body
from crypto_client.encoding import (
    HASH_SIZE,
    ID_SIZE,
    KEY_SIZE,
    MESSAGE_BUCKETS,
    SUITE_BYTE,
    lp,
    lp_fields,
    lp_split,
    pad,
    typed_fields,
    u8,
    u32,
    u64,
    uint,
)
from crypto_client.errors import (
    CommitmentError,
    CounterError,
    EpochUnusableError,
    ParseError,
    RosterError,
)
from crypto_client.identity import DeviceKeys
from crypto_client.ops import COUNTER_LIMIT
from crypto_client.primitives import (
    NONCE_SIZE,
    Random,
    aead_seal,
    h,
    hmac_sha256,
    same,
    system_random,
)
from crypto_client.ratchet import Chain, EpochState, message_key

CLASS_SILENT, CLASS_MESSAGE = 0, 1
MAX_ATTACHMENTS = 16
MAX_ENVELOPE = 34_000


@dataclass(frozen=True)
class Pre:
    """All of a header but its commitment."""

    room: bytes
    epoch: int
    commit_hash: bytes
    user: bytes
    device: bytes
    n: int
    msg_id: bytes
    time: int
    message_class: int = CLASS_MESSAGE
    expires_after: int = 0
    attachments: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Write ``pre`` of docs/protocol.md §8.2."""
        return lp(
            b"msg",
            SUITE_BYTE,
            self.room,
            u64(self.epoch),
            self.commit_hash,
            self.user,
            self.device,
            u32(self.n),
            self.msg_id,
            u64(self.time),
            u8(self.message_class),
            u32(self.expires_after),
            lp(*self.attachments),
        )


@dataclass(frozen=True)
class Header:
    """A header as received: its bytes, what they say, and the commitment."""

    data: bytes
    pre_data: bytes
    pre: Pre
    commitment: bytes


@dataclass(frozen=True)
class Envelope:
    """An envelope taken apart; ``eid`` is its fingerprint."""

    header: Header
    nonce: bytes
    ciphertext: bytes
    eid: bytes


@dataclass(frozen=True)
class Sealed:
    """A sealed message and what its sender keeps: the next state, fingerprint and key."""

    epoch: EpochState
    envelope: bytes
    eid: bytes
    n: int
    key: bytes = field(repr=False)


def _parse_pre(data: bytes) -> Pre:
    sizes = [ID_SIZE, 8, HASH_SIZE, ID_SIZE, ID_SIZE, 4, ID_SIZE, 8, 1, 4, None]
    fields = typed_fields(data, "msg", sizes)
    epoch, n, time = uint(fields[1]), uint(fields[5]), uint(fields[7])
    attachments = tuple(lp_split(fields[10], MAX_ATTACHMENTS))
    if any(len(item) != ID_SIZE for item in attachments):
        raise ParseError("an attachment id has 16 bytes")
    if len(set(attachments)) != len(attachments):
        raise ParseError("an attachment twice")
    if uint(fields[8]) not in (CLASS_SILENT, CLASS_MESSAGE):
        raise ParseError("an unknown message class")
    if n >= COUNTER_LIMIT:
        raise CounterError("a counter beyond the epoch's limit")
    return Pre(
        room=fields[0],
        epoch=epoch,
        commit_hash=fields[2],
        user=fields[3],
        device=fields[4],
        n=n,
        msg_id=fields[6],
        time=time,
        message_class=uint(fields[8]),
        expires_after=uint(fields[9]),
        attachments=attachments,
    )


def parse_header(data: bytes) -> Header:
    """Read a header without believing it; ``parse``, ``suite`` or ``counter``."""
    pre_data, commitment = lp_fields(data, [None, HASH_SIZE])
    return Header(data, pre_data, _parse_pre(pre_data), commitment)


def parse_envelope(data: bytes) -> Envelope:
    """Take an envelope apart without opening it; ``parse``, ``suite`` or ``counter``."""
    if len(data) > MAX_ENVELOPE:
        raise ParseError("an envelope is below 34,000 bytes")
    hdr, nonce, ciphertext = lp_fields(data, [None, NONCE_SIZE, None])
    return Envelope(parse_header(hdr), nonce, ciphertext, h("envelope", data))


def commitment(key: bytes, pre_data: bytes, padded: bytes) -> bytes:
    """Commit to a whole header and a padded body under a fresh 32-byte key."""
    return hmac_sha256(key, lp(b"HRK/1 frank", pre_data, padded))


def check_commitment(header: Header, key: bytes, padded: bytes) -> None:
    """Check that a disclosed key and body are the ones that were sealed; else ``commitment``."""
    if len(key) != KEY_SIZE:
        raise CommitmentError("a commitment key has 32 bytes")
    if not same(commitment(key, header.pre_data, padded), header.commitment):
        raise CommitmentError("another body than the committed one")


def acceptance_stamp(key: bytes, key_id: int, hdr: bytes, accepted_ms: int) -> bytes:
    """Make the server's stamp over an accepted header (docs/protocol.md §8.5); for its vectors."""
    return hmac_sha256(key, lp(b"HRK/1 stamp", u32(key_id), h("hdr", hdr), u64(accepted_ms)))


def seal_message(
    epoch: EpochState,
    keys: DeviceKeys,
    body: bytes,
    *,
    msg_id: bytes,
    time: int,
    message_class: int = CLASS_MESSAGE,
    expires_after: int = 0,
    attachments: tuple[bytes, ...] = (),
    random: Random = system_random,
) -> Sealed:
    """Seal a body under the own next counter; ``time`` in ms, ``expires_after`` in seconds.

    Store the returned state durably before the envelope leaves: a counter is never used twice.
    The same ``msg_id`` may be sealed again in a later epoch (§8.2). Refuses ``body``,
    ``epoch_unusable``, ``roster`` (the device is not in this epoch) and ``counter``.
    """
    chain = _chain_to_seal_with(epoch, keys.device)
    parse_body(body)
    key, next_chain = message_key(chain, chain.n)
    pre = Pre(
        epoch.room,
        epoch.epoch,
        epoch.commit_hash,
        keys.user,
        keys.device,
        chain.n,
        msg_id,
        time,
        message_class,
        expires_after,
        attachments,
    ).encode()
    _parse_pre(pre)
    envelope = _seal(key, pre, body, keys, random)
    next_epoch = epoch.with_chain(keys.device, next_chain)
    return Sealed(next_epoch, envelope, h("envelope", envelope), chain.n, key)


def _chain_to_seal_with(epoch: EpochState, own_device: bytes) -> Chain:
    if not epoch.opened:
        raise EpochUnusableError("this epoch does not open here")
    chain = epoch.chains.get(own_device)
    if chain is None:
        raise RosterError("the own device is not in this epoch")
    return chain


def _seal(key: bytes, pre: bytes, body: bytes, keys: DeviceKeys, random: Random) -> bytes:
    padded = pad(body, MESSAGE_BUCKETS)
    frank_key, nonce = random(KEY_SIZE), random(NONCE_SIZE)
    hdr = lp(pre, commitment(frank_key, pre, padded))
    inner = lp(frank_key, padded, keys.sign("msg", h("hdr", hdr)))
    return lp(hdr, nonce, aead_seal(key, nonce, inner, hdr))
