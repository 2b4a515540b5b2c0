"""The one event loop on which a connection lives, whoever in this process uses it.

A request's view may run in a thread with a short-lived loop of its own; a socket's consumer runs in
the server's. Both use the same connection, and only its home touches it.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from messaging.threads import has_sync_caller

R = TypeVar("R")


class Home:
    """Chosen once: the loop that `adopt` was called in, or that of the first caller who stays.

    When only a view, a command or a test's thread asks, whose loop ends with the call, it is a loop
    in a thread of its own.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_own = False

    def adopt(self) -> None:
        """Make the running loop the home, unless there is one already."""
        with self._lock:
            if not self._is_alive():
                self._loop = asyncio.get_running_loop()
                self._is_own = False

    async def run(self, make: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Run a coroutine at home and wait for it; giving up here gives it up there."""
        with self._lock:
            loop = self._chosen()
        if loop is asyncio.get_running_loop():
            return await make()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(make(), loop))

    def leave(self) -> None:
        """Forget the loop; what lives on it must have ended. The next caller chooses anew."""
        with self._lock:
            if self._is_own and self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop, self._is_own = None, False

    def _is_alive(self) -> bool:
        return self._loop is not None and not self._loop.is_closed()

    def _chosen(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():
            self._is_own = has_sync_caller()
            self._loop = self._own_loop() if self._is_own else asyncio.get_running_loop()
        return self._loop

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        threading.Thread(target=_run, args=(loop,), name=self._name, daemon=True).start()
        return loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
