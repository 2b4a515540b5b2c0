"""Fan-out of the solo profile: there is one process, so everything stays in memory."""

import asyncio
import threading
import uuid

from messaging.fanout import Receive

Listener = tuple[asyncio.AbstractEventLoop, Receive]


class InProcessFanOut:
    """Works between event loops of one process: a listener is always called in its own loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[uuid.UUID, tuple[Listener, ...]] = {}

    async def join(self, room_id: uuid.UUID, receive: Receive) -> None:
        """See `FanOut.join`."""
        listener = (asyncio.get_running_loop(), receive)
        with self._lock:
            others = self._listeners.get(room_id, ())
            if listener not in others:
                self._listeners[room_id] = (*others, listener)

    async def leave(self, room_id: uuid.UUID, receive: Receive) -> None:
        """See `FanOut.leave`."""
        listener = (asyncio.get_running_loop(), receive)
        with self._lock:
            self._drop(room_id, listener)

    async def publish(self, room_id: uuid.UUID, payload: bytes) -> None:
        """See `FanOut.publish`."""
        here = asyncio.get_running_loop()
        for listener in self._listeners.get(room_id, ()):
            loop, receive = listener
            if loop is here:
                receive(room_id, payload)
                continue
            try:
                loop.call_soon_threadsafe(receive, room_id, payload)
            except RuntimeError:  # that loop is closed and will never listen again
                with self._lock:
                    self._drop(room_id, listener)

    async def start(self) -> None:
        """See `FanOut.start`."""

    async def stop(self) -> None:
        """See `FanOut.stop`."""

    def _drop(self, room_id: uuid.UUID, listener: Listener) -> None:
        rest = tuple(each for each in self._listeners.get(room_id, ()) if each != listener)
        if rest:
            self._listeners[room_id] = rest
        else:
            self._listeners.pop(room_id, None)
