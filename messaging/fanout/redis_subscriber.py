"""The listening side of Redis: one connection for all rooms of this process."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from messaging import metrics
from messaging.backoff import Backoff
from messaging.fanout.redis_links import ANSWER_SECONDS, connection, name_of

log = logging.getLogger("gamrae.fanout")

SILENCE_SECONDS = 15.0


class Subscriber:
    """One connection that listens to what is wanted, and to it again after every interruption."""

    def __init__(
        self,
        where: tuple[str, str],
        receive: Callable[[str, bytes], None],
        interrupted: Callable[[], None],
    ) -> None:
        self._redis = connection(*where)
        self._receive = receive
        self._interrupted = interrupted
        self._wanted: set[str] = set()
        self._own = f"gamrae.process.{uuid.uuid4().hex}"  # so that it always listens to something
        self._pubsub: PubSub | None = None
        self._answers: dict[str, asyncio.Future[None]] = {}
        self._was_up = False
        self._is_down = False
        self._is_silent = False  # connected, and not answering: nobody waits for it a second time
        self._task = asyncio.create_task(self._run())

    def is_here(self) -> bool:
        return self._task.get_loop() is asyncio.get_running_loop()

    async def want(self, channel: str) -> None:
        """Subscribe, and wait for Redis's word, so that nothing published later is missed."""
        if channel in self._wanted and channel not in self._answers:
            return
        self._wanted.add(channel)
        answer = self._answers.setdefault(channel, asyncio.get_running_loop().create_future())
        if self._pubsub is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._pubsub.subscribe(channel)
        if not (self._is_down or self._is_silent):
            answered, _ = await asyncio.wait({answer}, timeout=ANSWER_SECONDS)
            self._is_silent = not answered

    async def unwant(self, channel: str) -> None:
        self._wanted.discard(channel)
        if self._pubsub is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._pubsub.unsubscribe(channel)

    async def stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._redis.aclose()

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            pubsub = self._redis.pubsub()
            try:
                await pubsub.subscribe(*self._wanted, self._own)
                self._pubsub = pubsub
                backoff.succeeded()
                await self._listen(pubsub)
            except (RedisError, OSError, TimeoutError) as error:
                log.error("code=fanout_unavailable error=%s", name_of(error))
            finally:
                self._pubsub, self._is_down = None, True
                metrics.UP.labels("fan_out").set(0)
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(backoff.pause())

    async def _listen(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(timeout=SILENCE_SECONDS)
            if message is None:
                continue
            self._is_silent = False
            channel = message["channel"].decode()
            if message["type"] == "message":
                self._receive(channel, message["data"])
            elif message["type"] == "subscribe":
                self._subscribed(channel)

    def _subscribed(self, channel: str) -> None:
        answer = self._answers.pop(channel, None)
        if answer is not None and not answer.done():
            answer.set_result(None)
        if channel == self._own:
            if self._was_up:
                self._interrupted()
            self._was_up, self._is_down = True, False
            metrics.UP.labels("fan_out").set(1)
