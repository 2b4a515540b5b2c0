"""A server that lies to somebody who comes back with the secret: each lie is refused by name."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from crypto_client.client.keys import Keyring
from crypto_client.client.server import Server, b64, unb64
from crypto_client.client.session import Session
from crypto_client.history import EpochName, seal_history
from tests.cli.homes import another_home, restored, secret_of, try_restore

pytestmark = pytest.mark.slow


@pytest.fixture
def lie(monkeypatch):
    """``lie(end, change)``: what is fetched from paths with this end is changed on the way."""
    honest = Server.get
    lies: dict[str, Callable[[Any], Any]] = {}

    def get(server, path, **query):
        answer = honest(server, path, **query)
        changes = [change for end, change in lies.items() if path.endswith(end)]
        return changes[0](answer) if changes else answer

    monkeypatch.setattr(Server, "get", get)
    return lies.__setitem__


def devices_of(person):
    return len(person("devices").rows)


def test_another_persons_blob_is_refused(alice, bob, garden, lie):
    other, secret = another_home(alice), secret_of(alice)
    with Session.open(bob.home, None, 20) as session:
        foreign = session.server.get("/api/me/recovery")
    lie("/me/recovery", lambda _: foreign)

    refused = try_restore(other, secret)

    assert (refused.status, refused.error) == (4, "recovery")
    assert devices_of(alice) == 1


def test_an_older_blob_than_the_server_itself_names_is_refused(alice, garden, lie):
    other, secret = another_home(alice), secret_of(alice)
    lie("/api/me", lambda me: {**me, "recovery_version": me["recovery_version"] + 1})

    refused = try_restore(other, secret)

    assert (refused.status, refused.error) == (4, "recovery")
    assert devices_of(alice) == 1


def test_another_account_key_than_the_blobs_is_refused(alice, garden, lie):
    other, secret = another_home(alice), secret_of(alice)
    lie("/api/me", lambda me: {**me, "account_key": b64(bytes(32))})

    refused = try_restore(other, secret)

    assert (refused.status, refused.error) == (4, "recovery")


def first_lists(keys):
    """The lists of before anybody had a second device."""
    return {**keys, "lists": [row for row in keys["lists"] if row["version"] < 2]}


def test_a_newer_list_that_is_withheld_stops_it_before_anything_is_signed(alice, bob, garden, lie):
    second, secret = restored(alice), secret_of(alice)
    assert second.reads(garden) == []
    other = another_home(alice)
    lie("/keys", first_lists)

    refused = try_restore(other, secret)

    assert (refused.status, refused.error) == (4, "kt")
    assert devices_of(alice) == 2


def test_a_newer_list_that_is_withheld_with_its_key_log_shows_in_the_rooms(alice, bob, garden, lie):
    with Session.open(alice.home, None, 20) as session:
        old_head = session.server.get("/api/key-log/head")
        old_page = session.server.get("/api/key-log", after=0)
    second, secret = restored(alice), secret_of(alice)
    assert second.reads(garden) == []
    other = another_home(alice)
    lie("/keys", first_lists)
    lie("/key-log/head", lambda _: old_head)
    lie("/key-log", lambda _: old_page)

    refused = try_restore(other, secret)

    assert (refused.status, refused.error) == (4, "list_rollback")
    assert devices_of(alice) == 2


def test_history_with_another_secret_is_refused_and_the_rest_is_restored(alice, bob, garden, lie):
    alice("send", garden, "with a poisoned record", "--wait", "stored")
    alice("room", "rename", garden, "second")
    alice("send", garden, "with a good one", "--wait", "stored")
    other, secret = another_home(alice), secret_of(alice)
    with Session.open(alice.home, None, 20) as session:
        keyring = Keyring.load(session.store, session.server)
        writer = keyring.history_writer()
    room = uuid.UUID(garden).bytes
    lie(
        "/history-records",
        lambda answer: {"records": [poison(writer, room, row) for row in answer["records"]]},
    )

    refused = try_restore(other, secret)

    assert (refused.status, refused.error) == (4, "recovery")
    assert refused.rows[0]["refused"] == {garden: "recovery"}
    rows = other("read", garden).rows
    assert [row.get("text", row.get("unreadable")) for row in rows if "event" not in row] == [
        "epoch_unusable",
        "with a good one",
    ]


def poison(writer, room, row):
    """The record of epoch 0 with another secret, well signed by a device of the account."""
    if row["epoch"] != 0:
        return row
    name = EpochName(room, 0, unb64(row["commit_hash"]))
    record = seal_history(writer, name, bytes(32))
    return {**row, "record": b64(record.record), "sig": b64(record.sig)}
