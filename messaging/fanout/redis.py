"""Fan-out of the cluster profile: Redis publish/subscribe, one subscription for each room.

Everything comes back from Redis, also to the process that published, so that all processes see one
order. What is published while Redis is away is lost, as the interface says; afterwards each joined
room is told `INTERRUPTED`, and the hub tells its sockets where the logs are.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
import uuid
from collections import defaultdict
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from messaging import metrics
from messaging.backoff import Backoff
from messaging.fanout import Receive
from messaging.fanout.control import INTERRUPTED
from messaging.home import Home

log = logging.getLogger("gamrae.fanout")

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 2.0
SILENCE_SECONDS = 15.0
KEEPALIVE = (15, 5, 3)  # seconds of silence, seconds between questions, questions without answer
REST_SECONDS = 1.0  # for so long nothing is tried after a failure, lest every sender wait for it
WAITING_LIMIT = 5_000

Listener = tuple[asyncio.AbstractEventLoop, Receive]
Waiting = tuple[str, bytes, asyncio.Future[None]]


def connection(url: str, ca: str, **options: Any) -> Redis:
    """A client. Over TLS the server's certificate and name are verified, by ``ca`` if given."""
    if url.startswith("rediss:"):
        options |= {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
        options |= {"ssl_ca_certs": ca} if ca else {}
    if hasattr(socket, "TCP_KEEPIDLE"):
        names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        options["socket_keepalive_options"] = dict(zip(names, KEEPALIVE, strict=True))
    return Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),  # we try again ourselves, and know of it
        **options,
    )


class RedisFanOut:
    """See `FanOut`. Works for all event loops of a process; its connections live on one."""

    def __init__(self, url: str, ca: str = "", prefix: str = "gamrae") -> None:
        self._where = (url, ca)
        self._prefix = prefix
        self._home = Home("messaging-fanout")
        self._listeners: defaultdict[uuid.UUID, set[Listener]] = defaultdict(set)
        self._subscriber: _Subscriber | None = None
        self._publisher: _Publisher | None = None

    async def join(self, room_id: uuid.UUID, receive: Receive) -> None:
        """See `FanOut.join`."""
        listener = (asyncio.get_running_loop(), receive)
        self._home.adopt()
        await self._home.run(lambda: self._join(room_id, listener))

    async def leave(self, room_id: uuid.UUID, receive: Receive) -> None:
        """See `FanOut.leave`."""
        listener = (asyncio.get_running_loop(), receive)
        await self._home.run(lambda: self._leave(room_id, listener))

    async def publish(self, room_id: uuid.UUID, payload: bytes) -> None:
        """See `FanOut.publish`."""
        with metrics.FANOUT_SECONDS.time():
            await self._home.run(lambda: self._publish(self._channel(room_id), payload))

    async def start(self) -> None:
        """See `FanOut.start`; the connections live on the loop that calls this first."""
        self._home.adopt()

    async def answers(self) -> bool:
        """Whether Redis takes what is published."""
        return await self._home.run(self._answers)

    async def stop(self) -> None:
        """See `FanOut.stop`."""
        await self._home.run(self._stop)
        self._home.leave()

    def _channel(self, room_id: uuid.UUID) -> str:
        return f"{self._prefix}.room.{room_id.hex}"

    async def _join(self, room_id: uuid.UUID, listener: Listener) -> None:
        if self._subscriber is None or not self._subscriber.is_here():
            self._subscriber = _Subscriber(self._where, self._receive, self._interrupted)
        self._listeners[room_id].add(listener)
        await self._subscriber.want(self._channel(room_id))

    async def _leave(self, room_id: uuid.UUID, listener: Listener) -> None:
        listeners = self._listeners.get(room_id, set())
        listeners.discard(listener)
        if not listeners and self._listeners.pop(room_id, None) is not None and self._subscriber:
            await self._subscriber.unwant(self._channel(room_id))

    async def _publish(self, channel: str, payload: bytes) -> None:
        await self._sender().publish(channel, payload)

    async def _answers(self) -> bool:
        return await self._sender().answers()

    def _sender(self) -> "_Publisher":
        if self._publisher is None or not self._publisher.is_here():
            self._publisher = _Publisher(self._where)
        return self._publisher

    async def _stop(self) -> None:
        subscriber, publisher = self._subscriber, self._publisher
        self._subscriber = self._publisher = None
        for each in (subscriber, publisher):
            if each is not None:
                await each.stop()

    def _receive(self, channel: str, payload: bytes) -> None:
        room_id = uuid.UUID(hex=channel.rpartition(".")[2])
        for listener in tuple(self._listeners.get(room_id, ())):
            self._hand(room_id, payload, listener)

    def _interrupted(self) -> None:
        for room_id, listeners in tuple(self._listeners.items()):
            for listener in tuple(listeners):
                self._hand(room_id, INTERRUPTED, listener)

    def _hand(self, room_id: uuid.UUID, payload: bytes, listener: Listener) -> None:
        loop, receive = listener
        if loop is asyncio.get_running_loop():
            receive(room_id, payload)
            return
        try:
            loop.call_soon_threadsafe(receive, room_id, payload)
        except RuntimeError:  # that loop is closed and will never listen again
            self._listeners[room_id].discard(listener)


class _Publisher:
    """What comes together leaves together, in order, over one connection."""

    def __init__(self, where: tuple[str, str]) -> None:
        self._redis = connection(*where, socket_timeout=ANSWER_SECONDS)
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._rests_until = 0.0

    def is_here(self) -> bool:
        return self._loop is asyncio.get_running_loop()

    async def publish(self, channel: str, payload: bytes) -> None:
        if time.monotonic() < self._rests_until or len(self._waiting) >= WAITING_LIMIT:
            metrics.FANOUT_LOST.inc()
            return  # lost, as the interface allows; the end of a rest is an interruption for all
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
                metrics.UP.labels("fan_out").set(0)
                log.error("code=fanout_unavailable lost=%d error=%s", len(turn), _name(error))
            finally:
                for *_, done in turn:
                    if not done.done():
                        done.set_result(None)


class _Subscriber:
    """One connection that listens to what is wanted, and to it again after every interruption."""

    def __init__(self, where: tuple[str, str], receive: Any, interrupted: Any) -> None:
        self._redis = connection(*where)
        self._receive = receive
        self._interrupted = interrupted
        self._wanted: set[str] = set()
        self._own = f"gamrae.process.{uuid.uuid4().hex}"  # so that it always listens to something
        self._pubsub: PubSub | None = None
        self._answers: dict[str, asyncio.Future[None]] = {}
        self._was_up = False
        self._is_down = False
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
        if not self._is_down:
            await asyncio.wait({answer}, timeout=ANSWER_SECONDS)

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
                log.error("code=fanout_unavailable error=%s", _name(error))
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


def _name(error: BaseException) -> str:
    return type(error).__name__
