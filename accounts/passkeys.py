"""A person's passkeys: sealed recovery keys, kept and handed out (docs/protocol.md 5.7).

Nobody is signed in by one, so no challenge and no attestation is checked: what a passkey is worth
shows in the browser that opens it, and a false one opens nothing.
"""

import logging
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.access import account_key_of, newest_list
from accounts.enrolment import refused_member
from accounts.models import Passkey, User
from accounts.protocol import Malformed
from accounts.refusals import Refused
from accounts.signed_objects import PasskeyObject, parse_device_list, parse_passkey

log = logging.getLogger("gamrae.accounts")

MAX_PASSKEYS = 8


def passkeys_of(actor: User) -> QuerySet[Passkey]:
    """The passkeys of one's own account, the oldest first."""
    return actor.passkeys.order_by("created_at", "pk")


@transaction.atomic
def keep_passkey(actor: User, passkey_id: UUID, *, passkey: bytes) -> Passkey:
    """Keep a passkey for the present recovery key; the same one again takes its own place.

    For a person with keys. Refuses ``invalid`` for another account or recovery key than the
    present one and for another id than the passkey's own, and ``passkeys_full`` for a ninth.
    """
    # The lock comes first: a renewal at the same moment ends this one, or refuses it.
    User.objects.select_for_update().get(pk=actor.pk)
    parsed = _checked(actor, passkey)
    if parsed.passkey_id != passkey_id:
        raise refused_member("passkey", "Of another id.")
    others = actor.passkeys.exclude(pk=passkey_id)
    if others.count() >= MAX_PASSKEYS:
        raise Refused("passkeys_full")
    kept, _ = Passkey.objects.update_or_create(
        pk=passkey_id, user=actor, defaults={"sealed": passkey}
    )
    transaction.on_commit(
        lambda: log.warning("code=passkey_added user=%s passkey=%s", actor.id, passkey_id)
    )
    return kept


def _checked(actor: User, passkey: bytes) -> PasskeyObject:
    account = account_key_of(actor)
    try:
        parsed = parse_passkey(passkey)
    except Malformed:
        raise refused_member("passkey", "Does not parse.") from None
    if (parsed.user, parsed.amk_pub) != (actor.id, bytes(account.amk_pub)):
        raise refused_member("passkey", "Of another account.")
    if parsed.bk_version != parse_device_list(bytes(newest_list(actor).body)).bk_version:
        raise refused_member("passkey", "Of another recovery key.")
    return parsed


def take_passkey(actor: User, passkey_id: UUID) -> Passkey:
    """Hand a passkey to a browser of its owner, who is about to use it; else ``not_found``."""
    found = actor.passkeys.filter(pk=passkey_id).first()
    if found is None:
        raise Refused("not_found")
    actor.passkeys.filter(pk=passkey_id).update(last_used_at=timezone.now())
    return found


def remove_passkey(actor: User, passkey_id: UUID) -> None:
    """Forget a passkey of one's own; ``not_found`` when there is none of this id."""
    removed, _ = actor.passkeys.filter(pk=passkey_id).delete()
    if not removed:
        raise Refused("not_found")
    log.warning("code=passkey_removed user=%s passkey=%s", actor.id, passkey_id)
