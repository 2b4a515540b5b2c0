"""Vectors of docs/protocol.md §7.5: a server that was restored, or shows another branch."""

from collections.abc import Iterator
from dataclasses import replace

from crypto_client.encoding import encode_base64url as b64
from crypto_client.epoch import RoomView, view_to_json
from crypto_client.primitives import h
from crypto_client.vectors.case import Case
from crypto_client.vectors.cast import World, group


def cases(cast: World) -> Iterator[tuple[str, Case]]:
    """Give every case with its topic."""
    begun = group(cast, "alice", "bob")[1]["alice"].view
    hashes = {epoch: h("vector", bytes([epoch])) for epoch in range(70)}
    young = _at(begun, hashes, range(4))
    old = _at(begun, hashes, range(6, 70))
    rows: list[tuple[str, str, RoomView, tuple[int, bytes] | None, str]] = [
        ("head-same", "nothing to do", young, (3, hashes[3]), "ok"),
        ("head-ahead", "fetch", young, (4, hashes[4]), "ok"),
        ("head-behind-then-restored", "two commits go up again", young, (1, hashes[1]), "ok"),
        ("head-behind-at-beginning", "all but the first", young, (0, hashes[0]), "ok"),
        ("room-lost-then-restored", "all of them", young, None, "ok"),
        ("head-behind-64", "all that are known but the first", old, (6, hashes[6]), "ok"),
        ("head-behind-65", "more than is known", old, (5, hashes[5]), "fork"),
        ("room-lost-and-too-old", "its beginning is not known", old, None, "fork"),
        ("head-behind-other-branch", "another commit 1", young, (1, hashes[9]), "fork"),
        ("head-other", "another commit 3", young, (3, hashes[9]), "fork"),
    ]
    for name, comment, view, served, expect in rows:
        given = {
            "view": view_to_json(view),
            "served": served and [served[0], b64(served[1])],
        }
        yield "rollback", Case(name, comment, "7.5", "judge_head", given, expect)


def _at(begun: RoomView, hashes: dict[int, bytes], epochs: range) -> RoomView:
    recent = {epoch: hashes[epoch] for epoch in epochs}
    return replace(begun, epoch=epochs[-1], head=hashes[epochs[-1]], recent=recent)
