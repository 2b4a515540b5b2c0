"""Whether this process lives and can serve: asked by load balancers, under any host name."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong

from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from messaging import runtime
from messaging.drain import is_draining

log = logging.getLogger("gamrae.health")

ANSWER_SECONDS = 2.0
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
    if not _database_answers():
        return _answer("unavailable", ["database"], 503)
    away = async_to_sync(runtime.away)()
    return _answer("degraded" if away else "ready", away, 200)


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
