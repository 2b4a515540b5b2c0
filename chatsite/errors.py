"""How refusals look outside: problem+json for programs, a page for people; no detail leaks."""

import logging
import math
from http import HTTPStatus
from typing import Any

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.refusals import Refused

log = logging.getLogger("gamrae.errors")

PROBLEM = "application/problem+json"
FOR_PROGRAMS = ("/api/", "/_allauth/", "/csp-report")

# The first class that fits names the code; what nothing here fits is a bug and becomes a 500.
CODES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.NotAuthenticated, "not_signed_in"),
    (exceptions.AuthenticationFailed, "not_signed_in"),
    (UpdateError, "not_signed_in"),  # the session ended while the request was on its way
    (exceptions.PermissionDenied, "forbidden"),
    (PermissionDenied, "forbidden"),
    (exceptions.NotFound, "not_found"),
    (Http404, "not_found"),
    (exceptions.MethodNotAllowed, "method_not_allowed"),
    (exceptions.Throttled, "rate_limited"),
    (RequestDataTooBig, "too_large"),
    (exceptions.APIException, "invalid"),
    (OperationalError, "unavailable"),  # the database is away, or could not decide who is first
)


def problem_response(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: one table from exception to answer. See docs/wire.md, section 2."""
    refused = as_refused(exc)
    if refused is None:
        return None
    set_rollback()
    headers = {"WWW-Authenticate": "Session"} if refused.status == HTTPStatus.UNAUTHORIZED else {}
    if "retry_after_ms" in refused.extra:
        headers["Retry-After"] = str(math.ceil(refused.extra["retry_after_ms"] / 1000))
    response = Response(problem(refused), status=refused.status, headers=headers)
    response.content_type = PROBLEM
    return response


def as_refused(exc: Exception) -> Refused | None:
    """The refusal that an exception means, or None when it is a bug."""
    if isinstance(exc, Refused):
        return exc
    if isinstance(exc, exceptions.ValidationError):
        return Refused("invalid", fields=_fields(exc.detail))
    code = next((code for kind, code in CODES if isinstance(exc, kind)), None)
    if code is None:
        return None
    if isinstance(exc, OperationalError):
        log.error("code=unavailable error=%s", type(exc).__name__)
        return Refused(code, retry_after_ms=1000)
    if isinstance(exc, exceptions.Throttled):
        return Refused(code, retry_after_ms=math.ceil((getattr(exc, "wait", None) or 1) * 1000))
    return Refused(code)


def _fields(detail: Any) -> dict[str, Any]:
    return detail if isinstance(detail, dict) else {"": detail}


def problem(refused: Refused) -> dict[str, Any]:
    """The members of a problem+json answer."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "code": refused.code,
        **refused.extra,
    }


def _problem(refused: Refused) -> JsonResponse:
    return JsonResponse(problem(refused), status=refused.status, content_type=PROBLEM)


def unknown_api(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Any address under /api/ that is none."""
    return _problem(Refused("not_found"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that Django itself refuses, such as one for another host."""
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, Refused("too_large"), "400.html")
    if isinstance(exception, SessionInterrupted):
        return _answer(request, Refused("not_signed_in"), "400.html")
    return _answer(request, Refused("invalid"), "400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Signed in, but not for this."""
    return _answer(request, Refused("forbidden"), "403.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from one of our pages, or from one that is too old."""
    return _answer(request, Refused("forbidden"), "403_csrf.html")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such page."""
    return _answer(request, Refused("not_found"), "404.html")


def too_many(request: HttpRequest) -> HttpResponse:
    """Asked too often; allauth's limits end here."""
    return _answer(request, Refused("rate_limited"), "429.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """A bug of ours: said plainly, without what happened."""
    if request.path_info.startswith(FOR_PROGRAMS):
        body = {"type": "about:blank", "title": "Internal Server Error", "status": 500}
        return JsonResponse(body, status=500, content_type=PROBLEM)
    return render(request, "500.html", status=500)


def _answer(request: HttpRequest, refused: Refused, template: str) -> HttpResponse:
    if request.path_info.startswith(FOR_PROGRAMS):
        return _problem(refused)
    return render(request, template, status=refused.status)
