"""The publishing side of Redis: bounded, never raising, and honest about what it lost."""

import asyncio
import logging
import time

from redis.exceptions import RedisError

from messaging import metrics
from messaging.backoff import Backoff
from messaging.fanout.control import INTERRUPTED
from messaging.fanout.redis_links import ANSWER_SECONDS, connection, name_of

log = logging.getLogger("gamrae.fanout")

REST_SECONDS = 1.0  # for so long nothing is tried after a failure, lest every sender wait for it
WAITING_LIMIT = 5_000

Waiting = tuple[str, bytes, asyncio.Future[None]]


class Publisher:
    """What comes together leaves together, in order, over one connection."""

    def __init__(self, where: tuple[str, str]) -> None:
        self._redis = connection(*where, socket_timeout=ANSWER_SECONDS)
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._rests_until = 0.0
        self._owed: set[str] = set()
        self._paying: asyncio.Task[None] | None = None

    def is_here(self) -> bool:
        return self._loop is asyncio.get_running_loop()

    async def publish(self, channel: str, payload: bytes) -> None:
        if time.monotonic() < self._rests_until or len(self._waiting) >= WAITING_LIMIT:
            metrics.FANOUT_LOST.inc()
            self._owe([channel])
            return  # lost, as the interface allows
        done: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((channel, payload, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send_all())
        await done

    async def answers(self) -> bool:
        try:
            return bool(await self._redis.execute_command("PING"))  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError):
            return False

    async def stop(self) -> None:
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=ANSWER_SECONDS)
        if self._paying is not None:
            self._paying.cancel()
            await asyncio.wait({self._paying})
        await self._redis.aclose()

    async def _send_all(self) -> None:
        while self._waiting:
            turn, self._waiting = self._waiting, []
            try:
                pipeline = self._redis.pipeline(transaction=False)
                for channel, payload, _ in turn:
                    pipeline.publish(channel, payload)
                await pipeline.execute()
                metrics.UP.labels("fan_out").set(1)
            except (RedisError, OSError, TimeoutError) as error:
                self._rests_until = time.monotonic() + REST_SECONDS
                metrics.FANOUT_LOST.inc(len(turn))
                self._owe([channel for channel, *_ in turn])
                metrics.UP.labels("fan_out").set(0)
                log.error("code=fanout_unavailable lost=%d error=%s", len(turn), name_of(error))
            finally:
                for *_, done in turn:
                    if not done.done():
                        done.set_result(None)

    def _owe(self, channels: list[str]) -> None:
        """Whoever listens there has missed something, maybe without an interruption of their own.

        Rooms beyond the limit learn of it by their check each minute.
        """
        if len(self._owed) < WAITING_LIMIT:
            self._owed.update(channels)
        if self._paying is None or self._paying.done():
            self._paying = asyncio.create_task(self._pay())

    async def _pay(self) -> None:
        backoff = Backoff(REST_SECONDS)
        while self._owed:
            await asyncio.sleep(backoff.pause())
            channels = tuple(self._owed)
            try:
                pipeline = self._redis.pipeline(transaction=False)
                for channel in channels:
                    pipeline.publish(channel, INTERRUPTED)
                await pipeline.execute()
            except (RedisError, OSError, TimeoutError) as error:
                log.debug("code=fanout_unavailable owed=%d error=%s", len(channels), name_of(error))
            else:
                self._owed.difference_update(channels)
