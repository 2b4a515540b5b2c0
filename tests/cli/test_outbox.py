"""What waits in the line of a terminal: looked at, sent again, deleted."""

import json

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from crypto_client.client.failures import Refused, Unreachable
from crypto_client.client.socket import Socket
from crypto_client.client.store import Store

pytestmark = pytest.mark.slow

ask = Socket.ask


@pytest.fixture
def sending(monkeypatch):
    """What happens to messages on their way from now on."""

    def becomes(change):
        def asked(socket, event, **members):
            send = ask if event != "message.send" else change
            return send(socket, event, **members)

        monkeypatch.setattr(Socket, "ask", asked)

    return becomes


def refuse(_socket, _event, **_members):
    raise Refused("forbidden")


def lose_the_request(_socket, _event, **_members):
    raise Unreachable


def lose_the_answer(socket, event, **members):
    ask(socket, event, **members)
    raise Unreachable


def end_the_session(socket, event, **members):
    """The server has the message; then, and before its answer is read, it closes with 4001."""
    ask(socket, event, **members)

    async def closed():
        raise ConnectionClosedError(Close(4001, ""), None)

    socket._connection.recv = closed
    ask(socket, event, **members)


def in_line(person):
    """The rows of ``outbox list``."""
    ran = person("outbox", "list")
    assert ran.status == 0, ran.error
    return ran.rows


def voids_told(person):
    """The counters that messages in this person's home call void."""
    store = Store(person.home)
    try:
        bodies = [row["body"] for row in store.rows("SELECT body FROM messages ORDER BY seq")]
    finally:
        store.close()
    return [void for body in bodies if body for void in json.loads(body).get("void", [])]


def test_a_refused_message_is_listed_with_its_reason_and_sent_again(alice, bob, garden, sending):
    sending(refuse)
    assert alice("send", "garden", "one").error == "forbidden"
    assert alice("send", "garden", "two").status == 1
    first, second = in_line(alice)
    assert (first["text"], first["state"], first["failure"]) == ("one", "failed", "forbidden")
    assert first["may_be_stored"] is False

    sending(ask)
    assert alice("outbox", "retry", second["message_id"][:13]).row["state"] == "accepted"
    assert [row["state"] for row in alice("outbox", "retry").rows] == ["accepted"]

    assert bob.reads("garden") == ["two", "one"]
    assert alice.reads("garden") == ["two", "one"]
    assert in_line(alice) == []


def test_a_refused_message_is_deleted_and_its_counter_declared_void(alice, bob, garden, sending):
    sending(refuse)
    alice("send", "garden", "better not")
    (row,) = in_line(alice)

    gone = alice("outbox", "delete", row["message_id"]).row
    assert gone == {"deleted": row["message_id"], "may_be_stored": False}

    sending(ask)
    alice("send", "garden", "after that", "--wait", "stored")
    assert bob.reads("garden") == ["after that"]
    assert len(voids_told(bob)) == 1


def test_what_the_server_may_have_is_given_up_and_shows_when_it_had_it(alice, bob, garden, sending):
    sending(lose_the_answer)
    assert alice("send", "garden", "perhaps").status == 3
    (row,) = in_line(alice)
    assert (row["state"], row["may_be_stored"]) == ("waiting", True)

    sending(refuse)
    assert alice("outbox", "delete", row["message_id"]).row["may_be_stored"] is True
    assert in_line(alice) == []
    sending(ask)

    assert bob.reads("garden") == ["perhaps"]
    assert alice.reads("garden") == ["perhaps"]
    alice("send", "garden", "the end", "--wait", "stored")
    assert bob.reads("garden") == ["perhaps", "the end"]
    assert voids_told(bob) == []


def test_a_session_that_ends_in_between_is_no_refusal_of_the_message(alice, bob, garden, sending):
    sending(end_the_session)
    assert alice("send", "garden", "perhaps").error == "not_signed_in"
    (row,) = in_line(alice)
    assert (row["state"], row["may_be_stored"]) == ("waiting", True)

    sending(refuse)
    assert alice("outbox", "delete", row["message_id"]).row["may_be_stored"] is True
    sending(ask)

    assert bob.reads("garden") == ["perhaps"]
    alice("send", "garden", "the end", "--wait", "stored")
    assert voids_told(bob) == []


def test_what_never_arrived_and_was_given_up_is_not_sent(alice, bob, garden, sending):
    sending(lose_the_request)
    alice("send", "garden", "lost")
    (row,) = in_line(alice)
    alice("outbox", "delete", row["message_id"])
    sending(ask)

    alice("outbox", "retry")
    alice("room", "list")

    assert bob.reads("garden") == []


def test_what_the_server_has_is_not_deleted(alice, bob, garden):
    alice("send", "garden", "accepted")
    (row,) = in_line(alice)
    assert row["state"] == "accepted"

    refused = alice("outbox", "delete", row["message_id"])

    assert (refused.status, refused.error) == (1, "forbidden")
    assert bob.reads("garden") == ["accepted"]


@pytest.mark.parametrize("words", ["0b1c2d3e", "x", ""])
def test_a_message_that_does_not_wait_is_not_found(alice, garden, words):
    for doing in ("retry", "delete") if words else ("delete",):
        refused = alice("outbox", doing, words)
        assert (refused.status, refused.error) == (1, "not_found")
