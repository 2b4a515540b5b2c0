"""What each service's client does while the service is away, hangs, or comes back."""

import asyncio
import time

import pytest

from accounts.refusals import Refused
from messaging.broker.bodies import encode
from messaging.broker.publisher import IN_FLIGHT_LIMIT
from messaging.fanout.control import INTERRUPTED
from messaging.fanout.redis import RedisFanOut
from messaging.store import StoreUnavailable
from messaging.store.mongo import MongoLog
from tests.cluster.gateway import Gateway
from tests.cluster.queues import own_queues
from tests.messaging.records import ROOM, message
from tests.messaging.test_fanout_contract import Listener
from tests.messaging.test_queue_contract import settle, take

pytestmark = pytest.mark.slow


@pytest.fixture
def gateway(addresses, request):
    """A door before the service whose setting the test names."""
    made = Gateway(addresses[request.param])
    yield made
    made.shut()


@pytest.fixture
async def queue(gateway, addresses):
    """A message queue by way of the door, connected on both sides."""
    async with own_queues(addresses, gateway.url) as made:
        await made.publish(message(0))
        await settle(made, await take(made, 1))
        yield made
        gateway.open()


@pytest.fixture
async def fan_out(gateway, addresses, namespace):
    made = RedisFanOut(gateway.url, addresses.get("REDIS_CA", ""), namespace)
    yield made
    await made.stop()


through = pytest.mark.parametrize("gateway", ["BROKER_URL"], indirect=True)


async def refusal(queue, record):
    """The code with which a publish is refused, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(Refused) as refused:
        await queue.publish(record)
    return refused.value.code, time.monotonic() - began


async def published(queue, record):
    """Publish as a client does: again until it is taken."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await queue.publish(record)
            except Refused:
                await asyncio.sleep(0.1)


async def takes_in_the_end(queue, record):
    """The next to be taken, unless what was settled just before the outage comes once more."""
    [delivery] = await take(queue, 1)
    await settle(queue, [delivery])
    if delivery.record == message(0):
        [delivery] = await take(queue, 1)
        await settle(queue, [delivery])
    assert delivery.record == record


@through
async def test_a_broker_that_is_gone_refuses_at_once_and_heals(queue, gateway):
    gateway.shut()
    code, seconds = await refusal(queue, message(1))
    assert (code, seconds < 3.5) == ("unavailable", True)

    gateway.open()
    await published(queue, message(2))

    await takes_in_the_end(queue, message(2))


@through
async def test_a_broker_that_hangs_refuses_after_three_seconds(queue, gateway):
    gateway.block()

    code, seconds = await refusal(queue, message(1))

    assert code == "unavailable"
    assert 2.5 < seconds < 4


@through
async def test_no_more_than_500_wait_for_a_broker_that_hangs(queue, gateway):
    gateway.block()
    waiting = [asyncio.create_task(queue.publish(message(n))) for n in range(IN_FLIGHT_LIMIT)]
    await asyncio.sleep(0)

    code, seconds = await refusal(queue, message(IN_FLIGHT_LIMIT))

    assert (code, seconds < 1) == ("busy", True)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {getattr(each, "code", None) for each in outcomes} == {"unavailable"}


@through
async def test_what_was_not_acknowledged_comes_again_after_an_interruption(queue, gateway):
    await queue.publish(message(1))
    [first] = await take(queue, 1)

    gateway.shut()
    gateway.open()
    async with asyncio.timeout(20):
        [again] = await take(queue, 1)
    await settle(queue, [first])  # its link is gone, so this forgets nothing
    await settle(queue, [again])

    assert again.record == first.record


@through
async def test_a_message_that_no_queue_takes_is_refused(queue):
    topology = queue._topology
    incoming, topology.incoming = topology.incoming, ""  # where no partition is bound
    kept, topology.partitions = topology.partitions, ["no.such.queue"] * 16

    code, seconds = await refusal(queue, message(1))

    topology.incoming, topology.partitions = incoming, kept
    assert (code, seconds < 2) == ("unavailable", True)


async def test_a_queue_that_is_full_refuses_and_takes_again_once_it_is_emptied(addresses):
    async with own_queues(addresses, longest=4096) as full:
        taken = [message(n, body=b"x" * 1024) for n in range(20)]
        outcomes = [await full_or_taken(full, record) for record in taken]
        code, seconds = await refusal(full, message(99))

        # Nothing that was confirmed was dropped to make room.
        confirmed = [record for record, word in zip(taken, outcomes, strict=True) if word == ""]
        deliveries = await take(full, len(confirmed))
        await settle(full, deliveries)
        await published(full, message(99))

    assert set(outcomes) == {"", "busy"}
    assert (code, seconds < 3) == ("busy", True)
    assert [delivery.record for delivery in deliveries] == confirmed


async def full_or_taken(queue, record):
    """The code of the refusal, empty when it was confirmed."""
    try:
        await queue.publish(record)
    except Refused as refused:
        return refused.code
    return ""


@through
async def test_bytes_that_are_no_record_are_parked_and_their_neighbours_go_on(queue):
    partition = queue._topology.partition(ROOM)
    await queue._home.run(lambda: queue._publish(partition, b"\x63" + encode(message(1))[1:]))
    await queue.publish(message(2))

    [delivery] = await take(queue, 1)
    await settle(queue, [delivery])

    assert delivery.record == message(2)
    assert await messages_in(queue, queue._topology.parked) == 1


async def messages_in(queue, name):
    """How many messages a queue holds, by the broker's own count."""
    link = queue._publisher._link
    async with asyncio.timeout(10):
        while True:
            frame = await link.ask(link.channel.queue_declare, name, passive=True)
            if frame.method.message_count:
                return frame.method.message_count


@pytest.mark.parametrize("gateway", ["MONGO_URL"], indirect=True)
async def test_a_log_that_is_gone_says_so_and_heals(gateway, addresses):
    log = MongoLog(f"{gateway.url}?directConnection=true", addresses.get("MONGO_CA", ""))
    await log.delete_room(ROOM)
    gateway.shut()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await log.heads({ROOM})
    assert time.monotonic() - began < 5
    with pytest.raises(StoreUnavailable):
        await log.insert([message(1).at(1)])

    gateway.open()

    async with asyncio.timeout(20):
        while True:
            try:
                assert (await log.insert([message(1).at(1)])).inserted == 1
                break
            except StoreUnavailable:
                continue
    assert await log.heads({ROOM}) == {ROOM: 1}
    log.close()


@pytest.mark.parametrize("gateway", ["REDIS_URL"], indirect=True)
async def test_after_an_interruption_rooms_are_told_and_hear_again(fan_out, gateway):
    listener = Listener()
    await fan_out.join(ROOM, listener)
    gateway.shut()
    began = time.monotonic()
    await fan_out.publish(ROOM, b"lost")
    await fan_out.join(ROOM, listener)
    assert time.monotonic() - began < 3

    gateway.open()

    assert await asyncio.wait_for(listener.received.get(), 20) == (ROOM, INTERRUPTED)
    await hears(listener, fan_out)


async def hears(listener, fan_out):
    """Once what is published arrives; it may be told twice before that something was missed."""
    async with asyncio.timeout(20):
        while True:
            await fan_out.publish(ROOM, b"heard")
            await asyncio.sleep(0.1)
            while not listener.received.empty():
                if await listener.next() == (ROOM, b"heard"):
                    return


@pytest.mark.parametrize("gateway", ["REDIS_URL"], indirect=True)
async def test_a_room_joined_during_an_outage_hears_afterwards(fan_out, gateway):
    gateway.shut()
    listener = Listener()
    await fan_out.join(ROOM, listener)

    gateway.open()

    await hears(listener, fan_out)


@pytest.mark.parametrize("gateway", ["REDIS_URL"], indirect=True)
async def test_who_listened_all_the_time_is_told_too_that_something_was_lost(fan_out, gateway):
    """A Redis that hung: the listener's own connection has lasted and noticed nothing."""
    listener = Listener()
    await fan_out.join(ROOM, listener)
    gateway.block()
    began = time.monotonic()
    await fan_out.publish(ROOM, b"lost")
    await fan_out.publish(ROOM, b"lost too")
    assert time.monotonic() - began < 4

    gateway.open()

    async with asyncio.timeout(20):
        while await listener.next() != (ROOM, INTERRUPTED):
            pass
