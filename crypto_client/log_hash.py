"""The rolling hash over a room's log, and void counters (docs/protocol.md §9)."""

from collections.abc import Container, Sequence

from crypto_client.encoding import HASH_SIZE, lp, u64
from crypto_client.errors import CounterError, LogForkError
from crypto_client.primitives import h, same

LOG_START = bytes(HASH_SIZE)


def event_hash(event: bytes) -> bytes:
    """Hash a log item that is neither message nor commit, from its bytes as received."""
    return h("event", event)


def next_log_hash(previous: bytes, seq: int, item_hash: bytes) -> bytes:
    """Extend the log's hash by item number ``seq`` (from 1); feed it without holes."""
    return h("log", lp(previous, u64(seq), item_hash))


def check_log_hash(own: bytes, asserted: bytes) -> None:
    """Compare the own hash at a number with another member's; ``log_fork`` when they differ."""
    if not same(own, asserted):
        raise LogForkError(f"own {own.hex()}, asserted {asserted.hex()}")


def check_void(void: Sequence[tuple[int, int]], stored: Container[tuple[int, int]]) -> None:
    """Refuse, with ``counter``, a void (epoch, n) under which a stored message is known."""
    if any(counter in stored for counter in void):
        raise CounterError("a counter is called void and has a message")
