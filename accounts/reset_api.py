"""REST of starting an account again (docs/wire.md, "Starting again"): parse, call, answer."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts import resets
from accounts import serializers as shape
from accounts.access import RESET_LAPSES_AFTER, waiting_reset
from accounts.api import person
from accounts.enrolment import Enrolment
from accounts.models import Reset
from accounts.serializers import me_of, milliseconds
from accounts.throttles import ResetEndThrottle, ResetThrottle


class ResetView(APIView):
    """The reset of one's own account that waits, if one does."""

    def get_throttles(self) -> list[BaseThrottle]:
        return [ResetThrottle() if self.request.method == "POST" else ResetEndThrottle()]

    @extend_schema(responses=shape.Waiting)
    def get(self, request: Request) -> Response:
        return Response(_waiting(waiting_reset(person(request), timezone.now())))

    @extend_schema(request=shape.NewReset, responses={201: shape.Waiting})
    def post(self, request: Request) -> Response:
        body = shape.NewReset(data=request.data)
        body.is_valid(raise_exception=True)
        begun = resets.begin_reset(person(request), **body.validated_data)
        return Response(_waiting(begun), status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        resets.withdraw_reset(person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class VetoView(APIView):
    """A device's word against the waiting reset."""

    throttle_classes = (ResetEndThrottle,)

    @extend_schema(request=shape.Veto, responses={204: None})
    def post(self, request: Request) -> Response:
        body = shape.Veto(data=request.data)
        body.is_valid(raise_exception=True)
        resets.veto_reset(person(request), **body.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CompleteView(APIView):
    """The new account key takes its place."""

    throttle_classes = (ResetEndThrottle,)

    @extend_schema(request=shape.Enrol, responses={201: shape.Me})
    def post(self, request: Request) -> Response:
        body = shape.Enrol(data=request.data)
        body.is_valid(raise_exception=True)
        resets.complete_reset(person(request), enrolment=Enrolment(**body.validated_data))
        return Response(me_of(person(request), request.session), status.HTTP_201_CREATED)


def _waiting(reset: Reset | None) -> dict[str, Any]:
    if reset is None:
        return {"reset": None}
    row = {
        "reset_id": reset.reset_id,
        "body": reset.body,
        "sig": reset.sig,
        "state": "due" if timezone.now() >= reset.due_at else "waiting",
        "announced_ms": milliseconds(reset.announced_at),
        "due_ms": milliseconds(reset.due_at),
        "lapses_ms": milliseconds(reset.due_at + RESET_LAPSES_AFTER),
    }
    return dict(shape.Waiting({"reset": row}).data)
