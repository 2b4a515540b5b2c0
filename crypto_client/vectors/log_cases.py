"""Vectors of docs/protocol.md §9 and §10: log hash, void counters, safety number."""

from collections.abc import Iterator
from typing import Any

from crypto_client.encoding import encode_base64url as b64
from crypto_client.log_hash import LOG_START, next_log_hash
from crypto_client.primitives import h
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import World


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    groups = {"log": _log(), "void": _void(), "safety": _safety(cast)}
    for topic, group in groups.items():
        yield from ((topic, case) for case in group)


def _log() -> Iterator[Case]:
    hashes = [h("envelope", bytes([n])) for n in range(4)]
    items: list[list[Any]] = [[n + 1, "hash", b64(value)] for n, value in enumerate(hashes)]
    full = LOG_START
    for seq, value in enumerate(hashes, 1):
        full = next_log_hash(full, seq, value)

    def case(name: str, comment: str, items: list[list[Any]], expect: str = "ok") -> Case:
        given = {"start": b64(LOG_START), "items": items, "asserted": b64(full)}
        return Case(name, comment, "9", "log_hash", given, expect)

    yield case("log", "what everybody has", items)
    swapped = [items[0], [2, *items[2][1:]], [3, *items[1][1:]], items[3]]
    yield case("log-two-swapped", "another order", swapped, "log_fork")
    yield case("log-one-missing", "one is left out", [*items[:2], [3, *items[3][1:]]], "log_fork")
    yield case("log-tail-missing-then-message", "a tail is cut", items[:3], "log_fork")
    other = [*items[:3], [4, "event", b64(b"{}")]]
    yield case("log-event-for-message", "another item", other, "log_fork")
    given = {"start": b64(LOG_START), "items": other, "asserted": None}
    yield Case("log-event", "an event's bytes are hashed", "9", "log_hash", given)
    given = {"start": b64(full), "items": [[5, "hash", b64(hashes[0])]], "asserted": None}
    yield Case("log-continues", "from an adopted value", "9", "log_hash", given)


def _void() -> Iterator[Case]:
    stored = [[3, 0], [3, 2]]
    given = {"void": [[3, 1]], "stored": stored}
    yield Case("void", "a counter without a message", "9", "void", given)
    given = {"void": [[3, 1], [3, 2]], "stored": stored}
    yield Case("void-n-that-exists", "there is a message", "9", "void", given, "counter")


def _safety(cast: World) -> Iterator[Case]:
    alice, bob, mallory = (
        [b64(p.user), b64(p.account.public)] for p in (cast.alice, cast.bob, cast.mallory)
    )
    rows = (
        ("safety", "alice and bob", alice, bob),
        ("safety-swapped-order", "the same number", bob, alice),
        ("safety-other-key", "another number", alice, [bob[0], mallory[1]]),
        ("safety-other-user-same-amk", "another number", alice, [mallory[0], bob[1]]),
    )
    for name, comment, one, other in rows:
        yield Case(name, comment, "10", "safety", {"one": one, "other": other})
