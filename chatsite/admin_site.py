"""The admin as moderators see it: accounts, devices, rooms as metadata; there is no content.

Why its pages have a policy of their own: docs/decisions/0007-admin-pages-without-trusted-types.md
"""

from collections.abc import Iterable
from typing import Any

from allauth.account.adapter import get_adapter
from csp.decorators import csp_replace
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

OWN_APPS = {"accounts", "friends", "rooms", "messaging"}
# jQuery in Django's own scripts writes HTML, which Trusted Types would stop.
LOOSER = {"require-trusted-types-for": None, "trusted-types": None, "script-src": ["'self'"]}


class ModerationSite(AdminSite):
    """Signs in where everybody does, and shows our own models alone."""

    site_header = _("감래 운영")
    site_title = _("감래 운영")
    index_title = _("사람, 기기, 방")

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Leave out what libraries register: session keys and second factors are nobody's."""
        given = model_or_iterable
        models = [given] if isinstance(given, type) else list(given)
        for model in models:
            if model._meta.app_label in OWN_APPS:
                super().register(model, admin_class, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return csp_replace(LOOSER)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.method != "POST":
            return redirect("account_logout")
        get_adapter(request).logout(request)
        return redirect("account_login")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")
