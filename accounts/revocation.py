"""What ends with a device: its prekeys, its sessions and sockets, and what is kept for it."""

from collections.abc import Collection
from uuid import UUID

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.utils import timezone

from accounts.access import device_in_session
from accounts.authentication import session_for_token
from accounts.device_lists import forget_devices
from accounts.models import Device, LinkBox, Prekey, User
from accounts.realtime import end_sessions_on_commit


def revoke_devices(user: User, devices: Collection[UUID]) -> None:
    """Make these a person's devices no more; for the transaction that keeps the list without them.

    The sessions that had proved them end: whoever sits there signs in again.
    """
    if not devices:
        return
    Device.objects.filter(user=user, pk__in=devices).update(revoked_at=timezone.now())
    Prekey.objects.filter(device__in=devices).delete()
    LinkBox.objects.filter(device__in=devices).delete()
    for forget in forget_devices:
        forget(devices)
    get_adapter().end_sessions(_sessions_of(user, devices))
    for device in devices:
        end_sessions_on_commit(user.id, device_id=device)


def _sessions_of(user: User, devices: Collection[UUID]) -> list[UserSession]:
    return [
        row
        for row in UserSession.objects.filter(user=user)
        if (session := session_for_token(row.session_key)) is not None
        and device_in_session(session) in devices
    ]
