"""One run of the load generator: sockets into rooms, messages at a fixed rate, what came of it."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import uvloop

from benchmarks.accounting import cpu_seconds, group_cpu_seconds
from benchmarks.clients import Client
from benchmarks.people import Garden
from benchmarks.tally import Tally

GRACE_SECONDS = 10.0
SETTLE_SECONDS = 0.2
CONNECTING_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Shape:
    """So many rooms, people in each and sockets of each person; messages a second in all."""

    name: str
    rooms: int
    people: int
    sockets_each: int
    rate: int
    seconds: float

    @property
    def messages(self) -> int:
        return round(self.rate * self.seconds)


@dataclass(frozen=True, slots=True)
class Stack:
    """Something that carries messages: where it listens, how one speaks with it, what to count.

    ``web``: the processes that hold the sockets. ``around``: process groups of all else it needs.
    """

    name: str
    client: type[Client]
    addresses: tuple[str, ...]
    web: tuple[int, ...]
    around: tuple[int, ...] = ()
    gardens: Sequence[Garden] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave."""

    tally: Tally
    web_cpu: float
    around_cpu: float

    @property
    def microseconds_each(self) -> float:
        """Web processes' CPU for each delivery."""
        return 1e6 * self.web_cpu / max(1, len(self.tally.delivery))

    @property
    def microseconds_around(self) -> float:
        """CPU of everything else for each delivery."""
        return 1e6 * self.around_cpu / max(1, len(self.tally.delivery))


Watch = Callable[[], contextlib.AbstractContextManager[object]]


def run_load(stack: Stack, shape: Shape, watch: Watch = contextlib.nullcontext) -> Run:
    """Offer the messages whether or not the stack keeps up; ``watch`` is entered meanwhile."""
    gardens = [each for each in stack.gardens if len(each.people) == shape.people][: shape.rooms]
    assert len(gardens) == shape.rooms, f"{stack.name} has no rooms for {shape.name}"
    return uvloop.run(_run(stack, shape, gardens, watch))


async def _run(stack: Stack, shape: Shape, gardens: Sequence[Garden], watch: Watch) -> Run:
    sockets = shape.rooms * shape.people * shape.sockets_each
    tally = Tally({}, shape.messages * shape.people * shape.sockets_each)
    clients = await connect(stack, gardens, shape.sockets_each, tally)
    assert len(clients) == sockets
    by_room = {garden.room_id: garden for garden in gardens}
    senders = [clients[number % sockets] for number in range(shape.messages)]
    envelopes = [by_room[sender.room_id].seal(sender.person) for sender in senders]
    tally.numbers = {envelope: number for number, envelope in enumerate(envelopes)}
    await asyncio.sleep(SETTLE_SECONDS)  # what connecting caused is not counted
    before = _used(stack)
    with watch():
        await _offer(senders, envelopes, tally, shape.rate)
        await _all_arrived(tally, stack.client.tells_stored)
    web, around = (after - was for after, was in zip(_used(stack), before, strict=True))
    for client in clients:
        client.close()
    await asyncio.sleep(SETTLE_SECONDS)
    return Run(tally, web, around)


async def _all_arrived(tally: Tally, stored_too: bool) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_SECONDS):
            await tally.all_delivered.wait()
            if stored_too:
                await tally.all_stored.wait()


async def connect(
    stack: Stack, gardens: Sequence[Garden], sockets_each: int, tally: Tally
) -> list[Client]:
    """Every person's sockets; neighbours in a room sit in different web processes."""
    wanted = [
        (person, garden.room_id, (number + turn) % len(stack.addresses))
        for turn in range(sockets_each)
        for number in range(max(len(garden.people) for garden in gardens))
        for garden in gardens
        for person in garden.people[number : number + 1]
    ]
    limit = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def one(index: int) -> Client:
        person, room_id, address = wanted[index]
        async with limit:
            return await stack.client.open(stack.addresses[address], tally, person, room_id)

    return await asyncio.gather(*map(one, range(len(wanted))))


async def _offer(
    senders: Sequence[Client], envelopes: Sequence[str], tally: Tally, rate: int
) -> None:
    began = time.perf_counter()
    for number, (sender, envelope) in enumerate(zip(senders, envelopes, strict=True)):
        pause = began + number / rate - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        tally.sent.append(time.perf_counter())
        sender.send(number, envelope)


def _used(stack: Stack) -> tuple[float, float]:
    return sum(map(cpu_seconds, stack.web)), group_cpu_seconds(stack.around)
