"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Who may join, whether mail is sent, and how people reach this server."""
    return {
        "signup_is_open": settings.SIGNUP == "open",
        "mail_is_configured": settings.MAIL_CONFIGURED,
        "public_url": settings.PUBLIC_URL,
    }
