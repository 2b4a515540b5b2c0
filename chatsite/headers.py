"""Headers of every answer, and which headers of a request may be believed."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.client_address import comes_from_trusted_proxy

GetResponse = Callable[[HttpRequest], HttpResponse]
FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
)
FEATURES_OFF = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
)
FEATURES_OF_OURS = ("publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS_POLICY = ", ".join(
    [f"{feature}=()" for feature in FEATURES_OFF]
    + [f"{feature}=(self)" for feature in FEATURES_OF_OURS]
)


class ForwardedMiddleware:
    """Drops X-Forwarded headers that no trusted proxy wrote, before anything reads them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not comes_from_trusted_proxy(request.META.get("REMOTE_ADDR")):
            for name in FORWARDED:
                request.META.pop(name, None)
        return self.get_response(request)


class HeadersMiddleware:
    """What Django does not set: no features, no foreign embedding, nothing personal in caches."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not request.path_info.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
        return response
