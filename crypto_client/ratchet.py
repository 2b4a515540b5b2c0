"""Sender chains of an epoch: one hash ratchet for each device (docs/protocol.md §7.1, §8.1).

Nothing here changes in place. Every function returns the next state, and the caller stores it
together with what it opened, so that garbage and crashes never burn a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crypto_client.encoding import decode_base64url, encode_base64url, lp
from crypto_client.errors import CounterError, RosterError
from crypto_client.ops import COUNTER_LIMIT, Seen
from crypto_client.primitives import kdf

ROTATE_AT = 256
ROTATE_AFTER_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True)
class Chain:
    """One sender's ratchet: the key for counter ``n``, and the keys of earlier gaps."""

    user: bytes
    dsk_pub: bytes
    key: bytes = field(repr=False)
    n: int = 0
    skipped: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    cut: int | None = None


@dataclass(frozen=True)
class EpochState:
    """What a device keeps of an epoch; ``opened`` is False when the epoch is unusable here."""

    room: bytes
    epoch: int
    commit_hash: bytes
    opened: bool
    chains: Mapping[bytes, Chain]

    def with_chain(self, device: bytes, chain: Chain) -> "EpochState":
        """Give the state with one sender's chain replaced."""
        return replace(self, chains={**self.chains, device: chain})


def start_epoch(
    room: bytes,
    epoch: int,
    commit_hash: bytes,
    secret: bytes,
    senders: Mapping[bytes, tuple[bytes, bytes]],
) -> EpochState:
    """Derive every sender's first chain key from an epoch secret.

    ``senders`` maps a device to (its user, its DSK_pub). The secret is not kept.
    """
    epoch_key = kdf(secret, "epoch", commit_hash)
    chains = {
        device: Chain(user, dsk_pub, kdf(epoch_key, "sender", lp(user, device)))
        for device, (user, dsk_pub) in senders.items()
    }
    return EpochState(room, epoch, commit_hash, True, chains)


def unusable_epoch(room: bytes, epoch: int, commit_hash: bytes) -> EpochState:
    """Note an epoch that exists and does not open here."""
    return EpochState(room, epoch, commit_hash, False, {})


def message_key(chain: Chain, n: int) -> tuple[bytes, Chain]:
    """Give the key of counter ``n`` and the chain after it; ``counter`` when it is used up."""
    if n >= COUNTER_LIMIT:
        raise CounterError("a counter beyond the epoch's limit")
    if n < chain.n:
        if n not in chain.skipped:
            raise CounterError("a counter that is used up")
        rest = {other: key for other, key in chain.skipped.items() if other != n}
        return chain.skipped[n], replace(chain, skipped=rest)
    key, skipped = chain.key, dict(chain.skipped)
    for counter in range(chain.n, n):
        skipped[counter] = kdf(key, "msg")
        key = kdf(key, "chain")
    return kdf(key, "msg"), replace(chain, key=kdf(key, "chain"), n=n + 1, skipped=skipped)


def skip_to(state: EpochState, device: bytes, n: int) -> EpochState:
    """Move the own chain to ``n`` without keeping keys: after a lost store, counters go void."""
    chain = state.chains.get(device)
    if chain is None:
        raise RosterError("the own device is not in this epoch")
    if n <= chain.n:
        return state
    if n > COUNTER_LIMIT:
        raise CounterError("a counter beyond the epoch's limit")
    key = chain.key
    for _ in range(chain.n, n):
        key = kdf(key, "chain")
    return state.with_chain(device, replace(chain, key=key, n=n))


def should_rotate(state: EpochState, device: bytes, *, received: int, now: int) -> bool:
    """Say whether the device about to send should commit first; both times in own ms."""
    chain = state.chains.get(device)
    return (chain.n if chain else 0) >= ROTATE_AT or now - received >= ROTATE_AFTER_MS


def close_epoch(state: EpochState, cuts: Mapping[bytes, int]) -> EpochState:
    """End the chains of devices that the next commit drops: messages from there on are ``cut``."""
    chains = dict(state.chains)
    for device, next_n in cuts.items():
        if device in chains:
            chains[device] = replace(chains[device], cut=next_n)
    return replace(state, chains=chains)


def seen_ops(closing: EpochState | None, dropped: frozenset[bytes]) -> tuple[Seen, ...]:
    """Say how far the closing epoch was seen; 4096 where it does not open here."""
    if closing is None or not closing.opened:
        return tuple(Seen(device, COUNTER_LIMIT) for device in dropped)
    ends = {device: chain.n for device, chain in closing.chains.items()}
    return tuple(
        Seen(device, ends.get(device, 0))
        for device in ends.keys() | dropped
        if device in dropped or ends[device] > 0
    )


def epoch_to_json(state: EpochState) -> dict[str, object]:
    """Write an epoch as plain JSON values, bytes as base64url; it holds secrets."""
    chains = {
        encode_base64url(device): {
            "user": encode_base64url(chain.user),
            "dsk_pub": encode_base64url(chain.dsk_pub),
            "key": encode_base64url(chain.key),
            "n": chain.n,
            "skipped": [[n, encode_base64url(key)] for n, key in chain.skipped.items()],
            "cut": chain.cut,
        }
        for device, chain in state.chains.items()
    }
    return {
        "room": encode_base64url(state.room),
        "epoch": state.epoch,
        "commit_hash": encode_base64url(state.commit_hash),
        "opened": state.opened,
        "chains": chains,
    }


def epoch_from_json(stored: Mapping[str, object]) -> EpochState:
    """Read what ``epoch_to_json`` wrote."""
    values: dict[str, object] = dict(stored)
    chains = {
        decode_base64url(device): Chain(
            decode_base64url(row["user"]),
            decode_base64url(row["dsk_pub"]),
            decode_base64url(row["key"]),
            row["n"],
            {n: decode_base64url(key) for n, key in row["skipped"]},
            row["cut"],
        )
        for device, row in values["chains"].items()  # type: ignore[attr-defined]
    }
    return EpochState(
        decode_base64url(str(values["room"])),
        int(str(values["epoch"])),
        decode_base64url(str(values["commit_hash"])),
        bool(values["opened"]),
        chains,
    )
