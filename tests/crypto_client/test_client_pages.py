"""A page of the log is kept whole, together with the cursor behind it, or not at all."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from crypto_client.client.server import JSON, b64
from crypto_client.client.store import Store
from crypto_client.client.sync import Messenger
from crypto_client.committing import commit_rotation
from crypto_client.primitives import h
from crypto_client.vectors.cast import NOW
from tests.crypto_client.hostile import wire
from tests.crypto_client.member import EmptyPages, Member, Writer


@dataclass
class OnePage(EmptyPages):
    """Answers every sync with one page of these items."""

    room: bytes
    items: list[JSON] = field(default_factory=list)

    def __post_init__(self) -> None:
        EmptyPages.__init__(self, self.room, len(self.items))
        self.page["items"] = self.items


def message(writer: Writer, seq: int) -> JSON:
    envelope = writer.seal(f"number {seq}", seq.to_bytes(16, "big")).envelope
    stamp = {"accepted_ms": NOW, "key_id": 1, "stamp": ""}
    return {"kind": "message", "seq": seq, "envelope": b64(envelope), **stamp}


def messenger(bob: Member, items: list[JSON]) -> Messenger:
    rooms, page = bob.rooms, OnePage(bob.home.room, items)
    return Messenger(rooms.store, rooms.server, rooms.keyring, page)  # type: ignore[arg-type]


def kept(bob: Member) -> tuple[Any, ...]:
    """Everything that a page changes: texts, log, cursor, and how far alice's chain is."""
    epoch = bob.rooms.epoch(bob.home.room, 0)
    assert epoch is not None
    log = bob.rooms.store.rows("SELECT seq FROM log_items")
    cursor = bob.rooms.store.row("SELECT cursor FROM rooms")
    assert cursor is not None
    n = epoch.chains[bob.cast.alice.keys.device].n
    return bob.home.shown(), [row["seq"] for row in log], cursor["cursor"], n


def test_what_ends_in_the_middle_of_a_page_begins_it_again(
    bob: Member, alice: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [message(alice, seq) for seq in range(1, 6)]
    before = kept(bob)
    client = messenger(bob, items)
    with monkeypatch.context() as broken:
        broken.setattr(client, "_own_stored", lambda room, seq: 1 // (seq - 3))
        with pytest.raises(ZeroDivisionError):
            client.sync([bob.home.room])
    assert kept(bob) == before

    client.sync([bob.home.room])
    texts = [(seq, f"number {seq}", "ok") for seq in range(1, 6)]
    assert kept(bob) == (texts, [1, 2, 3, 4, 5], 5, 5)


def test_a_room_is_followed_once_for_a_page_and_before_anything_of_it_is_kept(
    bob: Member, alice: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = commit_rotation(bob.view, bob.cast.committer(bob.cast.alice, alice.state))
    row = {"kind": "commit", "seq": 2, "epoch": 1, "hash": b64(commit.hash)}
    items = [message(alice, 1), row, {**row, "seq": 3, "epoch": 2, "hash": b64(h("x", b""))}]
    bob.server.answers["commits"] = {"commits": [wire(commit, 1)]}
    wrap = b64(commit.wraps[bob.cast.bob.keys.device])
    bob.server.answers["wraps"] = {"wraps": [{"epoch": 1, "wrap": wrap}]}
    bob.server.stops_after = 1
    client = messenger(bob, items)
    followed: list[bool] = []
    follow = client.rooms.try_follow

    def watched(room: bytes) -> None:
        followed.append(client.store.db.in_transaction)
        follow(room)

    monkeypatch.setattr(client.rooms, "try_follow", watched)
    client.sync([bob.home.room])
    assert followed == [False]
    assert bob.server.was_sent("wraps/ack") == [{"epochs": [1]}]
    assert bob.home.shown() == [(1, "number 1", "ok")]


def fails(store: Store, name: str) -> None:
    with store.transaction():
        with store.transaction():
            store.remember(f"inside of {name}", 1)
        store.remember(name, 1)
        raise ZeroDivisionError


def test_what_fails_inside_a_transaction_undoes_only_itself(bob: Member) -> None:
    store: Store = bob.rooms.store
    with store.transaction():
        store.remember("outer", 1)
        with pytest.raises(ZeroDivisionError):
            fails(store, "inner")
        with store.transaction():
            store.remember("after", 1)
    names = ("outer", "inner", "inside of inner", "after")
    assert [store.fact(name) for name in names] == [1, None, None, 1]

    with pytest.raises(ZeroDivisionError):
        fails(store, "alone")
    assert (store.fact("alone"), store.fact("inside of alone")) == (None, None)
