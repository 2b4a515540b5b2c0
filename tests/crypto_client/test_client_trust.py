"""What a hostile server says to the command-line client, and what the client believes."""

import json
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from crypto_client.client.due import due_ops
from crypto_client.client.failures import Unverified
from crypto_client.client.keys import Keyring, keep_list
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import b64
from crypto_client.client.store import Store
from crypto_client.commit import Commit, PrekeyRow, encode_prekeys
from crypto_client.committing import commit_add, create_direct, make_commit
from crypto_client.device_list import first_device_list
from crypto_client.epoch import RoomView, view_to_json
from crypto_client.errors import PinMismatchError, ReferenceMissingError
from crypto_client.identity import AccountKey, new_device
from crypto_client.ops import Create, Op, Remove, parse_ops
from crypto_client.prekeys import new_prekey
from crypto_client.receiving import Received
from crypto_client.recovery import backup_public
from crypto_client.statements import make_leave
from crypto_client.vectors.cast import NOW, Person, World, group, person, world
from tests.crypto_client.hostile import HostileServer, keys_of


def wire(commit: Commit, epoch: int) -> dict[str, Any]:
    """A commit as REST gives it."""
    names = ("core", "tag", "sig", "ops", "state")
    return {"epoch": epoch, **{name: b64(getattr(commit, name)) for name in names}}


@dataclass
class Bob:
    """bob's client, in the room of alice and bob."""

    cast: World
    server: HostileServer
    rooms: Rooms
    received: dict[str, Received]

    @property
    def view(self) -> RoomView:
        return self.received["bob"].view

    def pins(self, person: Person) -> None:
        keep_list(self.rooms.store, person.user, person.account.public, person.devices, 1)


@pytest.fixture
def bob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("crypto_client.client.keys.now_ms", lambda: NOW)
    monkeypatch.setattr("crypto_client.client.rooms.now_ms", lambda: NOW)
    cast = world("alice", "bob", "carol", "mallory")
    first, received = group(cast, "alice", "bob")
    server = HostileServer.of(cast)
    store = Store(tmp_path / "bob")
    backup = backup_public(cast.bob.recovery_key, cast.bob.user, 1)
    store.remember("device", {"bk_pub": b64(backup)})
    keyring = Keyring(store, server, cast.bob.keys)  # type: ignore[arg-type]
    rooms = Rooms(store, server, keyring)  # type: ignore[arg-type]
    client = Bob(cast, server, rooms, received)
    for member in (cast.alice, cast.bob):
        client.pins(member)
    epoch = received["bob"].epoch
    assert epoch is not None
    view = json.dumps(view_to_json(client.view))
    sql = "INSERT INTO rooms (room, view, summary) VALUES (?, ?, '{}')"
    store.run(sql, client.view.room, view)
    rooms.save_epoch(epoch)
    server.answers["prekeys"] = {"prekeys": b64(first.prekeys)}
    server.answers["commits"] = {"commits": [wire(first, 0)]}
    yield client
    store.close()


def impostor_of(who: Person) -> Person:
    """Another account key and device under the user id of somebody."""
    made = person(f"impostor of {who.name}")
    account = AccountKey(who.user, made.account.seed)
    keys = new_device(who.user, account.public, NOW)
    devices = first_device_list(account, [keys.entry()], time=NOW, bk_pub=bytes(1216))
    seed, prekey = new_prekey(keys, seq=1, created=NOW)
    return Person(who.name, account, keys, devices, seed, prekey, bytes(32))


@pytest.mark.parametrize("with_lists", [True, False])
def test_a_changed_account_key_is_flagged_and_never_taken_over(bob: Bob, with_lists: bool) -> None:
    impostor = impostor_of(bob.cast.alice)
    bob.server.keys[impostor.user] = keys_of(impostor, lists=with_lists)
    with pytest.raises(PinMismatchError):
        bob.rooms.keyring.refresh(impostor.user)
    assert bob.rooms.keyring.pins()[impostor.user] == bob.cast.alice.account.public


def test_a_commit_with_a_changed_key_moves_the_chain_and_closes_the_room_for_writing(
    bob: Bob,
) -> None:
    impostor = impostor_of(bob.cast.carol)
    bob.pins(bob.cast.carol)
    bob.server.keys[impostor.user] = keys_of(impostor)
    by = bob.cast.committer(bob.cast.alice, bob.received["alice"].epoch)
    lists = {**by.lists, impostor.devices.list_hash: impostor.devices}
    commit = commit_add(bob.view, [impostor.devices], replace(by, lists=lists))
    wrap = b64(commit.wraps[bob.cast.bob.keys.device])
    bob.server.answers["commits"] = {"commits": [wire(commit, 1)]}
    bob.server.answers["wraps"] = {"wraps": [{"epoch": 1, "wrap": wrap}]}
    bob.server.stops_after = 1
    bob.rooms.follow(bob.view.room)
    after = bob.rooms.view(bob.view.room)
    assert after is not None
    assert (after.epoch, after.unsettled) == (1, (impostor.user,))
    assert not bob.rooms.may_seal(after)


def test_a_room_that_was_not_asked_for_is_refused(bob: Bob) -> None:
    cast = bob.cast
    commit = create_direct(cast.committer(cast.bob), cast.bob.devices, cast.alice.devices)
    (create,) = parse_ops(commit.ops)
    assert isinstance(create, Create)
    other = str(uuid.UUID(bytes=bob.view.room))
    bob.server.answers["POST rooms"] = {"room_id": other, "members": []}
    with pytest.raises(ReferenceMissingError):
        bob.rooms.create(commit, create.origin.data)


def test_a_prekey_list_that_the_head_does_not_name_is_refused(bob: Bob) -> None:
    lowered = encode_prekeys([PrekeyRow(bob.cast.alice.keys.device, 0, bytes(32))])
    bob.server.answers["prekeys"] = {"prekeys": b64(lowered)}
    with pytest.raises(ReferenceMissingError):
        bob.rooms.committer([bob.cast.alice.user], bob.view)


def test_a_prekey_older_than_one_seen_before_gets_no_wrap(bob: Bob) -> None:
    alice = bob.cast.alice
    _, newer = new_prekey(alice.keys, seq=7, created=NOW)
    fresh = keys_of(replace(alice, prekey=newer))
    bob.server.keys[alice.user] = fresh
    bob.rooms.keyring.refresh(alice.user)
    bob.server.keys[alice.user] = keys_of(alice)
    by = bob.rooms.committer([alice.user, bob.cast.bob.user], bob.view)
    commit = make_commit(bob.view, [], by)
    assert alice.keys.device not in commit.wraps
    assert bob.cast.bob.keys.device in commit.wraps


def test_only_a_leave_that_verifies_is_committed(bob: Bob) -> None:
    room, alice, mallory = bob.view.room, bob.cast.alice, bob.cast.mallory

    def due(data: bytes) -> list[Op]:
        leaving = {"user_id": str(uuid.UUID(bytes=alice.user)), "statement": b64(data)}
        return due_ops(bob.view, {"leaving": [{**leaving, "joined_epoch": 0}]}, bob.rooms.keyring)

    assert due(make_leave(mallory.keys, room, 0).encode()) == []
    assert due(make_leave(alice.keys, room, 1).encode()) == []
    assert due(b"junk") == []
    good = make_leave(alice.keys, room, 0).encode()
    assert due(good) == [Remove(alice.user, alice.account.public, 0, good)]


def test_a_room_whose_chain_does_not_verify_stops_no_other_one_and_takes_no_text(bob: Bob) -> None:
    room = bob.view.room
    by = bob.cast.committer(bob.cast.alice, bob.received["alice"].epoch)
    commit = make_commit(bob.view, [], by)
    forged = replace(commit, sig=bytes(64))
    bob.server.answers["commits"] = {"commits": [wire(forged, 1)]}
    bob.server.answers["wraps"] = {"wraps": []}
    bob.rooms.try_follow(room)
    assert bob.rooms.trouble(room) == "signature"
    assert bob.rooms.view(room) == bob.view
    with pytest.raises(Unverified):
        bob.rooms.demand_verified(room)
    bob.server.answers["commits"] = {"commits": []}
    bob.rooms.try_follow(room)
    assert bob.rooms.trouble(room) == ""
