"""How often an account may do what all rooms of its owner have to follow."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import DeviceList, User
from accounts.refusals import Refused

LISTS_AN_HOUR = 20
HOUR = timedelta(hours=1)


def demand_list_rate(actor: User) -> None:
    """Twenty device lists an hour, whoever sends them; ``rate_limited`` otherwise.

    Only lists that were kept count, and only the account key makes those: no thief of a session
    can use them up.
    """
    now = timezone.now()
    kept = DeviceList.objects.filter(user=actor, created_at__gt=now - HOUR)
    newest_first = kept.order_by("-created_at").values_list("created_at", flat=True)
    times = list(newest_first[:LISTS_AN_HOUR])
    if len(times) == LISTS_AN_HOUR:
        wait = times[-1] + HOUR - now
        raise Refused("rate_limited", retry_after_ms=max(1, int(wait.total_seconds() * 1000)))
