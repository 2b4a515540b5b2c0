"""Two archivers over real RabbitMQ and MongoDB: no hole, no double, and each record in the end."""

import asyncio
import uuid
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from messaging.archiver import Archiver
from messaging.broker.rabbitmq import RabbitQueue
from messaging.store.mongo import MongoLog
from tests.cluster.queues import own_queues
from tests.messaging.records import message

pytestmark = pytest.mark.slow

COUNT = 150


@pytest.fixture
async def log(addresses):
    made = MongoLog(addresses["MONGO_URL"], addresses.get("MONGO_CA", ""))
    yield made
    made.close()


@pytest.fixture
async def rooms(log):
    """Three rooms that nobody has written to, gone afterwards."""
    made = [uuid.uuid4() for _ in range(3)]
    yield made
    for room in made:
        await log.delete_room(room)


class At:
    """An archiver at work on a queue; what it told is in ``told``."""

    def __init__(self, log, queue):
        self.told = set()
        self._ending = asyncio.Event()
        archiver = Archiver(log, stored=self._stored, refused=self._refused, tombstones=_none)
        self._task = asyncio.create_task(archiver.run(queue, self._ending))

    async def _stored(self, records):
        self.told |= {(record.key, record.seq) for record in records}

    async def _refused(self, record, code):
        raise AssertionError(code)

    async def end(self):
        self._ending.set()
        await self._task

    async def die(self):
        """As by kill -9: whatever it holds in its hands is not acknowledged."""
        self._task.cancel()
        await asyncio.wait({self._task})


async def _none(rooms):
    return set()


async def stored(log, room):
    return await log.page(room, 0, 10 * COUNT)


async def all_stored(log, rooms, count):
    """Wait until each room has so many rows."""
    async with asyncio.timeout(60):
        while True:
            heads = await log.heads(rooms)
            if set(heads.values()) == {count}:
                return
            await asyncio.sleep(0.1)


async def check(log, rooms, expected):
    """Every record once, at 1, 2, 3 …"""
    for room in rooms:
        assert (await log.verify(room)).is_whole
        assert {row.message_id for row in await stored(log, room)} == expected


async def publish_all(queue, rooms, numbers):
    await asyncio.gather(*(queue.publish(message(n, room=room)) for n in numbers for room in rooms))


@asynccontextmanager
async def second_consumer(queue, addresses):
    """Another process's way to the same queues."""
    other = RabbitQueue(addresses["BROKER_URL"], addresses.get("BROKER_CA", ""), queue._topology)
    await other.start()
    try:
        yield other
    finally:
        await other.stop()


async def test_two_that_both_write_a_room_leave_no_hole_and_no_double(addresses, log, rooms):
    """The broker's single active consumer is no lock: each believes that the rooms are its own."""
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(own_queues(addresses)) for _ in range(2)]
        # A third of them goes to both, as after a lost acknowledgement.
        await publish_all(one, rooms, range(2 * COUNT // 3))
        await publish_all(two, rooms, range(COUNT // 3, COUNT))
        first, second = At(log, one), At(log, two)
        await all_stored(log, rooms, COUNT)
        await first.end()
        await second.end()

    await check(log, rooms, {uuid.UUID(int=n) for n in range(COUNT)})
    places = {(row.key, row.seq) for room in rooms for row in await stored(log, room)}
    assert first.told | second.told == places
    assert first.told
    assert second.told


async def test_one_that_stands_by_takes_over_when_the_other_dies(addresses, log, rooms):
    async with own_queues(addresses) as queue, second_consumer(queue, addresses) as other:
        first = At(log, queue)
        await publish_all(queue, rooms, range(COUNT // 3))
        await all_stored(log, rooms, COUNT // 3)
        second = At(log, other)
        await publish_all(queue, rooms, range(COUNT // 3, COUNT))
        await first.die()
        await queue.stop()  # with its process goes its connection

        await all_stored(log, rooms, COUNT)
        await second.end()

    await check(log, rooms, {uuid.UUID(int=n) for n in range(COUNT)})
    assert second.told


async def test_two_at_the_same_queues_share_nothing_twice(addresses, log, rooms):
    async with own_queues(addresses) as queue, second_consumer(queue, addresses) as other:
        first, second = At(log, queue), At(log, other)
        await publish_all(queue, rooms, range(COUNT))
        await all_stored(log, rooms, COUNT)
        await first.end()
        await second.end()

    await check(log, rooms, {uuid.UUID(int=n) for n in range(COUNT)})
    assert not first.told & second.told
