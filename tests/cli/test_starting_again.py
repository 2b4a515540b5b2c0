"""Starting again without the recovery secret, from the command line, against a real server."""

import uuid

import pytest

from crypto_client.client.former_keys import read_former
from crypto_client.client.server import Server, b64, unb64
from crypto_client.identity import new_account
from crypto_client.succession import make_reset
from tests.cli.homes import another_home, go_on_with, secret_of, try_restore
from tests.cli.linking import linked
from tests.e2e.later import let_resets_pass

pytestmark = pytest.mark.slow


def begin(home):
    return home("account", "reset", "begin", "--password", home.password)


def status(home):
    return home("account", "reset", "status").row


@pytest.fixture
def lost(bob):
    """An empty home of bob's, who has begun to start again in it."""
    lost = another_home(bob)
    assert begin(lost).row["state"] == "waiting"
    return lost


@pytest.fixture
def started(server, lost):
    """The same home, 72 hours later, with bob's account started again."""
    let_resets_pass(server)
    assert lost("account", "reset", "finish").row["device_id"]
    return lost


def say(person, room, text):
    assert person("send", room, text, "--wait", "stored").row["state"] == "stored"


# Waiting


def test_it_waits_and_says_so_everywhere(bob, lost):
    assert begin(lost).row["begun_here"] is True
    told = status(bob)
    assert (told["state"], told["begun_here"]) == ("waiting", False)
    assert told["due_ms"] - told["announced_ms"] == 72 * 3600 * 1000

    refused = lost("account", "reset", "finish")

    assert (refused.status, refused.error) == (1, "reset_waiting")


def test_any_device_stops_it_and_then_nothing_has_changed(server, alice, bob, lost, garden):
    reset_id = status(lost)["reset_id"]
    assert bob("account", "reset", "veto").row == {"stopped": reset_id}

    let_resets_pass(server)
    refused = lost("account", "reset", "finish")
    assert (refused.status, refused.error) == (1, "not_found")
    assert lost("account", "reset", "finish").error == "not_begun_here"
    say(bob, "garden", "still me")
    assert alice.reads("garden") == ["still me"]


def test_who_has_begun_takes_it_back(lost):
    assert lost("account", "reset", "veto").row["stopped"]
    assert status(lost) == {"state": "none"}
    assert lost("account", "reset", "veto").error == "not_found"


def test_a_home_with_keys_or_a_wrong_password_begins_nothing(bob):
    assert begin(bob).error == "home_has_keys"
    empty = another_home(bob)

    refused = empty("account", "reset", "begin", "--password", "a guess")

    assert (refused.status, refused.error) == (1, "password")
    assert status(bob) == {"state": "none"}


def test_the_secret_still_restores_while_it_waits(bob, lost):
    other = another_home(bob)
    assert try_restore(other, secret_of(bob)).status == 0

    assert other("account", "reset", "veto").row["stopped"]


# Afterwards


def test_the_old_home_is_out_and_the_room_goes_on_without_it(alice, bob, garden, lost, server):
    say(bob, "garden", "before")
    let_resets_pass(server)
    assert lost("account", "reset", "finish").status == 0

    refused = bob("send", garden, "from the old home")
    assert (refused.status, refused.error) == (1, "not_signed_in")
    say(alice, "garden", "without bob")

    ran = alice("read", "garden")
    assert [row["event"] for row in ran.rows if "event" in row][-1] == "started_again"
    assert ran.texts == ["before", "without bob"]
    assert alice("room", "list").row["members"] == ["alice"]
    assert lost.reads(garden) == []


def test_nothing_is_wrapped_to_the_new_key_until_a_person_says_so(alice, bob, garden, started):
    for words in (["room", "direct", bob.email], ["room", "invite", "garden", bob.email]):
        refused = alice(*words)
        assert (refused.status, refused.error) == (4, "pin_mismatch"), words
    unseen = alice("verify", bob.email, "--different")
    assert (unseen.status, unseen.error) == (2, "not_shown")

    went_on = go_on_with(alice, bob.email).row

    assert went_on["trust"] == "unverified"
    assert went_on["safety_number"] == started("verify", alice.email).row["safety_number"]
    assert alice("room", "invite", "garden", bob.email).status == 0
    say(alice, garden, "welcome back")
    say(started, garden, "thank you")
    assert started.reads(garden) == alice.reads(garden) == ["welcome back", "thank you"]


def test_the_direct_room_is_another_one(alice, bob, server):
    old = alice("room", "direct", bob.email).row["room_id"]
    say(alice, old, "before")
    lost = another_home(bob)
    assert begin(lost).status == 0
    let_resets_pass(server)
    assert lost("account", "reset", "finish").status == 0

    assert alice("send", old, "to whom?").error in {"forbidden", "not_found"}
    go_on_with(alice, bob.email)
    new = alice("room", "direct", bob.email).row["room_id"]
    say(alice, new, "is it you?")

    assert new != old
    assert lost.reads(new) == ["is it you?"]
    assert alice.reads(old) == ["before"]


def test_a_fellow_member_decides_for_themselves(server, alice, bob, carol, garden):
    assert alice("room", "invite", "garden", carol.email).status == 0
    say(carol, "garden", "hello, bob")
    lost, user = another_home(bob), bob_of(alice, bob)
    assert begin(lost).status == 0
    let_resets_pass(server)
    assert lost("account", "reset", "finish").status == 0
    go_on_with(alice, bob.email)
    assert alice("room", "invite", "garden", bob.email).status == 0

    carol.reads(garden)
    waits = carol("send", garden, "to bob, whoever he is")
    assert (waits.status, waits.error) == (4, "pin_mismatch")
    went_on = go_on_with(carol, user).row
    assert (went_on["user_id"], went_on["email"]) == (user, None)

    say(carol, garden, "to bob")
    assert lost.reads(garden) == ["to bob, whoever he is", "to bob"]


def bob_of(alice, bob):
    """bob's id, as alice has it."""
    [row] = [row for row in alice("friend", "list").rows if row["email"] == bob.email]
    return row["user_id"]


def test_a_home_restored_after_it_reads_what_came_after(alice, bob, garden, started):
    go_on_with(alice, bob.email)
    assert alice("room", "invite", "garden", bob.email).status == 0
    say(alice, garden, "after")
    assert started.reads(garden) == ["after"]

    second = another_home(bob)
    assert try_restore(second, secret_of(started)).status == 0

    assert second.reads(garden) == ["after"]
    say(second, garden, "and I")
    assert alice.reads(garden) == ["after", "and I"]


def test_a_home_linked_after_it_reads_what_came_after(alice, bob, garden, started, monkeypatch):
    go_on_with(alice, bob.email)
    assert alice("room", "invite", "garden", bob.email).status == 0
    say(alice, garden, "after")
    assert started.reads(garden) == ["after"]

    second = linked(started, monkeypatch)

    assert second.reads(garden) == ["after"]
    say(second, garden, "and I")
    assert alice.reads(garden) == ["after", "and I"]


# A server that lies


class Lies:
    """What the server says of bob's keys, changed on its way to alice."""

    def __init__(self, monkeypatch, change):
        true = Server.user_keys

        def user_keys(server, user, *, after_version=0):
            return change(true(server, user, after_version=after_version))

        monkeypatch.setattr(Server, "user_keys", user_keys)


def test_a_new_key_without_a_reset_is_refused_and_gets_nothing(
    alice, bob, garden, started, monkeypatch
):
    Lies(monkeypatch, lambda keys: {**keys, "former": []})

    assert go_on_with(alice, bob.email).error == "pin_mismatch"
    assert alice("room", "direct", bob.email).error == "pin_mismatch"


def test_a_reset_that_the_key_log_does_not_tell_of_is_refused(
    alice, bob, garden, started, monkeypatch
):
    """The server makes a reset of its own to the key that it has put in bob's place."""

    def with_another_reset(keys):
        if not keys["former"]:
            return keys
        former = keys["former"][0]
        [known] = read_former(keys, user_of(keys), unb64(keys["account_key"]))
        made = make_reset(new_account(user_of(keys)), known.reset.amk_old, time=1)
        return {
            **keys,
            "former": [{**former, "reset": b64(made.data), "reset_sig": b64(made.sig)}],
        }

    Lies(monkeypatch, with_another_reset)

    refused = alice("verify", bob.email, "--same")

    assert (refused.status, refused.error) == (4, "pin_mismatch")


def user_of(keys):
    return uuid.UUID(keys["user_id"]).bytes
