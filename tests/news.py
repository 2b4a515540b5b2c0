"""Hears what is pushed to one person's sockets, as a socket would."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer

from accounts.realtime import user_group
from tests.cast import Person

Commit = Callable[..., AbstractContextManager[Any]]


class News:
    """Listens to the group of a person; ``heard`` gives what has come since, oldest first."""

    def __init__(self, person: Person) -> None:
        layer = get_channel_layer()
        assert isinstance(layer, InMemoryChannelLayer)
        self.layer = layer
        self.channel = async_to_sync(layer.new_channel)()
        async_to_sync(layer.group_add)(user_group(person.id), self.channel)

    def heard(self) -> list[dict[str, Any]]:
        """Every message since the last call."""
        queue = self.layer.channels.get(self.channel)
        return [queue.get_nowait()[1] for _ in range(queue.qsize())] if queue else []

    def events(self) -> list[str]:
        """The names of the pushed events since the last call."""
        return [message["frame"]["event"] for message in self.heard() if "frame" in message]

    def endings(self) -> list[dict[str, Any]]:
        """The ended sessions since the last call."""
        return [message for message in self.heard() if message["type"] == "session.ended"]
