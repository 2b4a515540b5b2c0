"""What every fan-out promises."""

import asyncio
from uuid import UUID

import pytest

from tests.messaging.contracts import FAN_OUTS
from tests.messaging.records import OTHER_ROOM, ROOM


@pytest.fixture(params=FAN_OUTS)
async def fan_out(request):
    async with FAN_OUTS[request.param]() as made:
        yield made


class Listener:
    """Remembers what it received, and lets a test wait for it."""

    def __init__(self):
        self.received: asyncio.Queue[tuple[UUID, bytes]] = asyncio.Queue()

    def __call__(self, room_id, payload):
        self.received.put_nowait((room_id, payload))

    async def next(self):
        return await asyncio.wait_for(self.received.get(), 2)


async def test_everybody_who_joined_gets_the_same_bytes(fan_out):
    one, two = Listener(), Listener()
    await fan_out.join(ROOM, one)
    await fan_out.join(ROOM, two)

    await fan_out.publish(ROOM, b"{}")

    assert await one.next() == await two.next() == (ROOM, b"{}")


async def test_payloads_arrive_in_the_order_of_publishing(fan_out):
    listener = Listener()
    await fan_out.join(ROOM, listener)

    for number in range(20):
        await fan_out.publish(ROOM, b"%d" % number)

    assert [(await listener.next())[1] for _ in range(20)] == [b"%d" % n for n in range(20)]


async def test_nothing_of_another_room_arrives(fan_out):
    listener = Listener()
    await fan_out.join(ROOM, listener)

    await fan_out.publish(OTHER_ROOM, b"other")
    await fan_out.publish(ROOM, b"own")

    assert await listener.next() == (ROOM, b"own")


async def test_who_left_gets_nothing_more(fan_out):
    gone, stays = Listener(), Listener()
    await fan_out.join(ROOM, gone)
    await fan_out.join(ROOM, stays)

    await fan_out.leave(ROOM, gone)
    await fan_out.publish(ROOM, b"{}")

    await stays.next()
    assert gone.received.empty()


async def test_joining_twice_is_joining_once(fan_out):
    listener = Listener()
    await fan_out.join(ROOM, listener)
    await fan_out.join(ROOM, listener)

    await fan_out.publish(ROOM, b"1")
    await fan_out.publish(ROOM, b"2")

    assert [(await listener.next())[1], (await listener.next())[1]] == [b"1", b"2"]


async def test_leaving_without_having_joined_is_harmless(fan_out):
    await fan_out.leave(ROOM, Listener())


async def test_a_listener_of_another_loop_is_called_there(fan_out):
    heard = Listener()
    ready, loop = asyncio.Event(), asyncio.get_running_loop()

    def elsewhere():
        async def publish():
            await fan_out.publish(ROOM, b"{}")

        asyncio.run(publish())
        loop.call_soon_threadsafe(ready.set)

    await fan_out.join(ROOM, heard)
    await asyncio.to_thread(elsewhere)

    assert await heard.next() == (ROOM, b"{}")
