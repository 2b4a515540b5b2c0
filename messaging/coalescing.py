"""Moved cursors, announced at once and then at most every quarter of a second for each person."""

import asyncio
import uuid
from dataclasses import dataclass

from messaging import announce
from messaging.threads import has_sync_caller

PAUSE = 0.25

Key = tuple[uuid.UUID, uuid.UUID]


@dataclass(slots=True)
class _Quiet:
    """A person's cursors in a room were just announced; what moves meanwhile waits here."""

    loop: asyncio.AbstractEventLoop
    waiting: tuple[int, int] | None = None


_quiet: dict[Key, _Quiet] = {}
_tasks: set[asyncio.Task[None]] = set()


async def announce_cursor(
    room_id: uuid.UUID, user_id: uuid.UUID, positions: tuple[int, int]
) -> None:
    """Tell the room how far a person is; of several moves in a quarter second, first and last."""
    key = (room_id, user_id)
    loop = asyncio.get_running_loop()
    quiet = _quiet.get(key)
    if quiet is not None and quiet.loop is loop:
        quiet.waiting = positions
        return
    if not has_sync_caller():  # a loop that ends with this call would forget what waits
        _quiet[key] = _Quiet(loop)
        loop.call_later(PAUSE, _end_quiet, key)
    await _announce(key, positions)


def _end_quiet(key: Key) -> None:
    quiet = _quiet.pop(key)
    if quiet.waiting is None:
        return
    task = quiet.loop.create_task(announce_cursor(*key, quiet.waiting))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _announce(key: Key, positions: tuple[int, int]) -> None:
    room_id, user_id = key
    delivered_to, read_to = positions
    await announce.room_event(
        room_id, "cursor.moved", user_id=user_id, delivered_to=delivered_to, read_to=read_to
    )
