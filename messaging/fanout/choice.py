"""Which fan-out this profile uses; made on first use, one for the process."""

import functools

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from messaging.fanout import FanOut
from messaging.fanout.in_process import InProcessFanOut


@functools.cache
def fan_out() -> FanOut:
    """What carries frames to the other processes."""
    if not settings.SOLO:
        raise ImproperlyConfigured("GAMRAE_PROFILE=cluster has no fan-out in this version.")
    return InProcessFanOut()
