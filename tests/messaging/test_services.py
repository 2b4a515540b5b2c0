"""Sending: who may, into which epoch, and what is answered when a message comes again."""

import pytest
from asgiref.sync import async_to_sync

from accounts.protocol import from_base64url
from accounts.refusals import Refused
from crypto_client.committing import commit_refresh
from messaging import announce, runtime, services
from messaging.envelope import read_header
from messaging.stamps import Stamp, verify_stamp
from tests.messaging.envelopes import envelope
from tests.rooms.garden import another_device, id_bytes, relist


@pytest.fixture
def shown(monkeypatch):
    """Messages that were shown live, in order."""
    records = []

    async def remember(record):
        records.append(record)

    monkeypatch.setattr(announce, "message_live", remember)
    return records


def refusal(garden, name, data):
    with pytest.raises(Refused) as refused:
        garden.send(name, data)
    return refused.value.code


# Accepting


def test_what_a_member_sends_is_accepted_shown_and_stored(garden, shown):
    sealed = garden.chain.seal("bob", "water the beans")

    accepted = garden.send("bob", sealed.envelope)

    assert (accepted.state, accepted.seq) == ("accepted", None)
    assert [record.body for record in shown] == [sealed.envelope]
    last = garden.items("alice")[-1]
    assert from_base64url(last["envelope"]) == sealed.envelope


def test_the_same_stamp_goes_to_the_sender_to_the_room_and_into_the_log(garden, shown):
    sealed = garden.chain.seal("bob", "who said that?")

    accepted = garden.send("bob", sealed.envelope)

    stamp = Stamp(accepted.key_id, accepted.accepted_ms, accepted.stamp)
    assert verify_stamp(read_header(sealed.envelope).header_hash, stamp)
    assert shown[0].stamp == accepted.stamp == from_base64url(garden.items("bob")[-1]["stamp"])


def test_what_the_queue_does_not_confirm_is_shown_to_nobody(garden, shown, monkeypatch):
    class BrokenQueue:
        async def publish(self, record):
            assert not shown
            raise Refused("unavailable", retry_after_ms=1000)

    monkeypatch.setattr(runtime, "queue", BrokenQueue)

    assert refusal(garden, "bob", garden.chain.seal("bob", "hello?").envelope) == "unavailable"
    assert not shown


def test_sending_asks_the_database_once_before_the_queue(
    garden, monkeypatch, django_assert_num_queries
):
    class Sink:
        async def publish(self, record):
            pass

    monkeypatch.setattr(runtime, "queue", Sink)
    sealed = garden.chain.seal("bob", "quick")

    with django_assert_num_queries(1):
        garden.send("bob", sealed.envelope)


# Who may


@pytest.mark.parametrize(("name", "code"), [("mallory", "not_found"), ("dave", "forbidden")])
def test_who_is_not_in_the_room_cannot_send(garden, shown, name, code):
    assert garden.say("bob", "members can").state == "accepted"

    assert refusal(garden, name, envelope(garden, name)) == code
    assert len(shown) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda g: {"user": id_bytes("alice")},
        lambda g: {"device": g.chain.keys["alice"].device.device},
        lambda g: {"room": bytes(16)},
        lambda g: {"commit_hash": g.chain.commits[0].hash},
    ],
    ids=["other-user", "other-device", "other-room", "old-commit-hash"],
)
def test_nobody_sends_under_a_header_that_is_not_their_own(garden, shown, change):
    assert garden.send("bob", envelope(garden, "bob")).state == "accepted"

    assert refusal(garden, "bob", envelope(garden, "bob", **change(garden))) == "header_mismatch"
    assert len(shown) == 1


# Which epoch


@pytest.mark.parametrize("epoch", [0, 2])
def test_only_the_head_epoch_is_accepted(garden, epoch):
    assert garden.chain.head.epoch == 1

    assert refusal(garden, "bob", envelope(garden, "bob", epoch=epoch)) == "stale_epoch"


def test_nobody_writes_while_a_leave_waits_for_its_commit(garden):
    garden.commit("alice", garden.add("alice", "carol"))
    assert garden.say("bob", "still four of us").state == "accepted"
    statement = garden.leave("carol")

    assert refusal(garden, "bob", garden.chain.seal("bob", "and now?").envelope) == "stale_epoch"
    garden.commit("bob", garden.remove("bob", "carol", statement))
    assert garden.say("bob", "three").state == "accepted"


def test_nobody_writes_while_the_roster_names_an_old_device_list(garden):
    tablet = another_device(garden, "bob")
    signed = relist(garden, "bob", garden.chain.keys["bob"].device, tablet)

    assert refusal(garden, "alice", garden.chain.seal("alice", "hi").envelope) == "stale_epoch"
    garden.commit("alice", commit_refresh(garden.chain.head, [signed], garden.chain.by("alice")))
    assert garden.say("alice", "hi").state == "accepted"


# Again


def test_a_message_that_is_stored_is_said_to_be_stored_before_its_epoch_is_called_stale(garden):
    sealed = garden.chain.seal("bob", "sent once")
    first = garden.send("bob", sealed.envelope)
    garden.commit("alice", garden.rotate("alice"))

    again = garden.send("bob", sealed.envelope)

    assert (again.state, again.stamp) == ("stored", first.stamp)
    assert again.seq == garden.items("bob")[-2]["seq"]


def test_three_sealings_of_one_message_are_one_message(garden):
    message_id = b"m" * 16
    first = garden.chain.seal("bob", "once", msg_id=message_id)
    garden.send("bob", first.envelope)
    later = [first.envelope]
    for _ in range(2):
        garden.commit("alice", garden.rotate("alice"))
        later.append(garden.chain.seal("bob", "once", msg_id=message_id).envelope)

    answers = [garden.send("bob", data).state for data in later]

    assert answers == ["stored", "stored", "accepted"]
    rows = [item for item in garden.items("alice") if item["kind"] == "message"]
    assert [from_base64url(item["envelope"]) for item in rows].count(first.envelope) == 1
    assert len(rows) == 3


def test_a_removed_member_learns_that_an_earlier_message_was_stored(garden):
    sealed, late = garden.chain.seal("bob", "in time"), envelope(garden, "bob")
    garden.send("bob", sealed.envelope)
    garden.commit("alice", garden.remove("alice", "bob"))

    assert garden.send("bob", sealed.envelope).state == "stored"
    assert refusal(garden, "bob", late) == "forbidden"


def test_another_device_cannot_answer_for_a_stored_message(garden):
    sealed = garden.chain.seal("bob", "mine")
    garden.send("bob", sealed.envelope)
    bob, alice = garden.cast.bob, garden.cast.alice

    with pytest.raises(Refused, match="header_mismatch"):
        async_to_sync(services.send_message)(
            actor_id=bob.id,
            device_id=alice.device_id,
            room_id=garden.id,
            envelope=sealed.envelope,
        )
