"""What the program says and keeps when something is in the way."""

import signal
import sqlite3
import uuid

import pytest

from crypto_client.client.failures import Unreachable, Usage
from crypto_client.client.session import Session
from crypto_client.client.socket import Socket
from crypto_client.client.store import Store
from tests.cli.terminal import Terminal
from tests.e2e.site import Site

pytestmark = pytest.mark.slow


@pytest.fixture
def own_server(tmp_path):
    """A server that this test may kill."""
    server = Site(tmp_path / "own-server")
    server.manage("migrate")
    yield server.start()
    server.stop()


def test_a_killed_server_comes_back_with_everything_it_confirmed(own_server, tmp_path, capsys):
    def terminal(name):
        home = tmp_path / name
        return Terminal(name, f"{name}@example.org", own_server.address, home, capsys).sign_up()

    alice, bob = terminal("alice"), terminal("bob")
    alice.befriend(bob)
    alice("room", "group", "garden", bob.email)
    assert alice("send", "garden", "confirmed").row["state"] == "accepted"

    own_server.end(signal.SIGKILL)
    assert alice("send", "garden", "nobody hears").status == 3
    own_server.start()

    assert bob.reads("garden") == ["confirmed"]
    assert alice.reads("garden") == ["confirmed"]


def test_a_message_whose_confirm_was_lost_is_stored_once(alice, bob, garden, monkeypatch):
    ask = Socket.ask

    def lose_the_answer(socket, event, **members):
        answer = ask(socket, event, **members)
        if event == "message.send":
            raise Unreachable
        return answer

    monkeypatch.setattr(Socket, "ask", lose_the_answer)
    assert alice("send", "garden", "only once").status == 3
    monkeypatch.setattr(Socket, "ask", ask)

    assert alice.reads("garden") == ["only once"]
    assert bob.reads("garden") == ["only once"]


def test_a_message_that_never_left_is_sent_by_the_next_command(alice, bob, garden, monkeypatch):
    ask = Socket.ask

    def break_off(socket, event, **members):
        if event == "message.send":
            raise Unreachable
        return ask(socket, event, **members)

    monkeypatch.setattr(Socket, "ask", break_off)
    assert alice("send", "garden", "patience").status == 3
    monkeypatch.setattr(Socket, "ask", ask)
    assert bob.reads("garden") == []

    alice("room", "list")

    assert bob.reads("garden") == ["patience"]


def test_a_message_kept_over_a_new_epoch_is_sealed_again_under_its_id(
    alice, bob, carol, garden, monkeypatch
):
    ask = Socket.ask

    def break_off(socket, event, **members):
        if event == "message.send":
            raise Unreachable
        return ask(socket, event, **members)

    monkeypatch.setattr(Socket, "ask", break_off)
    assert bob("send", "garden", "late").status == 3
    monkeypatch.setattr(Socket, "ask", ask)
    alice("room", "invite", "garden", carol.email)

    bob("room", "list")

    assert alice.reads("garden") == bob.reads("garden") == carol.reads("garden") == ["late"]


def test_a_server_that_is_not_there_is_status_3(alice):
    alice.server = "http://127.0.0.1:1"

    assert alice("whoami").status == 3


def test_a_wrong_password_is_refused(alice):
    alice("sign-out")

    refused = alice("sign-in", alice.email, "--password", "not the long way home")

    assert (refused.status, refused.error) == (1, "sign_in")
    assert alice("whoami").error == "not_signed_in"
    assert alice("sign-in", alice.email, "--password", alice.password).row["email"] == alice.email


def test_the_answer_to_a_friend_request_tells_nothing(alice, mallory):
    known = mallory("friend", "add", alice.email)
    unknown = mallory("friend", "add", "nobody@example.org")

    assert known.row == unknown.row == {"status": "sent"}


def test_a_second_process_may_not_use_a_home(alice):
    store = Store(alice.home)
    try:
        assert (alice("whoami").status, alice("whoami").error) == (2, "home_in_use")
        with pytest.raises(Usage):
            Store(alice.home)
    finally:
        store.close()
    assert alice("whoami").status == 0


def test_another_persons_home_is_not_taken_over(alice, mallory):
    mallory.home = alice.home

    refused = mallory("sign-in", mallory.email, "--password", mallory.password)

    assert (refused.status, refused.error) == (2, "home_of_another_account")


def test_an_account_whose_keys_are_elsewhere_says_so(alice, tmp_path):
    alice.home = tmp_path / "another"

    refused = alice("sign-in", alice.email, "--password", alice.password)

    assert (refused.status, refused.error) == (4, "no_keys_here")


def test_a_changed_account_key_is_refused_and_never_taken_over(alice, bob, garden):
    assert alice("verify", bob.email).status == 0
    with sqlite3.connect(alice.home / "device.sqlite3") as db:
        (bobs_key,) = db.execute(
            "SELECT amk_pub FROM accounts a JOIN people p ON p.nickname = 'bob'"
            " WHERE lower(hex(a.user)) = replace(p.user, '-', '')"
        ).fetchone()
        swapped = bytes(32)
        db.execute(
            "UPDATE accounts SET amk_pub = ?, version = 0 WHERE amk_pub = ?", (swapped, bobs_key)
        )

    assert alice("verify", bob.email).row["trust"] == "changed"
    assert alice("friend", "list").row["trust"] == "changed"
    refused = alice("room", "group", "trap", bob.email)
    assert (refused.status, refused.error) == (4, "pin_mismatch")
    with sqlite3.connect(alice.home / "device.sqlite3") as db:
        pins = {row[0] for row in db.execute("SELECT amk_pub FROM accounts")}
    assert swapped in pins
    assert bobs_key not in pins


def test_a_word_about_the_heads_fetches_what_was_lost_on_its_way(alice, bob, garden):
    with Session.open(bob.home, None, 20) as session:
        messenger = session.messenger
        alice("send", "garden", "lost on its way", "--wait", "stored")
        room = uuid.UUID(garden).bytes
        assert [row.get("text") for row in messenger.timeline(room, 1)] != ["lost on its way"]

        elsewhere = {str(uuid.uuid4()): {"seq": 9, "epoch": 0}}
        messenger.handle({"event": "heads", "rooms": {garden: {"seq": 2, "epoch": 0}, **elsewhere}})

        assert [row.get("text") for row in messenger.timeline(room, 1)] == ["lost on its way"]
