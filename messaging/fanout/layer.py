"""Channels' layer over Redis: what waits is bounded, and an outage leaves the sockets open."""

import asyncio
import logging
import time
from typing import Any

from channels_redis.pubsub import (
    RedisPubSubChannelLayer,
    RedisPubSubLoopLayer,
    RedisSingleShardConnection,
)
from redis.exceptions import RedisError

from messaging import metrics

log = logging.getLogger("gamrae.fanout")

WAITING_LIMIT = 256
RETRY_SECONDS = 1.0
ANSWER_SECONDS = 2.0


class BoundedLayer(RedisPubSubChannelLayer):  # type: ignore[misc] # it ships no types
    """Control messages of a person or device; of more than 256 unread ones the oldest is lost.

    They are at most once anyway: a client that missed one learns the same by asking. Sockets open
    and close while Redis is away, and hear again when it is back.
    """

    rests_until = 0.0  # for all loops of the process: nothing is sent before, lest everybody wait

    def _get_layer(self) -> RedisPubSubLoopLayer:
        layer = super()._get_layer()
        if not isinstance(layer.channels, _Channels):
            layer.channels = _Channels(layer.channels)
            layer._shards = [_Shard(shard.host, layer) for shard in layer._shards]
        return layer


class _Channels(dict[str, asyncio.Queue[Any]]):
    def __setitem__(self, name: str, queue: asyncio.Queue[Any]) -> None:
        super().__setitem__(name, _Queue(WAITING_LIMIT))


class _Queue(asyncio.Queue[Any]):
    def put_nowait(self, item: Any) -> None:
        if self.full():
            self.get_nowait()
            metrics.CONTROL_ERRORS.inc()
            log.error("code=control_dropped")
        super().put_nowait(item)


class _Shard(RedisSingleShardConnection):  # type: ignore[misc] # it ships no types
    """What could not be subscribed to is tried again every second, until it is not wanted."""

    def __init__(self, host: Any, layer: Any) -> None:
        super().__init__(host, layer)
        self._missed: set[str] = set()
        self._retrying: asyncio.Task[None] | None = None

    async def publish(self, channel: str, message: bytes) -> None:
        layer = self.channel_layer.channel_layer
        if time.monotonic() < layer.rests_until:
            metrics.CONTROL_ERRORS.inc()
            return
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await super().publish(channel, message)
        except (RedisError, OSError, TimeoutError):
            layer.rests_until = time.monotonic() + RETRY_SECONDS
            metrics.CONTROL_ERRORS.inc()
            raise

    async def subscribe(self, channel: str) -> None:
        if not await self._subscribed(channel):
            self._missed.add(channel)
            if self._retrying is None or self._retrying.done():
                self._retrying = asyncio.create_task(self._retry())

    async def unsubscribe(self, channel: str) -> None:
        self._missed.discard(channel)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await super().unsubscribe(channel)
        except (RedisError, OSError, TimeoutError) as error:
            self._subscribed_to.discard(channel)
            log.error("code=realtime_unavailable error=%s", type(error).__name__)

    async def flush(self) -> None:
        self._missed.clear()
        if self._retrying is not None:
            self._retrying.cancel()
        await super().flush()

    async def _subscribed(self, channel: str) -> bool:
        layer = self.channel_layer.channel_layer
        if time.monotonic() < layer.rests_until:
            return False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await super().subscribe(channel)
        except (RedisError, OSError, TimeoutError) as error:
            layer.rests_until = time.monotonic() + RETRY_SECONDS
            log.error("code=realtime_unavailable error=%s", type(error).__name__)
            return False
        return True

    async def _retry(self) -> None:
        while self._missed:
            await asyncio.sleep(RETRY_SECONDS)
            for channel in tuple(self._missed):
                if not await self._subscribed(channel):
                    break
                self._missed.discard(channel)
