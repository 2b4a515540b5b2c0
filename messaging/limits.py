"""How much one socket may ask."""

import time

FRAMES_A_SECOND = 20.0
BURST = 40.0


class TokenBucket:
    """20 frames a second in the long run, 40 at once."""

    def __init__(self, rate: float = FRAMES_A_SECOND, burst: float = BURST) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = time.monotonic()

    def take(self) -> bool:
        """Use one up; False when there is none."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
