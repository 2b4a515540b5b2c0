"""What people do about being friends. Nothing here tells whether an address has an account."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.realtime import notify_on_commit
from accounts.refusals import Refused
from friends.access import are_friends, ordered_pair, request_from, request_to
from friends.models import FriendRequest, Friendship

# Stands for whoever has no account, so that the same work is done for them.
NOBODY = UUID(int=0)


@transaction.atomic
def send_friend_request(actor: User, *, email: str) -> None:
    """Ask whoever has this address. A request in the other direction is accepted by it.

    An unknown address costs the same queries and leaves the same row as a known one. Asking
    oneself, a friend, or again does nothing; the answer is the same.
    """
    address = email.lower()
    person = User.objects.filter(email=address, is_active=True, suspended_at=None).first()
    person_id = person.id if person else NOBODY
    opposite = FriendRequest.objects.filter(
        sender=person_id, email=actor.email, withdrawn_at=None
    ).first()
    if are_friends(actor.id, person_id) or address == actor.email:
        return
    if opposite is not None:
        _befriend(opposite, actor)
        return
    friend_request, made = FriendRequest.objects.get_or_create(sender=actor, email=address)
    if made:
        _notify(person_id, "received", friend_request)
    elif friend_request.withdrawn_at is not None:
        FriendRequest.objects.filter(pk=friend_request.pk).update(withdrawn_at=None)


@transaction.atomic
def accept_friend_request(actor: User, *, request_id: UUID) -> Friendship:
    """Turn a request addressed to ``actor`` into a friendship; ``not_found`` for any other."""
    try:
        return _befriend(request_to(actor, request_id), actor)
    except FriendRequest.DoesNotExist:
        raise Refused("not_found") from None


@transaction.atomic
def decline_friend_request(actor: User, *, request_id: UUID) -> None:
    """Put a request addressed to ``actor`` aside. Its sender sees it as still waiting."""
    try:
        friend_request = request_to(actor, request_id)
    except FriendRequest.DoesNotExist:
        raise Refused("not_found") from None
    friend_request.declined_at = timezone.now()
    friend_request.save(update_fields=["declined_at"])
    _notify(actor.id, "closed", friend_request)


@transaction.atomic
def withdraw_friend_request(actor: User, *, request_id: UUID) -> None:
    """Take back a request that ``actor`` has sent; ``not_found`` for any other."""
    try:
        friend_request = request_from(actor, request_id)
    except FriendRequest.DoesNotExist:
        raise Refused("not_found") from None
    _notify(actor.id, "closed", friend_request)
    if friend_request.declined_at is not None:
        FriendRequest.objects.filter(pk=friend_request.pk).update(withdrawn_at=timezone.now())
        return
    for person_id in User.objects.filter(email=friend_request.email).values_list("id", flat=True):
        _notify(person_id, "closed", friend_request)
    friend_request.delete()


@transaction.atomic
def end_friendship(actor: User, *, user_id: UUID) -> None:
    """End a friendship for both. Rooms they share stay; ``not_found`` when they are no friends."""
    low, high = ordered_pair(actor.id, user_id)
    deleted, _ = Friendship.objects.filter(low=low, high=high).delete()
    if not deleted:
        raise Refused("not_found")
    notify_on_commit(actor.id, "friendship.ended", user_id=str(user_id))
    notify_on_commit(user_id, "friendship.ended", user_id=str(actor.id))


def _befriend(friend_request: FriendRequest, actor: User) -> Friendship:
    sender = friend_request.sender
    low, high = ordered_pair(sender.id, actor.id)
    friendship, _ = Friendship.objects.get_or_create(low_id=low, high_id=high)
    # Both may have asked: neither request has anything left to answer.
    between = FriendRequest.objects.filter(sender=sender, email=actor.email)
    between |= FriendRequest.objects.filter(sender=actor, email=sender.email)
    for closed in between:
        _notify(sender.id, "closed", closed)
        _notify(actor.id, "closed", closed)
    between.delete()
    notify_on_commit(sender.id, "friendship.made", user_id=str(actor.id))
    notify_on_commit(actor.id, "friendship.made", user_id=str(sender.id))
    return friendship


def _notify(user_id: UUID, what: str, friend_request: FriendRequest) -> None:
    notify_on_commit(user_id, f"friend_request.{what}", friend_request_id=str(friend_request.id))
