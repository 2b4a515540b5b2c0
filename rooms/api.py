"""REST of what hangs on a chain in docs/wire.md: prekeys, wraps, history records."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import DevicePermission
from accounts.models import Device, User
from rooms import serializers as shape
from rooms import services
from rooms.access import head_prekeys, history_for, wraps_for


def person(request: Request) -> User:
    """The signed-in person; permissions have made sure that there is one."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def proved(request: Request) -> Device:
    """The device that `DevicePermission` has found in the session."""
    device: Device = request.device  # type: ignore[attr-defined]
    return device


def after_epoch(request: Request) -> tuple[int, int]:
    """The query's (after, limit); all from epoch 0 when it says nothing."""
    query = shape.AfterEpoch(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    return query.validated_data["after"], query.validated_data["limit"]


class PrekeysView(APIView):
    """For the rollback check of committers."""

    permission_classes = (IsAuthenticated, DevicePermission)

    @extend_schema(operation_id="rooms_prekeys", responses=shape.Prekeys)
    def get(self, request: Request, room_id: UUID) -> Response:
        return Response(shape.Prekeys({"prekeys": head_prekeys(person(request), room_id)}).data)


class WrapsView(APIView):
    """Epoch secrets for the asking device."""

    permission_classes = (IsAuthenticated, DevicePermission)

    @extend_schema(operation_id="rooms_wraps", parameters=[shape.AfterEpoch], responses=shape.Wraps)
    def get(self, request: Request, room_id: UUID) -> Response:
        after, limit = after_epoch(request)
        wraps = wraps_for(person(request), proved(request), room_id, after=after)
        return Response(shape.Wraps({"wraps": wraps[:limit]}).data)


class WrapsAckView(APIView):
    """A device has opened its wraps."""

    permission_classes = (IsAuthenticated, DevicePermission)

    @extend_schema(operation_id="rooms_wraps_ack", request=shape.WrapsAck, responses={204: None})
    def post(self, request: Request, room_id: UUID) -> Response:
        body = shape.WrapsAck(data=request.data)
        body.is_valid(raise_exception=True)
        services.acknowledge_wraps(
            actor=person(request),
            device=proved(request),
            room_id=room_id,
            epochs=body.validated_data["epochs"],
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class HistoryRecordsView(APIView):
    """An account's own history records."""

    def get_permissions(self) -> list[IsAuthenticated | DevicePermission]:
        writes = self.request.method == "PUT"
        return [IsAuthenticated(), DevicePermission()] if writes else [IsAuthenticated()]

    @extend_schema(
        operation_id="rooms_history_records",
        parameters=[shape.AfterEpoch],
        responses=shape.HistoryRecords,
    )
    def get(self, request: Request, room_id: UUID) -> Response:
        after, limit = after_epoch(request)
        records = history_for(person(request), room_id, after=after)[:limit]
        return Response(shape.HistoryRecords({"records": records}).data)

    @extend_schema(
        operation_id="rooms_history_records_save",
        request=shape.NewHistoryRecords,
        responses={204: None},
    )
    def put(self, request: Request, room_id: UUID) -> Response:
        body = shape.NewHistoryRecords(data=request.data)
        body.is_valid(raise_exception=True)
        items = [services.HistoryItem(**record) for record in body.validated_data["records"]]
        services.save_history_records(
            actor=person(request), device=proved(request), room_id=room_id, records=items
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
