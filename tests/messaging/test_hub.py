"""The hub: one serialisation, one write for each turn, and nobody waits for anybody."""

import asyncio
import uuid

import pytest

from messaging.fanout.control import encode_removal
from messaging.fanout.in_process import InProcessFanOut
from messaging.hub import Hub
from messaging.transport import encode_text
from tests.messaging.records import OTHER_ROOM, ROOM

ALICE, BOB = uuid.UUID(int=1), uuid.UUID(int=2)


class Written:
    """An outlet that remembers each write."""

    def __init__(self, user_id=ALICE):
        self.user_id = user_id
        self.writes = []

    def write(self, texts, wire=None):
        self.writes.append((list(texts), wire))

    @property
    def texts(self):
        return [text for texts, _ in self.writes for text in texts]


@pytest.fixture
def fan_out():
    return InProcessFanOut()


@pytest.fixture
def hub(fan_out):
    return Hub(fan_out)


async def a_turn():
    await asyncio.sleep(0)


async def test_every_socket_of_the_room_gets_the_very_same_bytes(hub, fan_out):
    one, two = Written(), Written(BOB)
    await hub.join(ROOM, one)
    await hub.join(ROOM, two)

    await fan_out.publish(ROOM, b'{"event":"x"}')
    await a_turn()

    assert one.texts == two.texts == [b'{"event":"x"}']
    assert one.writes[0][1] is two.writes[0][1]


async def test_frames_of_one_turn_leave_in_one_write_and_in_order(hub, fan_out):
    socket = Written()
    await hub.join(ROOM, socket)

    for number in range(3):
        await fan_out.publish(ROOM, b"{%d}" % number)
    await a_turn()

    assert [texts for texts, _ in socket.writes] == [[b"{0}", b"{1}", b"{2}"]]
    assert socket.writes[0][1] == b"".join(map(encode_text, socket.texts))


async def test_nothing_of_another_room_is_written(hub, fan_out):
    socket = Written()
    await hub.join(ROOM, socket)

    await fan_out.publish(OTHER_ROOM, b"{}")
    await a_turn()

    assert socket.writes == []


async def test_a_removed_person_gets_what_came_before_and_nothing_after(hub, fan_out):
    gone, stays = Written(BOB), Written(ALICE)
    await hub.join(ROOM, gone)
    await hub.join(ROOM, stays)

    await fan_out.publish(ROOM, b"{before}")
    await fan_out.publish(ROOM, encode_removal([BOB]))
    await fan_out.publish(ROOM, b"{after}")
    await a_turn()

    assert gone.texts == [b"{before}"]
    assert stays.texts == [b"{before}", b"{after}"]


async def test_a_removed_person_keeps_their_other_rooms(hub, fan_out):
    socket = Written(BOB)
    await hub.join(ROOM, socket)
    await hub.join(OTHER_ROOM, socket)

    await fan_out.publish(ROOM, encode_removal([BOB]))
    await fan_out.publish(OTHER_ROOM, b"{}")
    await a_turn()

    assert socket.texts == [b"{}"]


async def test_a_closed_socket_leaves_all_rooms(hub, fan_out):
    socket = Written()
    await hub.join(ROOM, socket)
    await hub.join(OTHER_ROOM, socket)

    await hub.leave_all(socket)
    await fan_out.publish(ROOM, b"{}")
    await a_turn()

    assert socket.writes == []
    assert (hub.sockets_in(ROOM), hub.sockets_in(OTHER_ROOM)) == (0, 0)


def test_a_hub_survives_the_loop_that_it_lived_in(hub, fan_out):
    async def live():
        socket = Written()
        await hub.join(ROOM, socket)
        await fan_out.publish(ROOM, b"{}")
        if not socket.writes:
            await a_turn()
        return socket

    first, second = asyncio.run(live()), asyncio.run(live())

    assert first.texts[0] == second.texts[0] == b"{}"
