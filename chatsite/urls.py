"""All addresses: pages, REST, the admin."""

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularJSONAPIView

from accounts.views import EmailView
from chatsite import errors, views
from chatsite.csp_report import csp_report

# Of allauth's addresses for programs. The others serve what we do not have, or change an account's
# address without its confirmation.
OPEN_TO_PROGRAMS = "|".join(
    (
        "config",
        "auth/(?:login|signup|session|sessions|reauthenticate)",
        "auth/email/verify(?:/resend)?",
        "auth/password/(?:request|reset)",
        "account/password/change",
    )
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.app, name="app"),
    path("friends", views.app),
    path("rooms", views.app),
    path("rooms/<uuid:room_id>", views.app),
    path("me", views.app, name="me"),
    path("sw.js", views.service_worker),
    path("accounts/email/", login_required(EmailView.as_view()), name="account_email"),
    path("accounts/", include("allauth.urls")),
    re_path(rf"^_allauth/app/v1/(?!(?:{OPEN_TO_PROGRAMS})$)", errors.unknown_api),
    path("_allauth/", include("allauth.headless.urls")),
    path("language/", set_language, name="set_language"),
    path("api/", include("accounts.urls")),
    path("api/", include("friends.urls")),
    path("api/", include("rooms.urls")),
    path("api/", include("messaging.urls")),
    path("api/schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/<path:rest>", errors.unknown_api),
    path("admin/", admin.site.urls),
    path("csp-report", csp_report),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler429 = errors.too_many
handler500 = errors.server_error
