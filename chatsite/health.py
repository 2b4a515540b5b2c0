"""Whether this process lives and can serve: asked by load balancers, under any host name."""

import logging
from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from messaging.drain import is_draining

log = logging.getLogger("gamrae.health")

GetResponse = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """Answers ``/healthz/live`` and ``/healthz/ready`` before host names are checked."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz/live":
            return _plain("live", 200)
        if request.path_info == "/healthz/ready":
            return _plain("ready", 200) if is_ready() else _plain("not ready", 503)
        return self.get_response(request)


def is_ready() -> bool:
    """Whether the relational store answers, and this process is not on its way out."""
    if is_draining():
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.error("code=database_unavailable error=%s", type(error).__name__)
        return False
    return True


def _plain(text: str, status: int) -> HttpResponse:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, content_type="text/plain", status=status, headers=headers)
