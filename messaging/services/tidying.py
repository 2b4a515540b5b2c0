"""Forgetting what has run out."""

import logging

from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from accounts.access import ENDED_LATELY
from accounts.linking import forget_old_boxes
from accounts.models import SessionsEnded
from rooms import services as rooms

log = logging.getLogger("gamrae.tidying")


def forget_what_has_run_out() -> int:
    """Delete ended sessions, boxes of links, and wraps that nobody fetched for 60 days.

    Gives how many wraps.
    """
    SessionStore.clear_expired()
    SessionsEnded.objects.filter(ended_at__lte=timezone.now() - ENDED_LATELY).delete()
    forget_old_boxes()
    forgotten = rooms.forget_old_wraps()
    if forgotten:
        log.info("code=wraps_forgotten count=%s", forgotten)
    return forgotten
