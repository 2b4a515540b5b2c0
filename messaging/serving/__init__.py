"""Running a server around the application: daphne, or uvicorn by one setting."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

MAX_FRAME = 64 * 1024
# No request brings more; the largest is a commit (docs/wire.md, section 3).
MAX_BODY = 4 * 1024 * 1024
# Empty fragments cost their sender nothing: their number is bounded too.
MAX_FRAGMENTS = 256
PING_SECONDS = 20
PING_TIMEOUT_SECONDS = 60


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
