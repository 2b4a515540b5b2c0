"""The one place that chooses implementations by profile. Everything is made on first use."""

import functools

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from messaging import announce
from messaging.archiver import Archiver
from messaging.broker import MessageQueue
from messaging.broker.in_process import InProcessQueue
from messaging.fanout.choice import fan_out
from messaging.hub import Hub
from messaging.store import MessageLog
from messaging.store.relational import RelationalLog

__all__ = ["archiver", "fan_out", "hub", "log", "queue"]


@functools.cache
def queue() -> MessageQueue:
    """Where accepted records wait for the log."""
    _only_solo()
    return InProcessQueue(archive=archiver().settle)


@functools.cache
def log() -> MessageLog:
    """Where records stay."""
    _only_solo()
    return RelationalLog()


@functools.cache
def hub() -> Hub:
    """The sockets of this process, by room."""
    return Hub(fan_out())


@functools.cache
def archiver() -> Archiver:
    """What takes from the queue and writes the log."""
    return Archiver(log(), stored=announce.message_stored, refused=announce.message_refused)


def _only_solo() -> None:
    if not settings.SOLO:
        raise ImproperlyConfigured(
            "GAMRAE_PROFILE=cluster is not available in this version: use solo."
        )
