"""REST of rooms, their commits and their logs in docs/wire.md: parse, call, answer."""

from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import DevicePermission
from accounts.refusals import Refused
from messaging import serializers as shape
from messaging import services
from messaging.serializers import items_of, room_of
from rooms import serializers as chain
from rooms.access import commits_for
from rooms.api import after_epoch, person, proved
from rooms.commit import SentCommit
from rooms.serializers import BYTES_A_COMMIT, BYTES_A_DEVICE
from rooms.throttles import NewRoomThrottle

MAX_NEW_ROOM = 3 * 1024 * 1024
# The JSON of about two thousand devices; what a commit may weigh by its own devices is less.
MAX_COMMIT = 4 * 1024 * 1024


class _ReadOrDevice(APIView):
    """Reading needs a signed-in person, everything else a proved device too."""

    def get_permissions(self) -> list[BasePermission]:
        reads = self.request.method in ("GET", "HEAD", "OPTIONS")
        return [IsAuthenticated()] if reads else [IsAuthenticated(), DevicePermission()]


def _wraps(rows: list[dict[str, Any]]) -> dict[UUID, bytes]:
    wraps = {row["device_id"]: row["wrap"] for row in rows}
    if len(wraps) != len(rows):
        raise Refused("invalid", fields={"wraps": ["A device is named twice."]})
    return wraps


def _demand_weight(sent: SentCommit, wraps: dict[UUID, bytes]) -> None:
    """What is not wraps has a limit of its own, so that few devices cannot fill the database."""
    parts = sum(len(getattr(sent, name)) for name in SentCommit.__slots__)
    if parts + sum(map(len, wraps.values())) > BYTES_A_DEVICE * len(wraps) + BYTES_A_COMMIT:
        raise Refused("too_large")


class RoomsView(_ReadOrDevice):
    """One's own rooms."""

    body_limit = MAX_NEW_ROOM
    throttle_classes = (NewRoomThrottle,)

    @extend_schema(operation_id="rooms_list", responses=shape.Rooms)
    def get(self, request: Request) -> Response:
        rooms = async_to_sync(services.list_rooms)(actor=person(request))
        return Response({"rooms": [room_of(room) for room in rooms]})

    @extend_schema(operation_id="rooms_create", request=chain.NewRoom, responses={201: shape.Room})
    def post(self, request: Request) -> Response:
        body = chain.NewRoom(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        sent, wraps = SentCommit(**fields["commit"]), _wraps(fields["wraps"])
        _demand_weight(sent, wraps)
        room_id = async_to_sync(services.create_room)(
            actor=person(request),
            device_id=proved(request).id,
            genesis=fields["genesis"],
            sent=sent,
            wraps=wraps,
        )
        room = async_to_sync(services.show_room)(actor=person(request), room_id=room_id)
        return Response(room_of(room), status.HTTP_201_CREATED)


class RoomView(_ReadOrDevice):
    """One room."""

    @extend_schema(operation_id="rooms_show", responses=shape.Room)
    def get(self, request: Request, room_id: UUID) -> Response:
        room = async_to_sync(services.show_room)(actor=person(request), room_id=room_id)
        return Response(room_of(room))

    @extend_schema(operation_id="rooms_delete", responses={204: None})
    def delete(self, request: Request, room_id: UUID) -> Response:
        async_to_sync(services.delete_room)(actor=person(request), room_id=room_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CommitsView(_ReadOrDevice):
    """A room's chain."""

    body_limit = MAX_COMMIT

    @extend_schema(
        operation_id="rooms_commits", parameters=[chain.AfterEpoch], responses=chain.Commits
    )
    def get(self, request: Request, room_id: UUID) -> Response:
        after, limit = after_epoch(request)
        # A commit whose process died after the queue had it is in the log: finish it for readers.
        commits_for(person(request), room_id, after=after, limit=0)
        async_to_sync(services.finish_pending_commit)(room_id)
        commits, head = commits_for(person(request), room_id, after=after, limit=limit)
        return Response(chain.Commits({"commits": commits, "head_epoch": head}).data)

    @extend_schema(
        operation_id="rooms_commit",
        request=chain.NewCommit,
        responses={201: chain.AcceptedCommit},
    )
    def post(self, request: Request, room_id: UUID) -> Response:
        body = chain.NewCommit(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        wraps = _wraps(fields.pop("wraps"))
        sent = SentCommit(**fields)
        _demand_weight(sent, wraps)
        accepted = async_to_sync(services.commit_epoch)(
            actor=person(request),
            device_id=proved(request).id,
            room_id=room_id,
            sent=sent,
            wraps=wraps,
        )
        return Response(chain.AcceptedCommit(accepted).data, status.HTTP_201_CREATED)


class LeaveView(APIView):
    """Leaving a group."""

    permission_classes = (IsAuthenticated, DevicePermission)

    @extend_schema(operation_id="rooms_leave", request=shape.NewLeave, responses={204: None})
    def post(self, request: Request, room_id: UUID) -> Response:
        body = shape.NewLeave(data=request.data)
        body.is_valid(raise_exception=True)
        async_to_sync(services.leave_room)(
            actor=person(request),
            device_id=proved(request).id,
            room_id=room_id,
            statement=body.validated_data["statement"],
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class HideView(APIView):
    """Deleting a room for oneself."""

    @extend_schema(operation_id="rooms_hide", request=None, responses={204: None})
    def post(self, request: Request, room_id: UUID) -> Response:
        async_to_sync(services.hide_room)(actor=person(request), room_id=room_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ItemsView(APIView):
    """A room's log."""

    @extend_schema(operation_id="rooms_items", parameters=[shape.Range], responses=shape.Items)
    def get(self, request: Request, room_id: UUID) -> Response:
        query = shape.Range(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        page = async_to_sync(services.read_items)(
            actor_id=person(request).id,
            room_id=room_id,
            after=query.validated_data["after"],
            upto=query.validated_data.get("upto"),
        )
        return Response(items_of(page))
