"""The chat socket through the whole application: proof, messages, sync, news and their ends."""

import json
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session

from accounts.protocol import from_base64url, to_base64url
from accounts.services import suspend_user
from messaging import device_socket
from messaging.models import LogRecord
from tests.messaging.sockets import browser, opened, proved

pytestmark = pytest.mark.django_db(transaction=True)


def sealed_by(garden, name, text="hello"):
    return to_base64url(garden.chain.seal(name, text).envelope)


async def test_a_proof_over_the_hello_makes_the_socket_the_device(garden):
    async with opened(browser(garden.cast.alice)) as socket:
        answer = await socket.prove(garden.cast.alice)

    assert (answer["user_id"], answer["device_id"]) == (
        str(garden.cast.alice.id),
        str(garden.cast.alice.device_id),
    )


async def test_a_proof_by_the_key_of_somebody_else_is_refused(alice, bob):
    async with opened(browser(alice)) as socket:
        assert (await socket.prove(bob))["code"] == "device_proof"


async def test_a_proof_for_another_socket_is_refused(alice):
    async with opened(browser(alice)) as one, opened(browser(alice)) as two:
        one.hello = two.hello

        assert (await one.prove(alice))["code"] == "device_proof"


async def test_a_nonce_is_good_for_one_try(alice, bob):
    async with opened(browser(alice)) as socket:
        await socket.prove(bob)

        assert (await socket.prove(alice))["code"] == "device_proof"


async def test_a_socket_that_proves_nothing_in_time_is_closed(alice, monkeypatch):
    monkeypatch.setattr(device_socket, "PROOF_SECONDS", 0.01)

    async with opened(browser(alice)) as socket:
        assert await socket.closed_with() == 4001


async def test_a_message_is_accepted_shown_live_and_stored_in_this_order(garden):
    alice, bob = garden.cast.alice, garden.cast.bob
    async with proved(alice) as sender, proved(bob) as reader:
        envelope = sealed_by(garden, "alice")
        accepted = await sender.ask("message.send", room_id=str(garden.id), envelope=envelope)
        events = [await reader.frame(), await reader.frame()]

    assert accepted["state"] == "accepted"
    assert [event["event"] for event in events] == ["message.live", "message.stored"]
    live, stored = events
    assert live["envelope"] == envelope
    assert (live["stamp"], live["accepted_ms"]) == (accepted["stamp"], accepted["accepted_ms"])
    [[device, message_id, seq, eid16]] = stored["ids"]
    row = await LogRecord.objects.aget(room_id=garden.id, seq=seq)
    assert (device, message_id) == (str(alice.device_id), accepted["message_id"])
    assert from_base64url(eid16) == bytes(row.eid)[:16]
    assert stored["from"] == stored["to"] == seq


async def test_the_same_envelope_again_is_one_row_and_the_same_place(garden):
    async with proved(garden.cast.alice) as socket:
        envelope = sealed_by(garden, "alice")
        for _ in range(2):
            await socket.ask("message.send", room_id=str(garden.id), envelope=envelope)
        places = [(await socket.push("message.stored"))["ids"] for _ in range(2)]

    assert places[0] == places[1]


async def test_a_counter_used_for_another_message_is_refused_to_its_device_alone(garden):
    epoch = garden.chain.epoch
    first = to_base64url(garden.chain.seal("alice", "one", epoch=epoch).envelope)
    second = to_base64url(garden.chain.seal("alice", "two", epoch=epoch).envelope)
    async with proved(garden.cast.alice) as sender, proved(garden.cast.bob) as other:
        await sender.ask("message.send", room_id=str(garden.id), envelope=first)
        accepted = await sender.ask("message.send", room_id=str(garden.id), envelope=second)
        refused = await sender.push("message.refused")
        await other.ask("ping", t=1)

    assert refused["code"] == "counter_reused"
    assert refused["message_id"] == accepted["message_id"]
    assert "message.refused" not in [frame["event"] for frame in other.pushes]


async def test_sync_gives_what_is_after_the_cursor_and_heads_agree(garden):
    async with proved(garden.cast.bob) as socket:
        answer = await socket.ask("sync", rooms={str(garden.id): 1})
        page = await socket.push("sync.page")
        heads = await socket.ask("heads")

    assert answer["rooms"] == 1
    assert [item["seq"] for item in page["items"]] == list(range(2, page["head"] + 1))
    assert (page["after"], page["upto"], page["more"]) == (1, page["head"], False)
    assert heads["rooms"] == {str(garden.id): {"seq": page["head"], "epoch": 1}}


async def test_a_page_too_long_for_a_frame_is_cut_and_says_how_far_it_speaks(garden):
    say = sync_to_async(garden.say)
    for _ in range(3):
        await say("alice", "x" * 20_000)
    cursor, seqs = 0, []
    async with proved(garden.cast.bob) as socket:
        page: dict[str, Any] = {"more": True}
        while page["more"]:
            await socket.ask("sync", rooms={str(garden.id): cursor})
            page = await socket.push("sync.page")
            assert len(json.dumps(page)) <= 64 * 1024
            seqs += [item["seq"] for item in page["items"]]
            cursor = page["upto"]

    assert seqs == list(range(1, page["head"] + 1))


async def test_a_room_that_is_refused_does_not_keep_the_others_from_syncing(garden):
    unknown = "00000000-0000-4000-8000-000000000000"
    async with proved(garden.cast.bob) as socket:
        answer = await socket.ask("sync", rooms={unknown: 0, str(garden.id): 0})
        page = await socket.push("sync.page")

    assert (answer["code"], page["room_id"]) == ("not_found", str(garden.id))


async def test_cursors_move_forward_and_the_room_hears_of_it(garden):
    async with proved(garden.cast.alice) as alice, proved(garden.cast.bob) as bob:
        answer = await bob.ask("cursor.move", room_id=str(garden.id), delivered_to=2, read_to=1)
        heard = await alice.push("cursor.moved")

    assert (answer["delivered_to"], answer["read_to"]) == (2, 1)
    assert heard["user_id"] == str(garden.cast.bob.id)


async def test_a_former_member_hears_nothing_after_the_removal(garden):
    async with proved(garden.cast.alice) as alice, proved(garden.cast.bob) as bob:
        remove = garden.remove("alice", "bob")
        await sync_to_async(garden.commit)("alice", remove)
        await alice.push("commit.accepted")
        await alice.ask("message.send", room_id=str(garden.id), envelope=sealed_by(garden, "alice"))
        await alice.push("message.stored")
        await bob.ask("ping", t=1)

    heard = [frame for frame in bob.pushes if frame.get("room_id") == str(garden.id)]
    # The row of the commit that removes him was stored while he was still a member.
    assert {frame["event"] for frame in heard} <= {"message.stored", "room.removed"}
    assert not any(frame.get("ids") for frame in heard)


async def test_a_new_member_hears_the_room_from_the_moment_of_joining(garden):
    carol = garden.cast.carol
    async with proved(carol) as socket, proved(garden.cast.alice) as alice:
        await sync_to_async(garden.commit)("alice", garden.add("alice", "carol"))
        added = await socket.push("room.added")
        envelope = sealed_by(garden, "alice")
        await alice.ask("message.send", room_id=str(garden.id), envelope=envelope)
        live = await socket.push("message.live")

    assert added["room_id"] == live["room_id"] == str(garden.id)


async def test_a_sign_out_closes_the_sockets_of_that_session(alice):
    async with proved(alice) as socket:
        await sync_to_async(alice.client.post)("/accounts/logout/")

        assert await socket.closed_with() == 4001


async def test_a_suspension_closes_all_sockets_and_refuses_new_ones(alice, mod):
    async with proved(alice) as one, opened(browser(alice)) as two:
        await sync_to_async(suspend_user)(actor=mod.user, user=alice.user)

        assert await one.closed_with() == await two.closed_with() == 4001


async def test_a_session_that_ended_unheard_is_noticed_by_the_next_look(alice, monkeypatch):
    monkeypatch.setattr(device_socket, "PROOF_SECONDS", 0.3)
    monkeypatch.setattr(device_socket, "SESSION_CHECK_SECONDS", 0.05)
    async with proved(alice) as socket:
        await Session.objects.all().adelete()

        assert await socket.closed_with() == 4001


async def test_a_session_that_has_just_been_looked_at_is_not_looked_at_again_at_once(
    alice, monkeypatch
):
    looks = []

    async def gone(_scope):
        looks.append(time.monotonic())

    monkeypatch.setattr(device_socket, "PROOF_SECONDS", 0.3)
    monkeypatch.setattr(device_socket, "SESSION_CHECK_SECONDS", 0.6)
    monkeypatch.setattr(device_socket, "person_behind", gone)
    began = time.monotonic()
    async with proved(alice) as socket:
        assert await socket.closed_with() == 4001

    assert looks[0] - began >= 0.6


async def test_a_device_revoked_unheard_is_noticed_by_the_next_look(alice, monkeypatch):
    monkeypatch.setattr(device_socket, "PROOF_SECONDS", 0.3)
    monkeypatch.setattr(device_socket, "SESSION_CHECK_SECONDS", 0.05)
    async with proved(alice) as socket:
        await alice.user.devices.all().aupdate(revoked_at=alice.user.created_at)

        assert await socket.closed_with() == 4001


UNREADABLE = {
    "no JSON": "hello",
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "cut off": '{"event":"ping"',
    "no event": '{"ref":"1"}',
    "an unknown event": '{"event":"message.delete","ref":"1"}',
    "an event of the server": '{"event":"message.live","ref":"1"}',
    "an event that is no string": '{"event":["ping"],"ref":"1"}',
    "a number too large to be one": '{"event":"ping","ref":"1","t":1e400}',
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_is_no_frame_is_a_protocol_error_and_the_third_closes(alice, text):
    async with proved(alice) as socket:
        for _ in range(2):
            await socket.say(text)
            assert (await socket.frame())["code"] == "protocol"
        assert (await socket.ask("ping", t=7))["t"] == 7

        await socket.say(text)
        assert await socket.closed_with() == 1008
        assert socket.pushes[-1]["code"] == "protocol"


async def test_a_binary_frame_is_a_protocol_error(alice):
    async with proved(alice) as socket:
        await socket.wire.send_to(bytes_data=b"{}")

        assert (await socket.frame())["code"] == "protocol"


async def test_a_frame_over_64_kib_closes(alice):
    async with proved(alice) as socket:
        await socket.say(json.dumps({"event": "ping", "ref": "1", "t": 1, "x": "y" * 65536}))

        assert await socket.closed_with() == 1009


async def test_more_frames_than_the_burst_close(alice):
    async with proved(alice) as socket:
        for number in range(45):
            await socket.say(json.dumps({"event": "ping", "ref": "1", "t": number}))

        assert await socket.closed_with() == 4029


async def test_a_frame_after_the_end_is_not_read(garden):
    async with proved(garden.cast.alice) as socket:
        for _ in range(3):
            await socket.say("no JSON")
        frame = {"event": "message.send", "ref": "9", "room_id": str(garden.id)}
        before = await LogRecord.objects.acount()
        await socket.say(json.dumps({**frame, "envelope": sealed_by(garden, "alice")}))
        assert await socket.closed_with() == 1008

    assert await LogRecord.objects.acount() == before
