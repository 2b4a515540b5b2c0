"""REST of "Friends" in docs/wire.md: parse, call, answer."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import person
from friends import serializers as shape
from friends import services
from friends.serializers import friends_of, one_friend
from friends.throttles import FriendRequestThrottle


class FriendsView(APIView):
    """Friends, and the requests that wait."""

    @extend_schema(responses=shape.Friends)
    def get(self, request: Request) -> Response:
        return Response(friends_of(person(request)))


class FriendRequestsView(APIView):
    """Asking somebody; the answer never tells whether the address is known."""

    throttle_classes = (FriendRequestThrottle,)

    @extend_schema(request=shape.NewFriendRequest, responses={202: shape.Sent})
    def post(self, request: Request) -> Response:
        body = shape.NewFriendRequest(data=request.data)
        body.is_valid(raise_exception=True)
        services.send_friend_request(person(request), email=body.validated_data["email"])
        return Response({"status": "sent"}, status.HTTP_202_ACCEPTED)


class FriendRequestView(APIView):
    """One's own request."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, request_id: UUID) -> Response:
        services.withdraw_friend_request(person(request), request_id=request_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class AcceptView(APIView):
    """Saying yes."""

    @extend_schema(request=None, responses=shape.Friend)
    def post(self, request: Request, request_id: UUID) -> Response:
        actor = person(request)
        friendship = services.accept_friend_request(actor, request_id=request_id)
        low, high = friendship.low_id, friendship.high_id
        return Response(one_friend(friendship, high if low == actor.id else low))


class DeclineView(APIView):
    """Saying no, quietly."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, request_id: UUID) -> Response:
        services.decline_friend_request(person(request), request_id=request_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class FriendView(APIView):
    """Ending a friendship."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, user_id: UUID) -> Response:
        services.end_friendship(person(request), user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
