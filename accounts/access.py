"""Loads that grant: the load is the permission check. Absent and not yours are the same answer."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.db.models import F
from django.utils import timezone
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import (
    AccountKey,
    Device,
    DeviceList,
    FormerKey,
    Prekey,
    Reset,
    SessionsEnded,
    User,
)
from accounts.refusals import DeviceRequired
from accounts.signed_objects import parse_device_list

DEVICE_IN_SESSION = "gamrae_device"
# From when a reset is due. A forgotten one must not lie ready for whoever comes by years later.
RESET_LAPSES_AFTER = timedelta(days=7)
# More than processes' clocks differ and transactions last.
ENDED_LATELY = timedelta(minutes=5)

# Who may see whose keys and profile, beside oneself: apps that know of ties between people append
# a predicate (asker, other) when they are ready. Nobody may, until one says so.
may_see_keys: list[Callable[[UUID, UUID], bool]] = []


def newest_list(user: User | UUID) -> DeviceList:
    """The newest list under the present account key; `DeviceList.DoesNotExist` before enrolment."""
    newest = DeviceList.objects.filter(user=user).order_by("-key_number", "-version").first()
    if newest is None:
        raise DeviceList.DoesNotExist
    return newest


def listed_devices(user: User | UUID) -> set[UUID]:
    """The ids in the newest list; empty before enrolment."""
    try:
        body = bytes(newest_list(user).body)
    except DeviceList.DoesNotExist:
        return set()
    return {entry.device for entry in parse_device_list(body).entries}


def device_of(user: User | UUID, device_id: UUID) -> Device:
    """A person's device, in the newest list and not revoked; else `Device.DoesNotExist`."""
    device = Device.objects.get(pk=device_id, user=user, revoked_at__isnull=True)
    if device_id not in listed_devices(user):
        raise Device.DoesNotExist
    return device


def newest_prekey(device: Device) -> Prekey | None:
    """The prekey with the highest sequence number, if there is one."""
    return device.prekeys.order_by("-seq").first()


def device_in_session(session: SessionBase) -> UUID | None:
    """The device that a session says it has proved; whether it still counts is `device_of`."""
    value = session.get(DEVICE_IN_SESSION)
    return UUID(value) if value else None


def proved_device(request: Request) -> Device:
    """The device that the session has proved and that still counts; else `DeviceRequired`."""
    device_id = device_in_session(request.session)
    if device_id is None or not isinstance(request.user, User):
        raise DeviceRequired
    try:
        return device_of(request.user, device_id)
    except Device.DoesNotExist:
        raise DeviceRequired from None


class DevicePermission(BasePermission):
    """For rows marked **device** in docs/wire.md: puts the proved device on ``request.device``."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, User):
            return False
        request.device = proved_device(request)  # type: ignore[attr-defined]
        return True


def sessions_ended_lately() -> dict[int, UUID]:
    """Rows of the last minutes, by their number, each with whose session it was."""
    since = timezone.now() - ENDED_LATELY
    return dict(SessionsEnded.objects.filter(ended_at__gt=since).values_list("pk", "user_id"))


def may_see_keys_of(asker: User, user_id: UUID) -> bool:
    """Whether it is oneself, or somebody with whom there is a tie."""
    return asker.id == user_id or any(sees(asker.id, user_id) for sees in may_see_keys)


def visible_person(asker: User, user_id: UUID) -> User:
    """Oneself, or somebody with whom there is a tie; else `User.DoesNotExist`."""
    if not may_see_keys_of(asker, user_id):
        raise User.DoesNotExist
    return User.objects.get(pk=user_id)


def account_key_of(user: User | UUID) -> AccountKey:
    """The account key of a person; `AccountKey.DoesNotExist` before enrolment."""
    return AccountKey.objects.get(user=user)


def former_keys_of(user: User | UUID) -> list[FormerKey]:
    """The account keys of a person that resets have ended, the first one first."""
    return list(FormerKey.objects.filter(user=user).select_related("reset").order_by("number"))


def former_devices(user: User | UUID) -> set[UUID]:
    """The devices that lists under ended account keys named; for most people none."""
    rows = DeviceList.objects.filter(user=user, key_number__lt=F("user__account_key__number"))
    lists = [parse_device_list(bytes(body)) for body in rows.values_list("body", flat=True)]
    return {entry.device for devices in lists for entry in devices.entries}


def waiting_reset(user: User | UUID, now: datetime) -> Reset | None:
    """The reset that somebody has begun and nobody has ended, unless it has lapsed."""
    open_ones = Reset.objects.filter(user=user, ended_at=None, due_at__gt=now - RESET_LAPSES_AFTER)
    return open_ones.order_by("-pk").first()
