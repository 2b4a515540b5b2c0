"""All addresses: pages, REST, the admin."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularJSONAPIView

from chatsite import errors, views
from chatsite.csp_report import csp_report

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.app, name="app"),
    path("friends", views.app),
    path("rooms", views.app),
    path("rooms/<uuid:room_id>", views.app),
    path("me", views.app, name="me"),
    path("sw.js", views.service_worker),
    path("accounts/", include("allauth.urls")),
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
