"""The past of before an account was started again, from the command line, over a real server."""

import pytest

from crypto_client.client.failures import Refused
from crypto_client.client.server import Server
from tests.cli.homes import (
    another_home,
    go_on_with,
    records_of,
    renewed,
    restored,
    say,
    secret_of,
    try_restore,
    written,
)
from tests.e2e.later import let_resets_pass

pytestmark = pytest.mark.slow


def start_again(server, person):
    """An empty home of a person, in which the account was started again."""
    home = another_home(person)
    assert home("account", "reset", "begin", "--password", home.password).status == 0
    let_resets_pass(server)
    assert home("account", "reset", "finish").row["device_id"]
    return home


def bring_back(home, secret):
    return home("recovery", "bring-back", "--secret-file", str(written(home, secret)), timeout=60)


def let_in(alice, person, room):
    """alice goes on with the account that was started again, and takes it back into a room."""
    assert go_on_with(alice, person.email).status == 0
    assert alice("room", "invite", room, person.email).status == 0


@pytest.fixture
def former(bob):
    """What bob's recovery key was before he started again; on paper all the time."""
    return secret_of(bob)


@pytest.fixture
def past(alice, bob, garden):
    """What was said in the garden before."""
    say(alice, "garden", "before, by alice")
    say(bob, garden, "before, by bob")
    return ["before, by alice", "before, by bob"]


@pytest.fixture
def started(server, bob, former, past):
    return start_again(server, bob)


def test_the_former_key_brings_back_what_was_before(garden, former, past, started):
    assert started.reads(garden) == []

    assert bring_back(started, former).row == {"rooms": 1, "refused": {}}

    assert started.reads(garden) == past
    assert started.reads("garden") == past


def test_it_is_there_on_each_device_that_comes_later(alice, garden, former, past, started):
    let_in(alice, started, garden)
    say(alice, garden, "after")
    assert bring_back(started, former).status == 0
    assert started.reads(garden) == [*past, "after"]

    assert restored(started).reads(garden) == [*past, "after"]


def test_a_room_of_two_is_read_again_and_stays_ended(alice, bob, former, server):
    room = alice("room", "direct", bob.email).row["room_id"]
    say(bob, room, "between us")
    started = start_again(server, bob)

    assert bring_back(started, former).row["rooms"] == 1

    assert started.reads(room) == ["between us"]
    assert started("room", "list").row["left"] is True


def test_once_more_changes_nothing(garden, former, past, started):
    for _ in range(2):
        assert bring_back(started, former).status == 0

    assert started.reads(garden) == past


def test_each_of_two_former_keys_opens_its_own_time(server, alice, garden, former, past, started):
    let_in(alice, started, garden)
    say(alice, garden, "in between")
    assert started.reads(garden) == ["in between"]
    second = secret_of(started)
    again = start_again(server, started)

    assert bring_back(again, second).status == 0
    assert again.reads(garden) == ["in between"]
    assert bring_back(again, former).status == 0
    assert again.reads(garden) == [*past, "in between"]


def test_what_was_brought_back_is_sealed_to_the_key_of_a_renewal(
    server, alice, bob, garden, former, past
):
    """Of before are records of a second backup key, too: they count for nothing."""
    shown, _ = renewed(bob, former)
    assert {version for _, version in records_of(bob, garden)} == {2}
    started = start_again(server, bob)
    let_in(alice, started, garden)
    assert bring_back(started, shown["words"]).status == 0
    assert 1 in {version for _, version in records_of(started, garden)}

    shown, done = renewed(started, secret_of(started))

    assert done["waiting"] == []
    assert {version for _, version in records_of(started, garden)} == {2}
    other = another_home(started)
    assert try_restore(other, shown["words"]).status == 0
    assert other.reads(garden) == past


# Refused


def test_any_other_key_opens_nothing_and_says_what_is_wrong(alice, garden, started):
    for secret in (secret_of(started), secret_of(alice)):
        refused = bring_back(started, secret)
        assert (refused.status, refused.error) == (4, "recovery")
    mistyped = bring_back(started, "baba baba quux baba baba baba")
    assert mistyped.rows == [{"error": "recovery", "words": [3]}]
    assert started.reads(garden) == []


def test_who_never_started_again_has_nothing_to_bring_back(alice, garden):
    refused = bring_back(alice, secret_of(alice))

    assert (refused.status, refused.error) == (1, "not_found")


def test_the_former_key_opens_no_account_any_more(bob, former, started):
    refused = try_restore(another_home(bob), former)

    assert (refused.status, refused.error) == (4, "recovery")


# A server that lies


class Lies:
    """What the server says of former blobs, changed on its way to bob."""

    def __init__(self, monkeypatch, change):
        true = Server.get

        def get(server, path, **query):
            answer = true(server, path, **query)
            if path != "/api/me/former-recovery":
                return answer
            present = {
                "account_key": true(server, "/api/me")["account_key"],
                **true(server, "/api/me/recovery"),
            }
            return {"former": [change(row, present) for row in answer["former"]]}

        monkeypatch.setattr(Server, "get", get)


def test_a_key_that_no_reset_ended_is_not_looked_at(started, monkeypatch):
    Lies(monkeypatch, lambda row, present: present)

    assert bring_back(started, secret_of(started)).error == "not_found"


def test_another_blob_under_the_former_key_opens_nothing(started, monkeypatch):
    Lies(monkeypatch, lambda row, present: {**present, "account_key": row["account_key"]})

    refused = bring_back(started, secret_of(started))

    assert (refused.status, refused.error) == (4, "recovery")


def test_a_shorter_chain_than_was_followed_is_a_fork_and_opens_nothing(
    alice, garden, former, started, monkeypatch
):
    let_in(alice, started, garden)
    assert started.reads(garden) == []
    true = Server.get

    def get(server, path, **query):
        answer = true(server, path, **query)
        if path.endswith("/commits"):
            answer["commits"] = [each for each in answer["commits"] if each["epoch"] == 0]
        return answer

    monkeypatch.setattr(Server, "get", get)
    refused = bring_back(started, former)

    assert (refused.status, refused.error) == (4, "fork")
    assert started.reads(garden) == []


# Interrupted


def test_a_room_that_the_server_refuses_keeps_no_other_one_closed(
    alice, bob, garden, former, past, server, monkeypatch
):
    room = alice("room", "direct", bob.email).row["room_id"]
    say(bob, room, "between us")
    started = start_again(server, bob)
    true = Server.get
    closed: set[str] = set()

    def get(server, path, **query):
        if path.endswith("/history-records") and (not closed or path in closed):
            closed.add(path)
            raise Refused("unavailable")
        return true(server, path, **query)

    with monkeypatch.context() as patched:
        patched.setattr(Server, "get", get)
        interrupted = bring_back(started, former)
    assert [row["rooms"] for row in interrupted.rows if "refused" in row] == [1]
    assert (interrupted.status, interrupted.error) == (4, "unavailable")

    assert bring_back(started, former).row == {"rooms": 2, "refused": {}}
    assert started.reads(garden) == past
    assert started.reads(room) == ["between us"]
