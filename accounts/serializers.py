"""The JSON of "Me, keys, devices" in docs/wire.md."""

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from rest_framework import serializers

from accounts.access import device_in_session, device_of, listed_devices, newest_list
from accounts.fields import (
    BytesField,
    IdField,
    ShortListField,
    StrictSerializer,
    TextField,
    WholeField,
)
from accounts.models import AccountKey, Device, DeviceList, User
from accounts.protocol import to_base64url
from accounts.signed_objects import MAX_DEVICES
from accounts.validators import validate_nickname, validate_shown_text


class Profile(StrictSerializer):
    nickname = TextField(max_length=40, validators=[validate_nickname], required=False)
    status_message = TextField(
        max_length=120, allow_blank=True, validators=[validate_shown_text], required=False
    )


class Enrol(StrictSerializer):
    account_key = BytesField(exact=32)
    device_list = BytesField(min=1, max=8192)
    list_sig = BytesField(exact=64)
    prekey = BytesField(min=1, max=2048)
    prekey_sig = BytesField(exact=64)
    recovery_blob = BytesField(min=1, max=2048)
    recovery_sig = BytesField(exact=64)


class NewPrekey(StrictSerializer):
    prekey = BytesField(min=1, max=2048)
    prekey_sig = BytesField(exact=64)


class NextDeviceList(StrictSerializer):
    device_list = BytesField(min=1, max=8192)
    list_sig = BytesField(exact=64)
    prekeys = ShortListField(child=NewPrekey(), max_length=MAX_DEVICES)


class Renewal(StrictSerializer):
    device_list = BytesField(min=1, max=8192)
    list_sig = BytesField(exact=64)
    recovery_blob = BytesField(min=1, max=2048)
    recovery_sig = BytesField(exact=64)
    carry = BytesField(exact=1168)


# docs/protocol.md §3.8: an answer holds a list of 32 devices and the pins of 6,000 contacts.
MAX_LINK_OFFER = 4096
MAX_LINK_ANSWER = 700_000


class LinkOffer(StrictSerializer):
    link_id = IdField()
    offer = BytesField(min=1, max=MAX_LINK_OFFER)


class TakenOffer(StrictSerializer):
    offer = BytesField()
    left_ms = WholeField()


class LinkAnswer(StrictSerializer):
    answer = BytesField(min=1, max=MAX_LINK_ANSWER)


class LinkState(StrictSerializer):
    is_taken = serializers.BooleanField()
    answer = BytesField(allow_null=True)
    left_ms = WholeField()


class Proof(StrictSerializer):
    device_id = IdField()
    signature = BytesField(exact=64)


class AfterVersion(StrictSerializer):
    after_version = serializers.IntegerField(min_value=0, max_value=2**53 - 1, default=0)


class AfterLeaf(StrictSerializer):
    after = serializers.IntegerField(min_value=0, max_value=2**53 - 1, default=0)


class LogStart(StrictSerializer):
    log = BytesField(source="start")
    log_sig = BytesField(exact=64, source="sig")


class KeyLogHead(StrictSerializer):
    logs = LogStart(many=True)
    head = BytesField()
    head_sig = BytesField(exact=64)


class KeyLogPage(StrictSerializer):
    leaves = serializers.ListField(child=BytesField())
    head = BytesField()
    head_sig = BytesField(exact=64)
    more = serializers.BooleanField()


class Me(StrictSerializer):
    user_id = IdField()
    email = TextField()
    nickname = TextField()
    status_message = TextField()
    account_key = BytesField(exact=32, allow_null=True)
    list_version = WholeField(allow_null=True)
    recovery_version = WholeField(allow_null=True)
    device_id = IdField(allow_null=True)


class Carry(StrictSerializer):
    bk_version = WholeField()
    carry = BytesField(exact=1168)


class Recovery(StrictSerializer):
    recovery_blob = BytesField()
    recovery_sig = BytesField(exact=64)
    carries = Carry(many=True)


class SealedPasskey(StrictSerializer):
    passkey = BytesField(min=1, max=1280)


class PasskeyRow(StrictSerializer):
    passkey_id = IdField()
    credential = BytesField()
    created_ms = WholeField()
    last_used_ms = WholeField(allow_null=True)


class Passkeys(StrictSerializer):
    passkeys = PasskeyRow(many=True)


class FormerRecovery(Recovery):
    account_key = BytesField(exact=32)


class FormerRecoveries(StrictSerializer):
    former = FormerRecovery(many=True)


class BackupKey(StrictSerializer):
    bk_version = WholeField()
    bk_pub = BytesField(exact=1216)


class Challenge(StrictSerializer):
    nonce = BytesField(exact=32)


class PrekeySeq(StrictSerializer):
    seq = WholeField()


class Person(StrictSerializer):
    user_id = IdField(source="id")
    nickname = TextField()
    status_message = TextField()


class DeviceRow(StrictSerializer):
    device_id = IdField()
    created_ms = WholeField()
    last_used_ms = WholeField(allow_null=True)
    current = serializers.BooleanField()


class Devices(StrictSerializer):
    devices = DeviceRow(many=True)


class SignedList(StrictSerializer):
    version = WholeField()
    device_list = BytesField(source="body")
    list_sig = BytesField(source="sig")


class SignedPrekey(StrictSerializer):
    device_id = IdField()
    seq = WholeField()
    prekey = BytesField(source="body")
    prekey_sig = BytesField(source="sig")


class FormerAccount(StrictSerializer):
    account_key = BytesField(exact=32)
    reset = BytesField()
    reset_sig = BytesField(exact=64)
    lists = SignedList(many=True)


class KeyBundle(StrictSerializer):
    user_id = IdField()
    account_key = BytesField(exact=32)
    lists = SignedList(many=True)
    prekeys = SignedPrekey(many=True)
    former = FormerAccount(many=True)


# A room has at most 200 people, who are asked for in two requests.
MAX_BUNDLES = 100


class WantedKeys(StrictSerializer):
    user_id = IdField()
    after_version = WholeField()


class ManyWantedKeys(StrictSerializer):
    users = ShortListField(child=WantedKeys(), max_length=MAX_BUNDLES)


class KeyBundles(StrictSerializer):
    users = KeyBundle(many=True)


class NewReset(StrictSerializer):
    password = TextField(max_length=128, trim_whitespace=False)
    reset = BytesField(min=1, max=256)
    reset_sig = BytesField(exact=64)


class ResetRow(StrictSerializer):
    reset_id = BytesField(exact=32)
    reset = BytesField(source="body")
    reset_sig = BytesField(exact=64, source="sig")
    state = serializers.ChoiceField(choices=["waiting", "due"])
    announced_ms = WholeField()
    due_ms = WholeField()
    lapses_ms = WholeField()


class Waiting(StrictSerializer):
    reset = ResetRow(allow_null=True)


class Veto(StrictSerializer):
    veto = BytesField(min=1, max=256)


def milliseconds(moment: datetime | None) -> int | None:
    """A moment as milliseconds since 1970."""
    return None if moment is None else int(moment.timestamp() * 1000)


def me_of(user: User, session: SessionBase) -> dict[str, Any]:
    """The answer of ``GET /api/me``."""
    account = AccountKey.objects.filter(user=user).first()
    device = current_device(user, session)
    return {
        "user_id": str(user.id),
        "email": user.email,
        "nickname": user.nickname,
        "status_message": user.status_message,
        "account_key": to_base64url(bytes(account.amk_pub)) if account else None,
        "list_version": newest_list(user).version if account else None,
        "recovery_version": account.recovery_version if account else None,
        "device_id": str(device.id) if device else None,
    }


def current_device(user: User, session: SessionBase) -> Device | None:
    """The device that a session has proved and that still counts."""
    device_id = device_in_session(session)
    try:
        return device_of(user, device_id) if device_id else None
    except (Device.DoesNotExist, DeviceList.DoesNotExist):
        return None


def devices_of(user: User, session: SessionBase) -> dict[str, Any]:
    """The answer of ``GET /api/devices``: what the newest list names."""
    current = device_in_session(session)
    named = listed_devices(user)
    found = user.devices.filter(pk__in=named, revoked_at__isnull=True).order_by("created_at")
    rows = [
        {
            "device_id": str(device.id),
            "created_ms": milliseconds(device.created_at),
            "last_used_ms": milliseconds(device.last_used_at),
            "current": device.id == current,
        }
        for device in found
    ]
    return {"devices": rows}
