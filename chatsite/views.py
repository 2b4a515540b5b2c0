"""The one page of the chat; what it shows is rendered in the browser, which alone can read it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
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
