"""Who is whose friend, and which requests a person may act on."""

from uuid import UUID

from django.db.models import Q

from accounts.models import User
from friends.models import FriendRequest, Friendship


def ordered_pair(a: UUID, b: UUID) -> tuple[UUID, UUID]:
    """The two ids as the one row of their friendship holds them."""
    return (a, b) if a.hex < b.hex else (b, a)


def are_friends(a: UUID, b: UUID) -> bool:
    """Whether two people have agreed to talk with each other."""
    low, high = ordered_pair(a, b)
    return Friendship.objects.filter(low=low, high=high).exists()


def friendships_of(user_id: UUID) -> dict[UUID, Friendship]:
    """The friendships of a person, by the other's id."""
    rows = Friendship.objects.filter(Q(low=user_id) | Q(high=user_id))
    return {row.high_id if row.low_id == user_id else row.low_id: row for row in rows}


def friend_ids(user_id: UUID) -> set[UUID]:
    """The ids of all friends of a person."""
    return set(friendships_of(user_id))


def request_to(user: User, request_id: UUID) -> FriendRequest:
    """A request that waits for this person's answer; else `FriendRequest.DoesNotExist`."""
    waiting = FriendRequest.objects.filter(declined_at=None, sender__suspended_at=None)
    return waiting.select_related("sender").get(pk=request_id, email=user.email)


def request_from(user: User, request_id: UUID) -> FriendRequest:
    """A request that this person has sent; else `FriendRequest.DoesNotExist`."""
    return FriendRequest.objects.get(pk=request_id, sender=user, withdrawn_at=None)
