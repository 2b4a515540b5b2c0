"""Which person asks: by session cookie with CSRF token, or by a program's session token.

Both end in the same Django session, so that a proved device means the same for both.
"""

from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import User
from accounts.refusals import Refused

TOKEN_HEADER = "X-Session-Token"  # noqa: S105


def session_for_token(token: str) -> SessionBase | None:
    """The live session that a token or session cookie names."""
    if not token or not token.isascii() or len(token) > 40:
        return None
    session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(session_key=token)
    # Loading clears the key of a session that is absent or has expired.
    session.get(SESSION_KEY)
    return session if session.session_key else None


def person_of_session(session: SessionBase) -> User | None:
    """The person signed in to a session; nobody after a password change elsewhere.

    Refuses a suspended person with ``suspended``.
    """
    user_id: str = session.get(SESSION_KEY, "")
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    if user is None or not _hash_matches(session, user):
        return None
    if user.suspended_at is not None:
        raise Refused("suspended")
    return user


def _hash_matches(session: SessionBase, user: User) -> bool:
    found = session.get(HASH_SESSION_KEY, "")
    expected = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(found, value) for value in expected)


class TokenAuthentication(BaseAuthentication):
    """``X-Session-Token`` of a program: no cookie, no Origin, no CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, SessionBase] | None:
        token = request.headers.get(TOKEN_HEADER)
        if token is None:
            return None
        session = session_for_token(token)
        user = person_of_session(session) if session else None
        if session is None or user is None:
            raise AuthenticationFailed
        # On the wrapper alone: the session middleware must not turn the token into a cookie.
        request.session = session
        return user, session

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class CookieAuthentication(SessionAuthentication):
    """The browser's session cookie; every unsafe method needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, SessionBase] | None:
        user = person_of_session(request._request.session)
        if user is None:
            return None
        self.enforce_csrf(request)
        return user, request._request.session

    def authenticate_header(self, request: Request) -> str:
        return "Session"


def session_of_scope(scope: dict[str, Any]) -> SessionBase | None:
    """The session of a socket's upgrade request: header first, else cookie."""
    headers = {name.decode("latin-1").lower(): value for name, value in scope.get("headers", [])}
    token = headers.get(TOKEN_HEADER.lower())
    if token is not None:
        return session_for_token(token.decode("latin-1"))
    cookies = parse_cookie(headers.get("cookie", b"").decode("latin-1"))
    return session_for_token(cookies.get(settings.SESSION_COOKIE_NAME, ""))


def _person_of_scope(scope: dict[str, Any]) -> tuple[User, SessionBase] | None:
    session = session_of_scope(scope)
    try:
        user = person_of_session(session) if session else None
    except Refused:
        return None
    return (user, session) if session and user else None


async def person_of_scope(scope: dict[str, Any]) -> tuple[User, SessionBase] | None:
    """The person and session behind a socket; None when nobody, or suspended."""
    return await sync_to_async(_person_of_scope)(scope)
