"""A word to the sockets of one device, over the channel layer that also carries a person's news."""

import logging
import uuid
from typing import Any

from channels.layers import get_channel_layer

log = logging.getLogger("gamrae.fanout")


def device_group(device_id: uuid.UUID) -> str:
    """The channel layer's group of the sockets of one device."""
    return f"device.{device_id.hex}"


async def push_to_device(device_id: uuid.UUID, frame: dict[str, Any]) -> None:
    """Push a frame (ids as strings); at most once, and a lost one is logged and no more."""
    try:
        layer = get_channel_layer()
        assert layer is not None  # noqa: S101 (the settings name one)
        await layer.group_send(device_group(device_id), {"type": "person.push", "frame": frame})
    except Exception as error:
        log.error("code=realtime_unavailable device=%s error=%s", device_id, type(error).__name__)
