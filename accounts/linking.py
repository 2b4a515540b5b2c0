"""The box through which a person's device links another of theirs (docs/protocol.md §3.8).

An account has one at a time. It lives in the relational store, because both browsers may be with
another process, and it is gone when the new device closes it, or when it runs out.
"""

from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from accounts.models import AccountKey, Device, LinkBox, User
from accounts.refusals import Refused
from accounts.services import now_ms

# A code lives five minutes: what is answered at the last moment still reaches who shows it.
BOX_LIFE_MS = 285_000


def open_box(actor: User, session: SessionBase, *, link_id: UUID, offer: bytes) -> LinkBox:
    """Offer this session's browser to be linked; a box that no device has taken makes room.

    Refuses ``keys_missing`` before enrolment, and ``link_busy`` while a device of this person is
    linking another browser.
    """
    forget_old_boxes()
    with transaction.atomic():
        # The lock comes first: of two that open a box at once the second finds the first one's.
        User.objects.select_for_update().get(pk=actor.pk)
        if not AccountKey.objects.filter(user=actor).exists():
            raise Refused("keys_missing")
        others = LinkBox.objects.filter(user=actor, device__isnull=False)
        if others.exclude(session_key=session.session_key).exists():
            raise Refused("link_busy")
        LinkBox.objects.filter(user=actor).delete()
        return LinkBox.objects.create(
            user=actor,
            link_id=link_id,
            session_key=session.session_key or "",
            offer=offer,
            expires_ms=now_ms() + BOX_LIFE_MS,
        )


def box_of_session(actor: User, session: SessionBase, link_id: UUID) -> LinkBox:
    """The living box that this session has opened; else ``not_found``."""
    return _living(actor, link_id, session_key=session.session_key)


def take_offer(actor: User, device: Device, link_id: UUID) -> LinkBox:
    """Let one device of the person have the offer; again for the same one, else ``not_found``."""
    _living(actor, link_id)
    # One statement decides between two devices that ask at once.
    LinkBox.objects.filter(user=actor, link_id=link_id, device__isnull=True).update(device=device)
    return _living(actor, link_id, device=device)


def put_answer(actor: User, device: Device, link_id: UUID, *, answer: bytes) -> None:
    """Keep the answer of the device that took the offer; the first one stays.

    Refuses ``not_found`` when there is no such box, or another answer in it.
    """
    _living(actor, link_id, device=device)
    taken = LinkBox.objects.filter(user=actor, link_id=link_id, device=device)
    taken.filter(answer__isnull=True).update(answer=answer)
    kept = _living(actor, link_id, device=device).answer
    if kept is None or bytes(kept) != answer:
        raise Refused("not_found")


def close_box(actor: User, session: SessionBase, device_id: UUID | None, link_id: UUID) -> None:
    """Forget a box: for the session that opened it and the device that took it.

    Nobody else's word does anything, and nobody hears whether there was one.
    """
    boxes = LinkBox.objects.filter(user=actor, link_id=link_id)
    boxes.filter(session_key=session.session_key).delete()
    if device_id is not None:
        boxes.filter(device_id=device_id).delete()


def forget_old_boxes() -> None:
    """Delete the boxes that have run out, of everybody."""
    LinkBox.objects.filter(expires_ms__lt=now_ms()).delete()


def _living(actor: User, link_id: UUID, **more: object) -> LinkBox:
    try:
        return LinkBox.objects.get(user=actor, link_id=link_id, expires_ms__gte=now_ms(), **more)
    except LinkBox.DoesNotExist:
        raise Refused("not_found") from None
