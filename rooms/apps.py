"""The app's name for people, and what it tells the apps below."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = _("방")

    def ready(self) -> None:
        """Fellow members, former ones too, may see each other's public keys and names.

        The wraps that a revoked device has not fetched go with it, and the stays of an account key
        end with the key.
        """
        from accounts.access import may_see_keys
        from accounts.device_lists import forget_devices
        from accounts.resets import when_key_is_replaced
        from rooms.access import may_know
        from rooms.services import end_stays_of_replaced_key, forget_wraps

        may_see_keys.append(may_know)
        forget_devices.append(forget_wraps)
        when_key_is_replaced.append(end_stays_of_replaced_key)
