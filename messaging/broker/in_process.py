"""The queue of the solo profile: in memory, and therefore confirming only what the log has on disk.

Group commit: one publisher at a time leads, takes everything that waits and has it archived, while
those who come meanwhile form the next batch. So it needs no server and no thread of its own, and
works the same in the server, under `async_to_sync` in a view, and in a management command.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

from accounts.refusals import Refused
from messaging import metrics
from messaging.broker import CONFIRM_SECONDS, RETRY_AFTER_MS, Delivery, MessageQueue
from messaging.record import Record
from messaging.threads import has_sync_caller

log = logging.getLogger("gamrae.queue")

BATCH = 200
WAITING_LIMIT = 500

Archive = Callable[[MessageQueue, Sequence[Delivery]], Awaitable[None]]


class _Seat:
    """A publisher in the queue.

    It is told True: confirmed, False: your turn to lead, or why its record is refused.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.loop = asyncio.get_running_loop()
        self.word: asyncio.Future[bool] = self.loop.create_future()
        self.leads = False
        self.is_empty = False

    def tell(self, word: bool | Refused) -> bool:
        """Say it in the publisher's own loop; False when that loop is no more."""
        with contextlib.suppress(RuntimeError):
            if asyncio.get_running_loop() is self.loop:
                self._set(word)
                return True
        try:
            self.loop.call_soon_threadsafe(self._set, word)
        except RuntimeError:
            return False
        return True

    def _set(self, word: bool | Refused) -> None:
        if self.word.done():
            return
        if isinstance(word, Refused):
            self.word.set_exception(word)
        else:
            self.word.set_result(word)


class InProcessQueue:
    """See `MessageQueue`. With ``archive`` its publishers archive; without, somebody else must."""

    def __init__(self, archive: Archive | None = None, limit: int = WAITING_LIMIT) -> None:
        self._archive = archive
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: deque[_Seat] = deque()
        self._in_hand: dict[_Seat, None] = {}
        self._somebody_leads = False
        self._arrived = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(self, record: Record) -> None:
        """See `MessageQueue.publish`."""
        seat = self._take_seat(record)
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                while not await seat.word:
                    await self._lead(seat)
        except TimeoutError:
            raise Refused("unavailable", retry_after_ms=RETRY_AFTER_MS) from None
        finally:
            self._leave_seat(seat)

    async def deliveries(self, limit: int, max_wait: float) -> list[Delivery]:
        """See `MessageQueue.deliveries`."""
        if not self._waiting:
            await asyncio.to_thread(self._arrived.wait, max_wait)
        return self._take(limit)

    async def written(self, deliveries: Sequence[Delivery]) -> None:
        """See `MessageQueue.written`; publishers of this loop go on before it returns."""
        for delivery in deliveries:
            delivery.tag.tell(True)
        await asyncio.sleep(0)

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """See `MessageQueue.ack`."""
        with self._lock:
            for delivery in deliveries:
                self._in_hand.pop(delivery.tag, None)

    async def lay_aside(self, delivery: Delivery, reason: str) -> bool:
        """See `MessageQueue.lay_aside`."""
        delivery.tag.tell(Refused("unavailable", retry_after_ms=RETRY_AFTER_MS))
        await self.ack([delivery])
        return True

    async def start(self) -> None:
        """See `MessageQueue.start`."""

    async def stop(self) -> None:
        """See `MessageQueue.stop`; waits for the batch in hand."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=CONFIRM_SECONDS)
        self._take_back()

    def tell_metrics(self) -> None:
        """Let whoever watches this process ask this queue; the metrics know one at a time."""
        metrics.QUEUE_DEPTH.labels("00").set_function(lambda: len(self._accepted()))
        metrics.OLDEST_SECONDS.set_function(self._age_of_oldest)

    def _age_of_oldest(self) -> float:
        accepted = self._accepted()
        return max(0.0, time.time() - min(accepted) / 1000) if accepted else 0.0

    def _accepted(self) -> list[int]:
        with self._lock:
            return [seat.record.accepted_ms for seat in (*self._in_hand, *self._waiting)]

    def _take_seat(self, record: Record) -> _Seat:
        with self._lock:
            if len(self._waiting) + len(self._in_hand) >= self._limit:
                raise Refused("busy", retry_after_ms=RETRY_AFTER_MS)
            seat = _Seat(record)
            self._waiting.append(seat)
            self._arrived.set()
            self._elect()
            return seat

    def _leave_seat(self, seat: _Seat) -> None:
        with self._lock:
            seat.is_empty = True
            with contextlib.suppress(ValueError):
                self._waiting.remove(seat)
            if seat.leads:  # it was its turn, and it gave up before it began
                seat.leads = self._somebody_leads = False
                self._elect()

    def _elect(self) -> None:
        while self._archive and self._waiting and not self._somebody_leads:
            seat = self._waiting[0]
            seat.leads = self._somebody_leads = seat.tell(False)
            if not seat.leads:
                self._waiting.popleft()

    async def _lead(self, seat: _Seat) -> None:
        seat.leads = False
        seat.word = seat.loop.create_future()
        if has_sync_caller():
            # The log is written in the thread that waits for us: it must wait to the end.
            await self._settle(self._take(BATCH))
        else:
            # A task of its own, because the publisher may give up while the batch is on its way.
            task = asyncio.create_task(self._settle(self._take(BATCH)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _settle(self, batch: list[Delivery]) -> None:
        assert self._archive is not None  # noqa: S101 (who leads has somebody to archive)
        try:
            await self._archive(self, batch)
        except Exception as error:
            log.error("code=batch_failed records=%d error=%s", len(batch), type(error).__name__)
            await self._settle_each(batch)
        finally:
            self._take_back()

    async def _settle_each(self, batch: list[Delivery]) -> None:
        """A record that nobody can archive must not take the others with it, nor come again."""
        assert self._archive is not None  # noqa: S101 (see _settle)
        for delivery in batch:
            try:
                await self._archive(self, [delivery])
            except Exception as error:
                room, name = delivery.record.room_id, type(error).__name__
                log.error("code=record_failed room=%s error=%s", room, name)
                await self.lay_aside(delivery, name)

    def _take(self, limit: int) -> list[Delivery]:
        with self._lock:
            seats = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
            self._in_hand.update(dict.fromkeys(seats))
            if not self._waiting:
                self._arrived.clear()
            return [Delivery(seat.record, seat) for seat in seats]

    def _take_back(self) -> None:
        """Whatever was not acknowledged is the next in the queue.

        Who has left their seat is not: they were confirmed, and the log has it, or they gave up and
        know it. An empty seat could be told to lead, and then nobody would.
        """
        with self._lock:
            self._waiting.extendleft(seat for seat in reversed(self._in_hand) if not seat.is_empty)
            self._in_hand.clear()
            if self._waiting:
                self._arrived.set()
            self._somebody_leads = False
            self._elect()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
