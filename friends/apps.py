"""The app's name for people, and whom a friendship lets see keys."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FriendsConfig(AppConfig):
    name = "friends"
    verbose_name = _("친구")

    def ready(self) -> None:
        from accounts import access, realtime
        from friends.access import are_friends, friend_ids

        access.may_see_keys.append(are_friends)
        realtime.circles.append(friend_ids)
