"""How often an account may do what all rooms of its owner have to follow."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import DeviceList, User
from accounts.refusals import Refused

LISTS_AN_HOUR = 20
LISTS_A_DAY = 60
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def demand_list_rate(actor: User) -> None:
    """Twenty device lists an hour and sixty a day, whoever sends them; else ``rate_limited``.

    Every list is kept for ever, and all who meet the account fetch each of them once. Only lists
    that were kept count, and only the account key makes those: no thief of a session can use them
    up.
    """
    wait = max(_wait(actor, LISTS_AN_HOUR, HOUR), _wait(actor, LISTS_A_DAY, DAY))
    if wait > timedelta(0):
        raise Refused("rate_limited", retry_after_ms=max(1, int(wait.total_seconds() * 1000)))


def _wait(actor: User, most: int, window: timedelta) -> timedelta:
    """Until one more may be kept: nothing while fewer than the most were within the window."""
    now = timezone.now()
    kept = DeviceList.objects.filter(user=actor, created_at__gt=now - window)
    times = kept.order_by("-created_at").values_list("created_at", flat=True)
    oldest = times[most - 1 : most].first()
    return timedelta(0) if oldest is None else oldest + window - now
