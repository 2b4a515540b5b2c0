"""The queue between accepting a message and writing the log: one interface, one module a queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from messaging.record import Record

CONFIRM_SECONDS = 3.0  # a sender hears "unavailable" rather than wait longer
RETRY_AFTER_MS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """A record that the archiver has in its hands and the queue still remembers.

    ``tag`` belongs to the queue that made it: a delivery tag, or the one who waits.
    """

    record: Record
    tag: Any = None


class MessageQueue(Protocol):
    """What is confirmed is delivered at least once, also after everything was killed."""

    async def publish(self, record: Record) -> None:
        """Return when the record is safe: after the queue's confirm, never before.

        Raises `Refused` ``busy`` at once when too many wait, ``unavailable`` after 3 s. The record
        may be stored all the same, so that the sender repeats the same bytes under the same id.
        """

    async def deliveries(self, limit: int, max_wait: float) -> list[Delivery]:
        """Up to ``limit``, in the order of publishing; none after ``max_wait`` seconds."""

    async def written(self, deliveries: Sequence[Delivery]) -> None:
        """The log has decided on these. A queue that confirms only now (solo) does so here."""

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Forget these. What is not acknowledged when the archiver dies is delivered again."""

    async def lay_aside(self, delivery: Delivery, reason: str) -> bool:
        """Take away what can never be stored; False when that is not possible now.

        In a cluster an operator finds it among the parked; in solo its sender is refused.
        """

    async def start(self) -> None:
        """Connect; safe to call twice."""

    async def stop(self) -> None:
        """Finish what is in hand and let go; what was not acknowledged stays in the queue."""
