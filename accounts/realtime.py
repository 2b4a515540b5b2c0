"""A person's own socket group: news for one person, and the end of their sessions.

What is said here is at most once. A client that missed it learns the same by asking.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from accounts.models import SessionsEnded

log = logging.getLogger("gamrae.realtime")

# Whom a person's news concerns, beside oneself: apps that know of ties append (user_id) -> ids.
circles: list[Callable[[UUID], Iterable[UUID]]] = []


def user_group(user_id: UUID) -> str:
    """The channel layer's group of all sockets of one person."""
    return f"user.{user_id.hex}"


def notify_on_commit(user_id: UUID, event: str, /, **members: Any) -> None:
    """Push ``event`` to all devices of a person once the transaction is committed."""
    _send_on_commit(user_id, {"type": "person.push", "frame": {"event": event, **members}})


def notify_circle_on_commit(user_id: UUID, event: str, /, **members: Any) -> None:
    """Push ``event`` to everybody whom this person's news concerns, and to their other devices."""
    concerned = {user_id}.union(*(circle(user_id) for circle in circles))
    for other in sorted(concerned):
        notify_on_commit(other, event, **members)


def end_sessions_on_commit(
    user_id: UUID, *, session_key: str | None = None, device_id: UUID | None = None
) -> None:
    """Close a person's sockets after the commit: those of one session or device, or all of them.

    The row that is left with the commit lets every process find them, should nobody say so.
    """
    SessionsEnded.objects.create(user_id=user_id)
    device = str(device_id) if device_id else None
    message = {"type": "session.ended", "session_key": session_key, "device_id": device}
    _send_on_commit(user_id, message)


def _send_on_commit(user_id: UUID, message: dict[str, Any]) -> None:
    transaction.on_commit(lambda: _send(user_id, message))


def _send(user_id: UUID, message: dict[str, Any]) -> None:
    # What was committed stays committed whether or not anybody hears of it at once.
    try:
        layer = get_channel_layer()
        assert layer is not None  # noqa: S101 (the settings name one)
        async_to_sync(layer.group_send)(user_group(user_id), message)
    except Exception as error:
        log.error("code=realtime_unavailable user=%s error=%s", user_id, type(error).__name__)
