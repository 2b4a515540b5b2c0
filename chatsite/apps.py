"""The frame, and the admin as moderators see it."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ChatsiteConfig(AppConfig):
    default = True
    name = "chatsite"

    def ready(self) -> None:
        from chatsite import schema  # noqa: F401 (importing registers the schemes)


class AdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "chatsite.admin_site.ModerationSite"
