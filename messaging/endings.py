"""Ends sockets whose session or device has ended, also when nobody told them.

Whoever ends a session says so to its sockets, at most once: the process may die between its commit
and that word, and Redis may be away. The same transaction leaves a row (`EndedSession`); every
process that has sockets looks for new rows every few seconds.
"""

import asyncio
import logging
import uuid
from typing import Protocol

from django.db import Error

from accounts.access import sessions_ended_lately
from messaging.threads import db

log = logging.getLogger("gamrae.socket")

LOOK_EVERY_SECONDS = 3.0


class Socket(Protocol):
    """What is needed of an open socket."""

    user_id: uuid.UUID

    async def look_again(self) -> None:
        """Close, unless session and device still hold."""


class Endings:
    """The open sockets of this process; looks for endings while there is one."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._seen: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: Socket) -> None:
        """A socket is open, on the running loop."""
        self._sockets.add(socket)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())

    def remove(self, socket: Socket) -> None:
        """A socket is closed. Safe to call twice."""
        self._sockets.discard(socket)
        if not self._sockets and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                ended = await db(sessions_ended_lately)()
            except Error as error:
                log.error("code=session_unchecked error=%s", type(error).__name__)
                continue
            concerned = {user_id for row, user_id in ended.items() if row not in self._seen}
            self._seen = set(ended)
            # Each asks for itself: the person may have signed in again since then.
            await asyncio.gather(
                *(each.look_again() for each in self._sockets if each.user_id in concerned)
            )


_endings = Endings()


def this_process() -> Endings:
    """The one of this process."""
    return _endings
