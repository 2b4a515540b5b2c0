"""What was sent and what came back, by envelope; times in seconds."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """``expected`` deliveries, and no message twice on a socket."""

    numbers: dict[str, int]
    expected: int
    sent: list[float] = field(default_factory=list)
    acceptance: list[float] = field(default_factory=list)
    delivery: list[float] = field(default_factory=list)
    stored: int = 0
    duplicates: int = 0
    refused: int = 0
    all_delivered: asyncio.Event = field(default_factory=asyncio.Event)
    all_stored: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def lost(self) -> int:
        """Deliveries that did not come."""
        return self.expected - len(self.delivery)

    @property
    def not_stored(self) -> int:
        """Messages that a socket was not told to be in the log."""
        return max(0, self.expected - self.stored)

    def accepted(self, number: int, now: float) -> None:
        """The server has said that it has a message."""
        self.acceptance.append(now - self.sent[number])

    def delivered(self, seen: set[int], envelope: str, now: float) -> None:
        """A message has come to the socket that has ``seen`` others."""
        number = self.numbers[envelope]
        if number in seen:
            self.duplicates += 1
            return
        seen.add(number)
        self.delivery.append(now - self.sent[number])
        if len(self.delivery) == self.expected:
            self.all_delivered.set()

    def noted(self, messages: int) -> None:
        """A socket was told that so many messages are in the log."""
        self.stored += messages
        if self.stored >= self.expected:
            self.all_stored.set()
