"""Running a server around the application: daphne, or uvicorn by one setting."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

MAX_FRAME = 64 * 1024
# No request brings more; the largest is a commit (docs/wire.md, section 3).
MAX_BODY = 4 * 1024 * 1024
# Empty fragments cost their sender nothing: their number is bounded too.
MAX_FRAGMENTS = 256
# What a client sent and the application has not taken yet, each frame with what it costs to keep.
MAX_UNREAD = 1024 * 1024
FRAME_COST = 1024
TOO_MANY_FRAMES = 4029
PING_SECONDS = 20
PING_TIMEOUT_SECONDS = 60


class Unread:
    """How much of one client lies unread before the application: never more than 1 MiB."""

    def __init__(self) -> None:
        self._kept = 0

    def takes(self, size: int, *, is_empty: bool) -> bool:
        """Count a message of so many bytes in; False when it is too much.

        ``is_empty``: the application has taken everything that came before.
        """
        self._kept = (0 if is_empty else self._kept) + size + FRAME_COST
        return self._kept <= MAX_UNREAD


class CannotListen(Exception):
    """The address is taken or not ours; the text is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen, and what to do when that begins and when the process is told to end.

    ``opened`` is awaited in the server's event loop before anybody is answered. ``began`` gets the
    port, which is of interest when 0 was asked for. ``drain`` is awaited once between the signal
    and the stop.
    """

    host: str
    port: int
    certificate: str
    key: str
    opened: Callable[[], Awaitable[None]]
    began: Callable[[int], None]
    drain: Callable[[], Awaitable[None]]
