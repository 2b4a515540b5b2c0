"""Starting an account again under another key: begun, stopped, completed (docs/protocol.md 3.6).

Whoever has the login may ask for it. What protects the account from a thief of the login is time:
72 hours in which every device of the account knows, and any of them can stop it.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import key_log
from accounts.access import account_key_of, listed_devices, waiting_reset
from accounts.enrolment import Checked, Enrolment, refused_member
from accounts.models import AccountKey, Device, FormerKey, Reset, User
from accounts.protocol import Malformed, verifies
from accounts.realtime import notify_circle_on_commit, notify_on_commit
from accounts.refusals import Refused
from accounts.reset_mail import tell_of_reset
from accounts.revocation import revoke_devices
from accounts.services import keep_prekey, now_ms
from accounts.signed_objects import (
    ResetObject,
    parse_reset,
    parse_veto,
    veto_verifies,
)

log = logging.getLogger("gamrae.accounts")

WAIT = timedelta(hours=72)

# What apps above do about the account that ends: each gets its person, inside the transaction that
# puts another key in its place.
when_key_is_replaced: list[Callable[[UUID], None]] = []


@transaction.atomic
def begin_reset(actor: User, *, password: str, reset: bytes, reset_sig: bytes) -> Reset:
    """Announce to every device of the account that it is to go on under another key.

    The password is asked again: a stolen session alone begins nothing. Refuses ``password``,
    ``keys_missing``, ``reset_exists`` and ``invalid`` with the member's name.
    """
    locked = User.objects.select_for_update().get(pk=actor.pk)
    if not locked.check_password(password):
        raise Refused("password")
    parsed = _read(actor, reset, reset_sig)
    now = timezone.now()
    if waiting_reset(actor, now) is not None:
        raise Refused("reset_exists")
    # A device counts as alive while the newest list names it, however long it has been away: its
    # owner may be, too.
    has_living = Device.objects.filter(pk__in=listed_devices(actor), revoked_at=None).exists()
    begun = Reset.objects.create(
        user=actor,
        body=reset,
        sig=reset_sig,
        reset_id=parsed.reset_id,
        announced_at=now,
        due_at=now + WAIT if has_living else now,
    )
    _tell(actor, begun, "begun")
    return begun


def _read(actor: User, reset: bytes, reset_sig: bytes) -> ResetObject:
    try:
        account = account_key_of(actor)
    except AccountKey.DoesNotExist:
        raise Refused("keys_missing") from None
    try:
        parsed = parse_reset(reset)
    except Malformed:
        raise refused_member("reset", "Does not parse.") from None
    if (parsed.user, parsed.amk_old) != (actor.id, bytes(account.amk_pub)):
        raise refused_member("reset", "Of another account or key.")
    if Reset.objects.filter(reset_id=parsed.reset_id).exists():
        raise refused_member("reset", "Was announced before.")
    if AccountKey.objects.filter(amk_pub=parsed.amk_new).exists() or _was_a_key(parsed.amk_new):
        raise refused_member("reset", "Names a key that was one before.")
    if not verifies(parsed.amk_new, "reset", parsed.reset_id, reset_sig):
        raise refused_member("reset_sig", "Does not verify.")
    return parsed


def _was_a_key(amk_pub: bytes) -> bool:
    return FormerKey.objects.filter(amk_pub=amk_pub).exists()


@transaction.atomic
def withdraw_reset(actor: User) -> None:
    """Take a waiting reset back; ``not_found`` when none waits. Any session may."""
    _end(_locked_reset(actor), Reset.End.WITHDRAWN)


@transaction.atomic
def veto_reset(actor: User, *, veto: bytes) -> None:
    """Let a listed device stop the waiting reset; ``not_found`` or ``invalid``."""
    waiting = _locked_reset(actor)
    try:
        parsed = parse_veto(veto)
    except Malformed:
        raise refused_member("veto", "Does not parse.") from None
    if parsed.reset_id != bytes(waiting.reset_id):
        raise refused_member("veto", "Of another reset.")
    device = Device.objects.filter(pk=parsed.signer, user=actor, revoked_at=None).first()
    if device is None or device.pk not in listed_devices(actor):
        raise refused_member("veto", "Not by a listed device.")
    if not veto_verifies(parsed, actor.id, bytes(device.dsk_pub)):
        raise refused_member("veto", "Does not verify.")
    waiting.veto = veto
    _end(waiting, Reset.End.VETOED)


@transaction.atomic
def complete_reset(actor: User, *, enrolment: Enrolment) -> AccountKey:
    """Put the new account key in the place of the old one, with its first list and device.

    Everything of the old key ends with it: devices, sessions, prekeys, memberships. Everything is
    checked and kept together, or nothing is. Refuses ``not_found`` when no reset waits,
    ``reset_waiting`` before it is due, ``invalid`` with the member's name, and ``prekey``.
    """
    waiting = _locked_reset(actor)
    if timezone.now() < waiting.due_at:
        due_ms = int(waiting.due_at.timestamp() * 1000)
        raise Refused("reset_waiting", due_ms=due_ms)
    if parse_reset(bytes(waiting.body)).amk_new != enrolment.account_key:
        raise refused_member("account_key", "Not the one that was announced.")
    checked = enrolment.check(actor.id, now_ms())
    if Device.objects.filter(dsk_pub=checked.device_list.entries[0].dsk_pub).exists():
        raise refused_member("device_list", "Names a device that was one before.")
    ended = Device.objects.filter(user=actor, revoked_at=None).values_list("pk", flat=True)
    revoke_devices(actor, list(ended))
    replaced = _replace_key(actor, waiting, enrolment, checked)
    for act in when_key_is_replaced:
        act(actor.id)
    _end(waiting, Reset.End.COMPLETED)
    notify_circle_on_commit(actor.id, "profile.changed", user_id=str(actor.id))
    return replaced


def _replace_key(actor: User, reset: Reset, enrolment: Enrolment, checked: Checked) -> AccountKey:
    account = AccountKey.objects.select_for_update().get(user=actor)
    FormerKey.objects.create(
        user=actor,
        number=account.number,
        amk_pub=account.amk_pub,
        recovery_blob=account.recovery_blob,
        recovery_sig=account.recovery_sig,
        recovery_version=account.recovery_version,
        reset=reset,
    )
    account.number += 1
    account.amk_pub = enrolment.account_key
    account.recovery_blob = enrolment.recovery_blob
    account.recovery_sig = enrolment.recovery_sig
    account.recovery_version = checked.recovery.version
    account.save()
    actor.passkeys.all().delete()
    key_log.log_reset(reset)
    key_log.keep_list(
        actor,
        checked.device_list,
        body=enrolment.device_list,
        sig=enrolment.list_sig,
        key_number=account.number,
    )
    entry = checked.device_list.entries[0]
    device = Device.objects.create(id=entry.device, user=actor, dsk_pub=entry.dsk_pub)
    keep_prekey(device, checked.prekey, enrolment.prekey, enrolment.prekey_sig)
    return account


def _locked_reset(actor: User) -> Reset:
    User.objects.select_for_update().get(pk=actor.pk)
    waiting = waiting_reset(actor, timezone.now())
    if waiting is None:
        raise Refused("not_found")
    return waiting


def _end(reset: Reset, end: Reset.End) -> None:
    reset.ended_at, reset.end = timezone.now(), end
    reset.save(update_fields=["ended_at", "end", "veto"])
    _tell(reset.user, reset, end.label)


def _tell(person: User, reset: Reset, what: str) -> None:
    notify_on_commit(person.id, "reset.changed")
    due_at: datetime = reset.due_at
    transaction.on_commit(lambda: tell_of_reset(person, what, due_at))
    transaction.on_commit(lambda: log.warning("code=reset_%s user=%s", what, person.id))
