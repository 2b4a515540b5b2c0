"""Who has agreed to talk with whom."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import random_id


class FriendRequest(models.Model):
    """A wish to be friends, addressed to an e-mail.

    It names an address and not a person, so that asking for an unknown address does the same work
    and leaves the same row as asking for a known one.
    """

    id = models.UUIDField(primary_key=True, default=random_id, editable=False)
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sent_friend_requests"
    )
    email = models.EmailField()
    declined_at = models.DateTimeField(null=True, blank=True)
    # Only of declined ones: taking back and asking again must not bother whoever said no.
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sender", "email"], name="one_friend_request_per_address"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["email"], name="friend_request_email")]


class Friendship(models.Model):
    """Two people who may open rooms with each other; one row for each unordered pair."""

    low = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    high = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["low", "high"], name="one_friendship_per_pair"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="friendship_is_ordered"),
        ]
        indexes: ClassVar = [models.Index(fields=["high"], name="friendship_high")]
