"""A new recovery key from the command line, and a server that lies about it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from crypto_client.cli import main
from crypto_client.client import renewing
from crypto_client.client.server import Server, b64
from crypto_client.client.session import Session
from crypto_client.recovery import backup_seed, decode_code
from crypto_client.xwing import public_of
from tests.cli.homes import (
    another_home,
    records_of,
    renewed,
    restored,
    say,
    secret_of,
    try_restore,
    written,
)

pytestmark = pytest.mark.slow


# Renewing


def test_the_new_words_open_everything_old_and_new_and_the_old_words_nothing(alice, bob, garden):
    say(bob, garden, "before")
    alice("room", "rename", "garden", "정원")
    say(alice, garden, "before, in another epoch")
    former = secret_of(alice)

    shown, done = renewed(alice, former)

    assert done["waiting"] == []
    say(bob, garden, "after, by bob")
    say(alice, garden, "after, by alice")
    everything = ["before", "before, in another epoch", "after, by bob", "after, by alice"]
    other = another_home(alice)
    refused = try_restore(other, former)
    assert (refused.status, refused.error) == (4, "recovery")
    assert try_restore(other, shown["words"]).status == 0
    assert other.reads(garden) == alice.reads(garden) == bob.reads(garden) == everything


def test_the_new_code_opens_the_account_as_well(alice, bob, garden):
    say(bob, garden, "by code")
    shown, _ = renewed(alice, secret_of(alice))
    other = another_home(alice)

    assert try_restore(other, shown["code"]).status == 0

    assert other.reads(garden) == ["by code"]


def test_nothing_that_the_server_keeps_opens_with_the_former_backup_key(alice, bob, garden):
    say(alice, garden, "sealed again")
    former = decode_code(alice("recovery", "set").row["code"])
    before = records_of(alice, garden)
    assert {version for _, version in before} == {1}

    _, done = renewed(alice, secret_of(alice))

    after = records_of(alice, garden)
    assert {version for _, version in after} == {2}
    assert {epoch for epoch, _ in before} < {epoch for epoch, _ in after}
    assert done["moved"] == len(before)
    with Session.open(alice.home, None, 20) as session:
        backup = session.server.get("/api/me/backup-key")
    assert backup["bk_version"] == 2
    user = uuid.UUID(alice("whoami").row["user_id"]).bytes
    assert backup["bk_pub"] != b64(public_of(backup_seed(former, user, 2)))


def test_another_home_follows_and_writes_for_the_new_key(alice, bob, garden):
    second = restored(alice)
    say(second, garden, "from the second home")
    shown, _ = renewed(alice, secret_of(alice))

    say(second, garden, "after the renewal")
    second("room", "rename", garden, "renamed by the second home")
    say(second, garden, "in an epoch that the second home began")

    third = another_home(alice)
    assert try_restore(third, shown["words"]).status == 0
    assert {version for _, version in records_of(second, garden)} == {2}
    assert third.reads(garden) == alice.reads(garden) == bob.reads(garden)
    assert len(third.reads(garden)) == 3


def test_a_key_may_be_renewed_again_and_again(alice, bob, garden):
    say(bob, garden, "under the first")
    first, _ = renewed(alice, secret_of(alice))
    say(bob, garden, "under the second")
    second, _ = renewed(alice, first["words"])
    say(bob, garden, "under the third")

    other = another_home(alice)
    assert try_restore(other, first["words"]).status == 4
    assert try_restore(other, second["words"]).status == 0

    assert other.reads(garden) == ["under the first", "under the second", "under the third"]


# Step by step


def test_nothing_changes_before_the_new_key_was_written_down(alice, garden):
    former = secret_of(alice)
    path = str(written(alice, former))

    shown = alice("recovery", "renew", "--secret-file", path).row
    again = alice("recovery", "renew").row

    assert shown["renewed"] is False
    assert again == shown
    other = another_home(alice)
    assert try_restore(other, shown["words"]).status == 4
    assert try_restore(other, former).status == 0


def test_a_renewal_can_be_discarded(alice, garden):
    former = secret_of(alice)
    alice("recovery", "renew", "--secret-file", str(written(alice, former)))

    assert alice("recovery", "renew", "--discard").row == {"discarded": True}

    assert try_restore(another_home(alice), former).status == 0


def test_the_new_key_counts_only_when_it_was_typed_again_as_shown(alice, monkeypatch, capsys):
    former = secret_of(alice)
    path = str(written(alice, former))
    shown = alice("recovery", "renew", "--secret-file", path).row
    options = ["--server", alice.server, "--home", str(alice.home)]
    for typed, status in ((former, 4), (shown["words"], 0)):
        monkeypatch.setattr("getpass.getpass", lambda prompt, typed=typed: typed)
        assert main([*options, "recovery", "renew"]) == status
        capsys.readouterr()

    assert try_restore(another_home(alice), shown["words"]).status == 0


def test_the_home_holds_neither_secret_afterwards(alice, garden):
    former = alice("recovery", "set").row
    shown, _ = renewed(alice, former["words"])

    held = b"".join(path.read_bytes() for path in alice.home.iterdir())

    for secret in (former["words"], former["code"], shown["words"], shown["code"]):
        assert secret.encode() not in held


def test_a_wrong_secret_renews_nothing(alice, mallory):
    path = str(written(alice, secret_of(mallory)))

    refused = alice("recovery", "renew", "--secret-file", path, "--written-down")

    assert (refused.status, refused.error) == (4, "recovery")
    assert alice("recovery", "renew", "--discard").row == {"discarded": True}


def test_a_lost_answer_loses_nothing(alice, bob, garden, monkeypatch):
    say(bob, garden, "kept")
    path = str(written(alice, secret_of(alice)))
    post = Server.post

    def post_and_lose(server, path, body=None):
        answer = post(server, path, body)
        return 1 / 0 if path == "/api/me/recovery" else answer

    with monkeypatch.context() as patch:
        patch.setattr(Server, "post", post_and_lose)
        with pytest.raises(ZeroDivisionError):
            alice("recovery", "renew", "--secret-file", path, "--written-down")

    shown, done = alice("recovery", "renew", "--written-down").rows

    assert (shown["renewed"], done["renewed"], done["waiting"]) == (False, True, [])
    other = another_home(alice)
    assert try_restore(other, shown["words"]).status == 0
    assert other.reads(garden) == ["kept"]


def test_history_that_could_not_be_moved_is_moved_by_the_next_run(alice, bob, garden, monkeypatch):
    say(bob, garden, "not moved yet")
    path = str(written(alice, secret_of(alice)))
    with monkeypatch.context() as patch:
        patch.setattr(renewing, "reseal_room", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            alice("recovery", "renew", "--secret-file", path, "--written-down")
    assert 1 in {version for _, version in records_of(alice, garden)}

    assert alice("recovery", "renew").row["renewed"] is True

    assert {version for _, version in records_of(alice, garden)} == {2}


def test_a_device_that_enters_in_between_stops_a_renewal_by_name(alice, garden):
    former = secret_of(alice)
    alice("recovery", "renew", "--secret-file", str(written(alice, former)))
    assert try_restore(another_home(alice), former).status == 0

    refused = alice("recovery", "renew", "--written-down")

    assert (refused.status, refused.error) == (1, "list_version")
    shown, _ = renewed(alice, former)
    assert try_restore(another_home(alice), shown["words"]).status == 0


# A server that lies


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


def served(person, path):
    with Session.open(person.home, None, 20) as session:
        return session.server.get(path)


def test_the_former_blob_served_again_opens_no_account(alice, garden, lie):
    former, old_blob = secret_of(alice), served(alice, "/api/me/recovery")
    renewed(alice, former)
    other = another_home(alice)
    lie("/me/recovery", lambda _: old_blob)
    lie("/api/me", lambda me: {**me, "recovery_version": 1})

    refused = try_restore(other, former)

    assert (refused.status, refused.error) == (4, "recovery")
    assert len(alice("devices").rows) == 1


def test_the_former_blob_and_the_former_list_served_again_show(alice, bob, garden, lie):
    former, old_blob = secret_of(alice), served(alice, "/api/me/recovery")
    renewed(alice, former)
    other = another_home(alice)
    lie("/me/recovery", lambda _: old_blob)
    lie("/api/me", lambda me: {**me, "recovery_version": 1, "list_version": 1})
    lie("/keys", lambda keys: {**keys, "lists": [r for r in keys["lists"] if r["version"] < 2]})

    refused = try_restore(other, former)

    assert (refused.status, refused.error) == (4, "kt")
    assert len(alice("devices").rows) == 1


def test_the_former_list_served_with_its_key_log_shows_in_the_rooms(alice, bob, garden, lie):
    former, old_blob = secret_of(alice), served(alice, "/api/me/recovery")
    head, page = served(alice, "/api/key-log/head"), served(alice, "/api/key-log")
    renewed(alice, former)
    other = another_home(alice)
    lie("/me/recovery", lambda _: old_blob)
    lie("/api/me", lambda me: {**me, "recovery_version": 1, "list_version": 1})
    lie("/keys", lambda keys: {**keys, "lists": [r for r in keys["lists"] if r["version"] < 2]})
    lie("/key-log/head", lambda _: head)
    lie("/key-log", lambda _: page)

    refused = try_restore(other, former)

    assert (refused.status, refused.error) == (4, "list_rollback")
    assert len(alice("devices").rows) == 1


def test_a_renewal_that_is_hidden_from_another_home_shows_in_its_rooms(alice, bob, garden, lie):
    second = restored(alice)
    former = secret_of(alice)
    head, page = served(alice, "/api/key-log/head"), served(alice, "/api/key-log")
    renewed(alice, former)
    lie("/keys", lambda keys: {**keys, "lists": [r for r in keys["lists"] if r["version"] < 3]})
    lie("/key-log/head", lambda _: head)
    lie("/key-log", lambda _: page)

    assert second("room", "list").row["trouble"] == "reference"
    refused = second("send", garden, "for the former key as well")

    assert refused.status == 4
    assert bob.reads(garden) == []


def test_another_backup_key_than_the_list_names_is_not_written_for(alice, bob, garden, lie):
    second = restored(alice)
    former = served(alice, "/api/me/backup-key")
    renewed(alice, secret_of(alice))
    lie("/me/backup-key", lambda _: former)
    alice("room", "rename", garden, "an epoch for the second home")

    assert second("room", "list").row["trouble"] == "recovery"
    refused = second("send", garden, "into a room that did not verify")

    assert (refused.status, refused.error) == (4, "recovery")
    assert {version for _, version in records_of(alice, garden)} == {2}


def test_a_carried_seed_that_is_withheld_leaves_its_history_closed_by_name(
    alice, bob, garden, lie, monkeypatch
):
    say(bob, garden, "before")
    path = str(written(alice, secret_of(alice)))
    shown = alice("recovery", "renew", "--secret-file", path).row
    monkeypatch.setattr(renewing, "reseal_room", lambda *_: 0)
    assert alice("recovery", "renew", "--written-down").status == 0
    say(bob, garden, "after")
    other = another_home(alice)
    lie("/me/recovery", lambda answer: {**answer, "carries": []})

    refused = try_restore(other, shown["words"])

    assert (refused.status, refused.error) == (4, "recovery")
    assert refused.rows[0]["refused"] == {garden: "recovery"}
    texts = [row.get("text", row.get("unreadable")) for row in other("read", garden).rows]
    assert [text for text in texts if text] == ["epoch_unusable", "after"]


def test_the_carried_seed_opens_what_was_never_moved(alice, bob, garden, monkeypatch):
    say(bob, garden, "before")
    monkeypatch.setattr(renewing, "reseal_room", lambda *_: 0)
    shown, _ = renewed(alice, secret_of(alice))
    other = another_home(alice)

    assert try_restore(other, shown["words"]).status == 0

    assert other.reads(garden) == ["before"]
