"""When and from where a session was last used, for the list of own sessions."""

from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

NOTED_EVERY_SECONDS = 300


class ActivityMiddleware:
    """Notes a session's use at most every five minutes: a write to disk costs more than a request.

    allauth's own middleware does the same thing with every request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and self._is_due(key) and request.user.is_authenticated:
            UserSession.objects.create_from_request(request)
        return self.get_response(request)

    def _is_due(self, session_key: str) -> bool:
        return cache.add(f"activity:{session_key}", value=True, timeout=NOTED_EVERY_SECONDS)
