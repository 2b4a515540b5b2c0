"""Which fan-out this profile uses; made on first use, one for the process."""

import functools

from django.conf import settings

from messaging.fanout import FanOut
from messaging.fanout.in_process import InProcessFanOut


@functools.cache
def fan_out() -> FanOut:
    """What carries frames to the other processes."""
    if settings.SOLO:
        return InProcessFanOut()
    from messaging.fanout.redis import RedisFanOut  # solo starts without the cluster's clients

    return RedisFanOut(settings.REDIS_URL, settings.REDIS_CA)
