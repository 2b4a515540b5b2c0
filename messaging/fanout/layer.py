"""Channels' layer over Redis, with an end to what may wait for one socket."""

import asyncio
import logging
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer

log = logging.getLogger("gamrae.fanout")

WAITING_LIMIT = 256


class BoundedLayer(RedisPubSubChannelLayer):  # type: ignore[misc] # it ships no types
    """Control messages of a person or device; of more than 256 unread ones the oldest is lost.

    They are at most once anyway: a client that missed one learns the same by asking.
    """

    def _get_layer(self) -> RedisPubSubLoopLayer:
        layer = super()._get_layer()
        if not isinstance(layer.channels, _Channels):
            layer.channels = _Channels(layer.channels)
        return layer


class _Channels(dict[str, asyncio.Queue[Any]]):
    def __setitem__(self, name: str, queue: asyncio.Queue[Any]) -> None:
        super().__setitem__(name, _Queue(WAITING_LIMIT))


class _Queue(asyncio.Queue[Any]):
    def put_nowait(self, item: Any) -> None:
        if self.full():
            self.get_nowait()
            log.error("code=control_dropped")
        super().put_nowait(item)
