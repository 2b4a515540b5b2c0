"""Counting exactly, whoever asks at the same moment: a number of places, each taken for a time."""

import random
import time
from typing import Any

FIRST_TRIES = 3
AFTER_A_RACE = 1.0


def take_place(cache: Any, key: str, places: int, seconds: float) -> float | None:
    """Take one of the places under ``key`` for ``seconds``; None when there was one.

    Else the seconds until one is free. Reading a list and writing it back, as counters in caches
    often do, lets through whoever asks between the two; adding what is not there does not.
    """
    now = time.time()
    names = [f"{key}:{number}" for number in range(places)]

    def takes(name: str) -> bool:
        return bool(cache.add(name, now + seconds, seconds))

    if any(takes(name) for name in random.sample(names, min(FIRST_TRIES, places))):
        return None
    taken = cache.get_many(names)
    if any(takes(name) for name in names if name not in taken):
        return None
    until = min(taken.values(), default=now + AFTER_A_RACE)
    return max(0.0, float(until) - now)
