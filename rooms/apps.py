"""The app's name for people, and what it tells the apps below."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = _("방")

    def ready(self) -> None:
        """Fellow members, former ones too, may see each other's public keys and names."""
        from accounts.access import may_see_keys
        from rooms.access import may_know

        may_see_keys.append(may_know)
