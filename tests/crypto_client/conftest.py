"""A cast whose command-line client talks to a server that says whatever a test wants."""

import json
from pathlib import Path

import pytest

from crypto_client.client.inbox import Inbox
from crypto_client.client.keys import Keyring, keep_prekey
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import b64
from crypto_client.client.store import Store
from crypto_client.epoch import view_to_json
from crypto_client.recovery import backup_public
from crypto_client.vectors.cast import NOW, World, group, world
from tests.crypto_client.hostile import HostileServer, wire
from tests.crypto_client.member import Home, Member, Writer


@pytest.fixture
def cast() -> World:
    return world("alice", "bob", "carol", "mallory")


@pytest.fixture
def bob(cast: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """bob, in epoch 0 of the garden of alice (its admin) and himself."""
    for module in ("offers", "keys", "rooms", "outbox"):
        monkeypatch.setattr(f"crypto_client.client.{module}.now_ms", lambda: NOW)
    first, received = group(cast, "alice", "bob")
    server = HostileServer.of(cast)
    store = Store(tmp_path / "bob")
    backup = backup_public(cast.bob.recovery_key, cast.bob.user, 1)
    store.remember("device", {"bk_pub": b64(backup)})
    keep_prekey(store, 1, cast.bob.prekey_seed, cast.bob.prekey, NOW)
    rooms = Rooms(store, server, Keyring(store, server, cast.bob.keys))  # type: ignore[arg-type]
    room = received["bob"].view.room
    client = Member(cast, server, Home(store, rooms, Inbox(store, rooms), room), received)
    for member in (cast.alice, cast.bob):
        client.pins(member)
    epoch = received["bob"].epoch
    assert epoch is not None
    view = json.dumps(view_to_json(client.view))
    summary = json.dumps({"me": {"last_epoch": None}})
    store.run("INSERT INTO rooms (room, view, summary) VALUES (?, ?, ?)", room, view, summary)
    rooms.save_epoch(epoch)
    server.answers["prekeys"] = {"prekeys": b64(first.prekeys)}
    server.answers["commits"] = {"commits": [wire(first, 0)]}
    server.stops_after = 0
    yield client
    store.close()


@pytest.fixture
def home(bob: Member) -> Home:
    return bob.home


@pytest.fixture
def alice(bob: Member) -> Writer:
    """alice, who writes in epoch 0."""
    epoch = bob.received["alice"].epoch
    assert epoch is not None
    return Writer(bob.cast.alice, epoch)
