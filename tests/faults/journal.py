"""What clients noted while something was broken: written down at once, read when all is over."""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass
class Sent:
    """One message on its way; times by the clock of this machine, 0 for what did not happen."""

    message: bytes
    room: bytes
    sender: str
    text: str
    attempted: float
    accepted: float = 0.0
    stored: float = 0.0


@dataclass(frozen=True)
class Trouble:
    """Somebody met a refusal or lost a connection."""

    at: float
    who: str
    code: str


class Journal:
    """Shared by the threads of all clients of one scenario."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent: dict[bytes, Sent] = {}
        self.troubles: list[Trouble] = []
        self.heard: dict[tuple[str, bytes], float] = {}

    def attempted(self, message: bytes, room: bytes, sender: str, text: str) -> None:
        """Written into the outbox of its sender."""
        with self._lock:
            self.sent[message] = Sent(message, room, sender, text, time.monotonic())

    def accepted(self, message: bytes) -> None:
        """The sender has the server's word; the first time counts."""
        if sent := self.sent.get(message):  # else of a scenario before this one
            sent.accepted = sent.accepted or time.monotonic()

    def stored(self, message: bytes) -> None:
        """The sender has found it in the log."""
        if sent := self.sent.get(message):
            sent.stored = sent.stored or time.monotonic()

    def met(self, who: str, code: str) -> None:
        """A refusal, or a connection that ended."""
        with self._lock:
            self.troubles.append(Trouble(time.monotonic(), who, code))

    def hears(self, who: str, message: bytes) -> None:
        """A receiver has opened it; the first time counts."""
        with self._lock:
            self.heard.setdefault((who, message), time.monotonic())

    def not_stored(self) -> list[Sent]:
        """What its sender does not yet know to be in the log."""
        with self._lock:
            return [each for each in self.sent.values() if not each.stored]

    def known(self) -> int:
        """How much has been stored and heard; it only grows."""
        with self._lock:
            return len(self.heard) + sum(bool(each.stored) for each in self.sent.values())

    def delays(self, members: Mapping[bytes, Iterable[str]], since: float = 0.0) -> list[float]:
        """Seconds from writing to opening by each member, of what was written after ``since``.

        Ascending. What somebody has not opened yet counts with its age now: else who hears nothing
        at all would have waited for nothing.
        """
        with self._lock:
            now = time.monotonic()
            return sorted(
                self.heard.get((who, sent.message), now) - sent.attempted
                for sent in self.sent.values()
                if sent.attempted >= since
                for who in members[sent.room]
            )
