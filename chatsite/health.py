"""Whether this process lives and can serve: asked by load balancers, under any host name."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from threading import Lock

from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from messaging import runtime
from messaging.drain import is_draining

log = logging.getLogger("gamrae.health")

ANSWER_SECONDS = 2.0
LOOK_EVERY_SECONDS = 1.0
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
# Not the request's thread: a database that hangs would keep it longer than any balancer waits.
POOL = ThreadPoolExecutor(2, thread_name_prefix="chatsite-health")

GetResponse = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """Answers ``/healthz/live`` and ``/healthz/ready`` before host names are checked."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz/live":
            return HttpResponse("live", content_type="text/plain", headers=HEADERS)
        if request.path_info == "/healthz/ready":
            return readiness()
        return self.get_response(request)


def readiness() -> HttpResponse:
    """200 while people can be served, well or badly, else 503; the body says what is away.

    Only the database decides. A queue or log that is away is away for every process: to take them
    all out of the balancer would turn a small trouble into a great one.
    """
    if is_draining():
        return _answer("draining", [], 503)
    if not (found := looking.found()).database:
        return _answer("unavailable", ["database"], 503)
    return _answer("degraded" if found.away else "ready", found.away, 200)


@dataclass(frozen=True, slots=True)
class Found:
    """Whether the database answers, and what else does not."""

    database: bool
    away: list[str]


class Looking:
    """One look a second, whoever asks and how often.

    Else a stranger who asks in a loop keeps the threads busy that the balancer's question waits
    for, and takes every process out of it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: Found | None = None
        self._until = 0.0

    def found(self) -> Found:
        """What the last look found, after a new one if that was over a second ago."""
        with self._lock:
            if self._found is None or time.monotonic() >= self._until:
                database = _database_answers()
                away = async_to_sync(runtime.away)() if database else []
                self._found = Found(database, away)
                self._until = time.monotonic() + LOOK_EVERY_SECONDS
            return self._found


looking = Looking()


def _database_answers() -> bool:
    try:
        POOL.submit(_ask_database).result(ANSWER_SECONDS)
    except (DatabaseError, TookTooLong) as error:
        log.error("code=database_unavailable error=%s", type(error).__name__)
        return False
    return True


def _ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def _answer(status: str, away: list[str], code: int) -> HttpResponse:
    return JsonResponse({"status": status, "away": away}, status=code, headers=HEADERS)
