"""Moderators see how many friends somebody has, not who they are."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.admin import counts
from friends.access import friend_ids


def friend_count(user_id: UUID) -> int:
    """How many friends a person has."""
    return len(friend_ids(user_id))


counts.append((_("친구"), friend_count))
