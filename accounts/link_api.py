"""REST of "Linking a device" in docs/wire.md: parse, call, answer."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import linking
from accounts import serializers as shape
from accounts.access import DevicePermission
from accounts.api import person
from accounts.models import Device, LinkBox
from accounts.serializers import current_device
from accounts.services import now_ms
from accounts.throttles import LinkPollThrottle, LinkThrottle


def _left_ms(box: LinkBox) -> int:
    return max(0, box.expires_ms - now_ms())


class LinksView(APIView):
    """A new browser offers itself."""

    throttle_classes = (LinkThrottle,)

    @extend_schema(request=shape.LinkOffer, responses={201: shape.LinkState})
    def post(self, request: Request) -> Response:
        body = shape.LinkOffer(data=request.data)
        body.is_valid(raise_exception=True)
        box = linking.open_box(person(request), request.session, **body.validated_data)
        return Response(_state_of(box), status.HTTP_201_CREATED)


class LinkView(APIView):
    """The new browser waits for its answer, and either side ends it."""

    throttle_classes = (LinkPollThrottle,)

    @extend_schema(responses=shape.LinkState)
    def get(self, request: Request, link_id: UUID) -> Response:
        return Response(
            _state_of(linking.box_of_session(person(request), request.session, link_id))
        )

    @extend_schema(responses={204: None})
    def delete(self, request: Request, link_id: UUID) -> Response:
        user = person(request)
        device = current_device(user, request.session)
        linking.close_box(user, request.session, device.id if device else None, link_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LinkTakeView(APIView):
    """A listed device takes the offer that a code names."""

    permission_classes = (IsAuthenticated, DevicePermission)
    throttle_classes = (LinkThrottle,)

    @extend_schema(request=None, responses=shape.TakenOffer)
    def post(self, request: Request, link_id: UUID) -> Response:
        device: Device = request.device  # type: ignore[attr-defined]
        box = linking.take_offer(person(request), device, link_id)
        return Response(shape.TakenOffer({"offer": box.offer, "left_ms": _left_ms(box)}).data)


class LinkAnswerView(APIView):
    """The device that took the offer answers it."""

    permission_classes = (IsAuthenticated, DevicePermission)
    throttle_classes = (LinkThrottle,)

    @extend_schema(request=shape.LinkAnswer, responses={204: None})
    def put(self, request: Request, link_id: UUID) -> Response:
        body = shape.LinkAnswer(data=request.data)
        body.is_valid(raise_exception=True)
        device: Device = request.device  # type: ignore[attr-defined]
        linking.put_answer(person(request), device, link_id, **body.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _state_of(box: LinkBox) -> dict[str, object]:
    state = {"is_taken": box.device_id is not None, "answer": box.answer, "left_ms": _left_ms(box)}
    return dict(shape.LinkState(state).data)
