"""How much waits for the log in a cluster, and since when: counted by the archiver, for metrics."""

import asyncio
import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from messaging import metrics
from messaging.broker.amqp import Link, Lost, Topology
from messaging.broker.bodies import Undecodable, decode

COUNT_EVERY_SECONDS = 5.0


class InHand(Protocol):
    """A message that was delivered to this process and not yet acknowledged."""

    @property
    def queue(self) -> str: ...

    @property
    def body(self) -> bytes: ...


class Counting:
    """Counts while there is a link; without one nothing is told rather than something old."""

    def __init__(self, topology: Topology, in_hand: Callable[[], Collection[InHand]]) -> None:
        self._topology = topology
        self._in_hand = in_hand
        self._task: asyncio.Task[None] | None = None

    def begin(self, link: Link) -> None:
        """Count every five seconds until the end."""
        self._task = asyncio.create_task(self._run(link))

    def end(self) -> None:
        """The link is gone, and nobody knows any more. Safe to call without a beginning."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        metrics.QUEUE_DEPTH.clear()
        metrics.LAID_ASIDE.clear()
        metrics.OLDEST_SECONDS.set(math.nan)

    async def _run(self, link: Link) -> None:
        while True:
            with contextlib.suppress(Lost):  # slow, or gone: then the end is near
                await self._count(link)
            await asyncio.sleep(COUNT_EVERY_SECONDS)

    async def _count(self, link: Link) -> None:
        waiting = {name: await link.waiting_in(name) for name in self._topology.partitions}
        aside = {
            "parked": await link.waiting_in(self._topology.parked),
            "dead": await link.waiting_in(self._topology.dead),
        }
        in_hand = tuple(self._in_hand())
        here = Counter(message.queue for message in in_hand)
        for number, name in enumerate(self._topology.partitions):
            metrics.QUEUE_DEPTH.labels(f"{number:02d}").set(waiting[name] + here[name])
        for name, count in aside.items():
            metrics.LAID_ASIDE.labels(name).set(count)
        metrics.OLDEST_SECONDS.set(_age_of_oldest(in_hand))


def _age_of_oldest(in_hand: Iterable[InHand]) -> float:
    """Seconds; the queues hand out what is oldest first, so that it is here before the rest."""
    first: dict[str, InHand] = {}
    for message in in_hand:
        first.setdefault(message.queue, message)
    accepted = [found for message in first.values() if (found := _accepted_ms(message)) is not None]
    return max(0.0, time.time() - min(accepted) / 1000) if accepted else 0.0


def _accepted_ms(message: InHand) -> int | None:
    try:
        return decode(message.body).accepted_ms
    except Undecodable:  # it is about to be parked
        return None
