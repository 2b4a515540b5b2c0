"""The one page of the chat; what it shows is rendered in the browser, which alone can read it."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chatsite.frontend import NotBuilt


@require_safe
@login_required
def app(request: HttpRequest, **path: object) -> HttpResponse:
    """The shell; the browser reads from the address which screen is meant."""
    try:
        return render(request, "app.html")
    except NotBuilt:
        return render(request, "not_built.html", status=503)


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The built service worker, at the root: a worker's place is the largest part it may serve."""
    try:
        code = (Path(settings.FRONTEND_DIST) / "sw.js").read_bytes()
    except FileNotFoundError:
        raise Http404 from None
    return HttpResponse(code, content_type="text/javascript")
