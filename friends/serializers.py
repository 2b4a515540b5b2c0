"""The JSON of "Friends" in docs/wire.md."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.fields import IdField, StrictSerializer, TextField, WholeField
from accounts.models import AccountKey, User
from accounts.serializers import milliseconds
from friends.access import friendships_of
from friends.models import FriendRequest, Friendship


class EmailField(serializers.EmailField):
    """A JSON string that is an address."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data)).lower()


class NewFriendRequest(StrictSerializer):
    email = EmailField(max_length=254)


class Sent(StrictSerializer):
    status = serializers.ChoiceField(choices=["sent"])


class Friend(StrictSerializer):
    user_id = IdField()
    email = TextField()
    nickname = TextField()
    status_message = TextField()
    since_ms = WholeField()
    has_keys = serializers.BooleanField()


class Received(StrictSerializer):
    friend_request_id = IdField()
    email = TextField()
    nickname = TextField()
    created_ms = WholeField()


class SentRequest(StrictSerializer):
    friend_request_id = IdField()
    email = TextField()
    created_ms = WholeField()


class Friends(StrictSerializer):
    friends = Friend(many=True)
    received = Received(many=True)
    sent = SentRequest(many=True)


def friend_row(friendship: Friendship, other: User, *, has_keys: bool) -> dict[str, Any]:
    """One friend as the asker sees them."""
    return {
        "user_id": str(other.id),
        "email": other.email,
        "nickname": other.nickname,
        "status_message": other.status_message,
        "since_ms": milliseconds(friendship.created_at),
        "has_keys": has_keys,
    }


def one_friend(friendship: Friendship, other_id: UUID) -> dict[str, Any]:
    """The row of a friendship that was just made."""
    has_keys = AccountKey.objects.filter(user=other_id).exists()
    return friend_row(friendship, User.objects.get(pk=other_id), has_keys=has_keys)


def friends_of(user: User) -> dict[str, Any]:
    """The answer of ``GET /api/friends``. A declined request still waits, as its sender sees it."""
    friendships = friendships_of(user.id)
    enrolled = set(
        AccountKey.objects.filter(user__in=friendships).values_list("user_id", flat=True)
    )
    people = User.objects.filter(pk__in=friendships).order_by("nickname", "email")
    received = FriendRequest.objects.filter(
        email=user.email, declined_at=None, sender__suspended_at=None
    ).select_related("sender")
    return {
        "friends": [
            friend_row(friendships[other.id], other, has_keys=other.id in enrolled)
            for other in people
        ],
        "received": [
            {
                "friend_request_id": str(row.id),
                "email": row.sender.email,
                "nickname": row.sender.nickname,
                "created_ms": milliseconds(row.created_at),
            }
            for row in received.order_by("created_at")
        ],
        "sent": [
            {
                "friend_request_id": str(row.id),
                "email": row.email,
                "created_ms": milliseconds(row.created_at),
            }
            for row in user.sent_friend_requests.filter(withdrawn_at=None).order_by("created_at")
        ],
    }
