"""What a person does with their account: keys, devices and their proofs, prekeys, a name."""

import logging
import os
import time
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.access import (
    DEVICE_IN_SESSION,
    account_key_of,
    device_of,
    former_keys_of,
    newest_list,
    newest_prekey,
)
from accounts.device_lists import NextList, Succession
from accounts.enrolment import Enrolment, check_prekey
from accounts.key_log import keep_list
from accounts.models import (
    AccountKey,
    BackupCarry,
    Device,
    DeviceList,
    FormerKey,
    Prekey,
    User,
)
from accounts.protocol import from_base64url, lp, to_base64url, verifies
from accounts.rates import demand_list_rate
from accounts.realtime import end_sessions_on_commit, notify_circle_on_commit
from accounts.refusals import DeviceProof, Refused
from accounts.renewal import Renewal
from accounts.revocation import revoke_devices
from accounts.signed_objects import SUITE_FIELD, PrekeyObject, RecoveryObject, parse_recovery

log = logging.getLogger("gamrae.accounts")

NONCE_SIZE = 32
NONCE_LIFE_SECONDS = 300
NONCE_IN_SESSION = "gamrae_nonce"


@transaction.atomic
def enrol(actor: User, *, enrolment: Enrolment) -> AccountKey:
    """Give ``actor`` an account key, a first device list with one device, a prekey and a blob.

    Everything is checked and kept together, or nothing is. Refuses ``keys_exist``, ``invalid``
    with the member's name, and ``prekey``.
    """
    User.objects.select_for_update().get(pk=actor.pk)
    if AccountKey.objects.filter(user=actor).exists():
        raise Refused("keys_exist")
    checked = enrolment.check(actor.id, now_ms())
    entry = checked.device_list.entries[0]
    account_key = AccountKey.objects.create(
        user=actor,
        amk_pub=enrolment.account_key,
        recovery_blob=enrolment.recovery_blob,
        recovery_sig=enrolment.recovery_sig,
        recovery_version=checked.recovery.version,
    )
    keep_list(actor, checked.device_list, body=enrolment.device_list, sig=enrolment.list_sig)
    device = Device.objects.create(id=entry.device, user=actor, dsk_pub=entry.dsk_pub)
    keep_prekey(device, checked.prekey, enrolment.prekey, enrolment.prekey_sig)
    notify_circle_on_commit(actor.id, "profile.changed", user_id=str(actor.id))
    return account_key


def keep_prekey(device: Device, parsed: PrekeyObject, body: bytes, sig: bytes) -> Prekey:
    """Keep a prekey that was checked, as it was received."""
    return Prekey.objects.create(
        device=device,
        seq=parsed.seq,
        body=body,
        sig=sig,
        prekey_hash=parsed.prekey_hash,
        expires_ms=parsed.expires_ms,
    )


@transaction.atomic
def publish_device_list(actor: User, session: SessionBase, *, next_list: NextList) -> None:
    """Let devices enter an account's list or leave it, by the account key's signature alone.

    Everything is checked and kept together, or nothing is. Refuses ``keys_missing``,
    ``list_version``, ``prekey``, ``rate_limited``, and ``invalid`` with the member's name.
    """
    # The lock comes first: two lists of one version are judged one after the other.
    User.objects.select_for_update().get(pk=actor.pk)
    try:
        newest = newest_list(actor)
    except DeviceList.DoesNotExist:
        raise Refused("keys_missing") from None
    succession = next_list.check(newest, now_ms())
    demand_list_rate(actor)
    keep_list(
        actor,
        succession.device_list,
        body=next_list.device_list,
        sig=next_list.list_sig,
        key_number=newest.key_number,
    )
    for new in succession.new:
        device = Device.objects.create(id=new.entry.device, user=actor, dsk_pub=new.entry.dsk_pub)
        keep_prekey(device, new.prekey, new.sent.prekey, new.sent.prekey_sig)
    revoke_devices(actor, succession.dropped, asking=session)
    notify_circle_on_commit(actor.id, "profile.changed", user_id=str(actor.id))
    transaction.on_commit(lambda: _log_devices(actor, succession))


def _log_devices(actor: User, succession: Succession) -> None:
    for new in succession.new:
        log.info("code=device_added user=%s device=%s", actor.id, new.entry.device)
    for device in sorted(succession.dropped):
        log.warning("code=device_revoked user=%s device=%s", actor.id, device)


@transaction.atomic
def renew_recovery(actor: User, *, renewal: Renewal) -> None:
    """Put a new recovery key in the place of the present one; the former blob is gone with that.

    So are the passkeys that open it. Everything is checked and kept together, or nothing is.
    Refuses ``keys_missing``, ``list_version`` when another list was quicker, and ``invalid`` with
    the member's name.
    """
    User.objects.select_for_update().get(pk=actor.pk)
    try:
        newest, account = newest_list(actor), account_key_of(actor)
    except (DeviceList.DoesNotExist, AccountKey.DoesNotExist):
        raise Refused("keys_missing") from None
    devices, blob = renewal.check(newest, account)
    number = account.number
    keep_list(actor, devices, body=renewal.device_list, sig=renewal.list_sig, key_number=number)
    AccountKey.objects.filter(pk=actor.pk).update(
        recovery_blob=renewal.recovery_blob,
        recovery_sig=renewal.recovery_sig,
        recovery_version=blob.version,
    )
    actor.passkeys.all().delete()  # they hold the former recovery key
    former = devices.bk_version - 1
    BackupCarry.objects.create(
        user=actor, key_number=number, bk_version=former, carry=renewal.carry
    )
    notify_circle_on_commit(actor.id, "profile.changed", user_id=str(actor.id))
    transaction.on_commit(lambda: log.warning("code=recovery_renewed user=%s", actor.id))


def publish_prekey(actor: User, device: Device, *, prekey: bytes, prekey_sig: bytes) -> Prekey:
    """Keep a device's next prekey, and forget those that have expired; else ``prekey``."""
    parsed = check_prekey(prekey, prekey_sig, actor.id, device.id, bytes(device.dsk_pub), now_ms())
    try:
        with transaction.atomic():
            locked = Device.objects.select_for_update().get(pk=device.pk)
            if locked.revoked_at is not None:  # in between: nobody may wrap to it any more
                raise Refused("device_required")
            newest = newest_prekey(device)
            if newest is not None and parsed.seq <= newest.seq:
                raise Refused("prekey")
            kept = keep_prekey(device, parsed, prekey, prekey_sig)
            device.prekeys.filter(expires_ms__lt=now_ms()).delete()
    except IntegrityError:
        raise Refused("prekey") from None
    return kept


def issue_challenge(session: SessionBase) -> bytes:
    """A fresh 32-byte nonce for this session, good for one proof within five minutes."""
    nonce = os.urandom(NONCE_SIZE)
    session[NONCE_IN_SESSION] = [to_base64url(nonce), now_ms()]
    session.save()
    return nonce


def prove_device(actor: User, session: SessionBase, device_id: UUID, signature: bytes) -> Device:
    """Bind a session to a device that has signed the session's nonce; else `DeviceProof`."""
    nonce = _take_nonce(session)
    device = None
    for origin in settings.PROOF_ORIGINS:
        try:
            device = verify_device_proof(actor, device_id, nonce, signature, origin)
        except DeviceProof:
            continue
        break
    if device is None:
        raise DeviceProof
    with transaction.atomic():
        # A revocation at the same moment waits, and then finds this session among those it ends.
        if not Device.objects.select_for_update().filter(pk=device.pk, revoked_at=None).exists():
            raise DeviceProof
        session[DEVICE_IN_SESSION] = str(device.id)
        session.save()
        Device.objects.filter(pk=device.pk).update(last_used_at=timezone.now())
    return device


def _take_nonce(session: SessionBase) -> bytes:
    text, issued_ms = session.pop(NONCE_IN_SESSION, ["", 0])
    session.save()
    # The mark is what makes it one use when two proofs arrive at the same moment.
    unused = bool(text) and cache.add(f"nonce-used:{text}", value=True, timeout=NONCE_LIFE_SECONDS)
    if not unused or now_ms() - issued_ms > NONCE_LIFE_SECONDS * 1000:
        raise DeviceProof
    return from_base64url(text)


def verify_device_proof(
    user: User, device_id: UUID, nonce: bytes, signature: bytes, origin: str
) -> Device:
    """The device whose signature over this nonce and origin is good (docs/protocol.md 3.4).

    `DeviceProof` for a device that is not in the newest list and for another signature.
    """
    try:
        device = device_of(user, device_id)
    except Device.DoesNotExist:
        raise DeviceProof from None
    signed = lp(SUITE_FIELD, origin.encode(), nonce, user.id.bytes, device_id.bytes)
    if not verifies(bytes(device.dsk_pub), "auth", signed, signature):
        raise DeviceProof
    return device


@transaction.atomic
def update_profile(
    actor: User, *, nickname: str | None = None, status_message: str | None = None
) -> User:
    """Change what others see of ``actor``, and tell them; what is None stays."""
    if nickname is not None:
        actor.nickname = nickname
    if status_message is not None:
        actor.status_message = status_message
    actor.save(update_fields=["nickname", "status_message"])
    notify_circle_on_commit(actor.id, "profile.changed", user_id=str(actor.id))
    return actor


@transaction.atomic
def suspend_user(*, actor: User, user: User) -> None:
    """Stop an account: nobody can use its sessions, and its sockets close."""
    _may_moderate(actor, user)
    User.objects.filter(pk=user.pk, suspended_at=None).update(suspended_at=timezone.now())
    end_sessions_on_commit(user.id)
    log.warning("code=user_suspended actor=%s user=%s", actor.id, user.id)


@transaction.atomic
def restore_user(*, actor: User, user: User) -> None:
    """Let a suspended account be used again."""
    _may_moderate(actor, user)
    User.objects.filter(pk=user.pk).update(suspended_at=None)
    log.warning("code=user_restored actor=%s user=%s", actor.id, user.id)


def _may_moderate(actor: User, user: User) -> None:
    if not actor.is_staff or actor.pk == user.pk or (user.is_superuser and not actor.is_superuser):
        raise Refused("forbidden")


def recovery_of(actor: User) -> AccountKey:
    """The sealed recovery blob of one's own account; ``keys_missing`` before enrolment."""
    try:
        return account_key_of(actor)
    except AccountKey.DoesNotExist:
        raise Refused("keys_missing") from None


def carries_of(actor: User, account: AccountKey | FormerKey) -> QuerySet[BackupCarry]:
    """The carried seeds of the former backup keys under an account key, oldest first."""
    return actor.backup_carries.filter(key_number=account.number).order_by("bk_version")


def former_recoveries_of(actor: User) -> list[tuple[FormerKey, QuerySet[BackupCarry]]]:
    """The sealed blobs of one's own ended account keys, each with its carried seeds."""
    return [(former, carries_of(actor, former)) for former in former_keys_of(actor)]


def backup_key_of(actor: User) -> RecoveryObject:
    """The backup key that one's own devices write history to; ``keys_missing`` before enrolment."""
    return parse_recovery(bytes(recovery_of(actor).recovery_blob))


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
