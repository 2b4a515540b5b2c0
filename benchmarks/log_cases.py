"""The parts around a message, each alone: queue, archiver, store, a page of history, a sync."""

import asyncio
import itertools
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks import servers
from benchmarks.apart import apart
from benchmarks.people import Garden
from benchmarks.results import Result, percentiles
from benchmarks.servers import Settings

MESSAGES = 2_000
BATCHES = (1, 20, 200)
ROOMS = 20
BODY = os.urandom(453)  # as long as an envelope of a short text
PAGE = 100
PAGES = 30
NEWS = 10
SYNC_ROOMS = 200
SYNCS = 10
OUTSTANDING = 100


def queue_and_log() -> list[Result]:
    """Of the cluster: publishing with confirms, the archiver against its store, reading."""
    with servers.cluster() as (settings, _):
        (garden,) = servers.plant(settings, [2])
        return apart(_queue_and_log, settings, garden)


def _queue_and_log(settings: Settings, garden: Garden) -> list[Result]:
    servers.set_up_django(settings)
    return asyncio.run(_all(garden))


async def _all(garden: Garden) -> list[Result]:
    from messaging import runtime

    await runtime.start()
    try:
        found = [*await _publishing(), *await _archiving()]
        for batch in BATCHES:
            found += await _storing(batch)
        head = await _fill(garden.room_id)
        return [*found, *await _reading(garden, head), *await _syncing(garden, head)]
    finally:
        await runtime.stop()


async def _publishing() -> list[Result]:
    """As many at once as a busy process has on their way; each waits for its confirm."""
    from messaging import runtime

    took: list[float] = []
    waiting = _records(MESSAGES)

    async def publish_on() -> None:
        for record in waiting:
            began = time.perf_counter()
            await runtime.queue().publish(record)
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(publish_on() for _ in range(OUTSTANDING)))
    rate = MESSAGES / (time.perf_counter() - began)
    return [
        Result("queue", "RabbitMQ, quorum", "published and confirmed", "msg/s", rate),
        *percentiles("queue", "RabbitMQ, quorum", "confirm", took),
    ]


async def _archiving() -> list[Result]:
    """What `_publishing` left in the queue, until all of it is in the log and acknowledged."""
    from messaging import runtime
    from messaging.archiver import BATCH, BATCH_SECONDS

    queue, archiver = runtime.queue(), runtime.archiver()
    left, began, cpu = MESSAGES, time.perf_counter(), time.process_time()
    while left > 0:  # the rooms' own beginnings are in the queue too
        deliveries = await queue.deliveries(BATCH, 5.0)
        if len(deliveries) < BATCH:
            await asyncio.sleep(BATCH_SECONDS)
            deliveries += await queue.deliveries(BATCH - len(deliveries), 0)
        await archiver.settle(queue, deliveries)
        left -= len(deliveries)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    return [
        Result("archiver", f"batches of {BATCH}", "archived", "msg/s", MESSAGES / took),
        Result("archiver", f"batches of {BATCH}", "CPU", "us/message", 1e6 * cpu / MESSAGES),
    ]


async def _storing(batch: int) -> list[Result]:
    """The same rows into the same indexes, numbered beforehand."""
    from messaging import runtime

    number = MESSAGES if batch > 1 else MESSAGES // 10
    seqs: dict[uuid.UUID, Iterator[int]] = {}
    records = [
        record.at(next(seqs.setdefault(record.room_id, itertools.count(1))))
        for record in _records(number)
    ]
    began = time.perf_counter()
    for start in range(0, number, batch):
        outcome = await runtime.log().insert(records[start : start + batch])
        assert outcome.conflict is None
    rate = number / (time.perf_counter() - began)
    return [Result("store alone", f"batches of {batch}", "inserted", "msg/s", rate)]


async def _fill(room_id: uuid.UUID) -> int:
    """Write that many messages into the room's log; gives the newest seq."""
    from messaging import runtime

    log = runtime.log()
    head = (await log.heads([room_id]))[room_id]
    records = [record.at(head + n) for n, record in enumerate(_records(MESSAGES, [room_id]), 1)]
    for start in range(0, MESSAGES, 200):
        await log.insert(records[start : start + 200])
    return head + MESSAGES


async def _reading(garden: Garden, head: int) -> list[Result]:
    """The newest page of a long room, with every check of a reader."""
    from messaging import services

    reader = garden.people[0].user_id

    async def read() -> None:
        page = await services.read_items(actor_id=reader, room_id=garden.room_id, after=head - PAGE)
        assert len(page.items) == PAGE

    return percentiles("history", "MongoDB", f"page of {PAGE}", await _timed(read, PAGES))


async def _syncing(garden: Garden, head: int) -> list[Result]:
    """What a device asks when it comes back: 200 rooms, one of which has news."""
    from messaging import services
    from messaging.threads import db

    reader = garden.people[0].user_id
    rooms = await db(_join_rooms)(garden, SYNC_ROOMS - 1)
    cursors = {garden.room_id: head - NEWS, **dict.fromkeys(rooms, 0)}

    async def sync() -> None:
        pages = [page async for page in services.read_news(actor_id=reader, cursors=cursors)]
        assert len(pages) == SYNC_ROOMS
        assert sum(len(page.items) for page in pages) == NEWS

    return percentiles("sync", "200 rooms, 1 with news", "answer", await _timed(sync, SYNCS))


def _join_rooms(garden: Garden, number: int) -> list[uuid.UUID]:
    """Rooms of the same two people, as the database has them; nobody has written there."""
    from rooms.models import Membership, Room

    like = Room.objects.get(pk=garden.room_id)
    stays = list(Membership.objects.filter(room=like))
    rooms = [uuid.uuid4() for _ in range(number)]
    for room_id in rooms:
        like.pk = room_id
        like.save(force_insert=True)
        for stay in stays:
            stay.pk, stay.room_id = None, room_id
        Membership.objects.bulk_create(stays)
    return rooms


async def _timed(work: Any, times: int) -> list[float]:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        took.append(time.perf_counter() - began)
    return took


def _records(number: int, rooms: Sequence[uuid.UUID] = ()) -> Iterator[Any]:
    """New messages of one device, in turn into each room."""
    from messaging.record import Kind, Record

    rooms = rooms or [uuid.uuid4() for _ in range(ROOMS)]
    device = uuid.uuid4()
    for n in range(number):
        yield Record(
            room_id=rooms[n % len(rooms)],
            kind=Kind.MESSAGE,
            epoch=0,
            message_id=uuid.uuid4(),
            eid=os.urandom(32),
            body=BODY,
            accepted_ms=time.time_ns() // 1_000_000,
            device_id=device,
            n=n,
            counts=True,
            stamp=bytes(32),
        )
