"""Rows of "Friends" in docs/wire.md."""

from friends.models import FriendRequest
from tests.authorization.table import Row, Scene, plain
from tests.cast import Cast

SIGNED_IN = (401, 200, 200, 200, 200, 200)


def bob_asked_by_mallory(cast: Cast) -> Scene:
    """mallory has asked bob to be friends."""
    asked = FriendRequest.objects.create(sender=cast.mallory.user, email=cast.bob.user.email)
    return {**plain(cast), "friend_request": asked.id}


ROWS = [
    Row("GET", "/api/friends", SIGNED_IN),
    Row(
        "POST",
        "/api/friend-requests",
        (401, 202, 202, 202, 202, 202),
        body=lambda scene, actor: {"email": "bob@example.org"},
    ),
    Row(
        "POST",
        "/api/friend-requests/{friend_request}/accept",
        (401, 404, 404, 200, 404, 404),
        scene=bob_asked_by_mallory,
    ),
    Row(
        "POST",
        "/api/friend-requests/{friend_request}/decline",
        (401, 404, 404, 204, 404, 404),
        scene=bob_asked_by_mallory,
    ),
    Row(
        "DELETE",
        "/api/friend-requests/{friend_request}",
        (401, 204, 404, 404, 404, 404),
        scene=bob_asked_by_mallory,
    ),
    Row("DELETE", "/api/friends/{bob}", (401, 404, 404, 404, 204, 404)),
]
