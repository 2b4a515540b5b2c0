"""How long to wait before trying a lost connection again."""

import random


class Backoff:
    """0.1 s, then twice as long each time, at most 5 s; half of it at random."""

    def __init__(self, first: float = 0.1, longest: float = 5.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def succeeded(self) -> None:
        """Begin anew with the shortest pause."""
        self._next = self._first

    def pause(self) -> float:
        """Seconds to wait now."""
        pause = self._next
        self._next = min(self._longest, self._next * 2)
        return pause * random.uniform(0.5, 1)  # noqa: S311 (a pause)
