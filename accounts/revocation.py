"""What ends with a device: its prekeys, its sessions and sockets, and what is kept for it."""

from collections.abc import Collection
from uuid import UUID

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from accounts.access import DEVICE_IN_SESSION, device_in_session
from accounts.authentication import session_for_token
from accounts.device_lists import forget_devices
from accounts.models import Device, LinkBox, Prekey, User
from accounts.realtime import end_sessions_on_commit


def revoke_devices(
    user: User, devices: Collection[UUID], *, asking: SessionBase | None = None
) -> None:
    """Make these a person's devices no more; for the transaction that keeps the list without them.

    The sessions that had proved them end: whoever sits there signs in again. The session that asks
    for it goes on as nobody's device: a browser that lost its keys takes its own former place.
    """
    if not devices:
        return
    Device.objects.filter(user=user, pk__in=devices).update(revoked_at=timezone.now())
    Prekey.objects.filter(device__in=devices).delete()
    LinkBox.objects.filter(device__in=devices).delete()
    for forget in forget_devices:
        forget(devices)
    ended = _sessions_of(user, devices)
    if asking is not None and device_in_session(asking) in devices:
        ended = [row for row in ended if row.session_key != asking.session_key]
        del asking[DEVICE_IN_SESSION]
        asking.save()
    get_adapter().end_sessions(ended)
    for device in devices:
        end_sessions_on_commit(user.id, device_id=device)


def _sessions_of(user: User, devices: Collection[UUID]) -> list[UserSession]:
    return [
        row
        for row in UserSession.objects.filter(user=user)
        if (session := session_for_token(row.session_key)) is not None
        and device_in_session(session) in devices
    ]
