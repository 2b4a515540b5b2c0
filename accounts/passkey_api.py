"""REST of "Passkeys" in docs/wire.md: parse, call, answer."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import passkeys
from accounts import serializers as shape
from accounts.access import DevicePermission
from accounts.api import person
from accounts.models import Passkey
from accounts.serializers import milliseconds
from accounts.signed_objects import parse_passkey
from accounts.throttles import PasskeyChangeThrottle, PasskeyDownloadThrottle, PasskeysThrottle


class PasskeysView(APIView):
    """Which passkeys there are: what a browser has to ask its authenticators for."""

    throttle_classes = (PasskeysThrottle,)

    @extend_schema(operation_id="me_passkeys_list", responses=shape.Passkeys)
    def get(self, request: Request) -> Response:
        rows = [_row(passkey) for passkey in passkeys.passkeys_of(person(request))]
        return Response(shape.Passkeys({"passkeys": rows}).data)


def _row(passkey: Passkey) -> dict[str, Any]:
    return {
        "passkey_id": passkey.id,
        "credential": parse_passkey(bytes(passkey.sealed)).credential,
        "created_ms": milliseconds(passkey.created_at),
        "last_used_ms": milliseconds(passkey.last_used_at),
    }


class PasskeyView(APIView):
    """One's own recovery key, sealed under one passkey."""

    throttle_classes = (PasskeyDownloadThrottle, PasskeyChangeThrottle)

    def get_permissions(self) -> list[IsAuthenticated | DevicePermission]:
        writes = self.request.method == "PUT"
        return [IsAuthenticated(), DevicePermission()] if writes else [IsAuthenticated()]

    @extend_schema(responses=shape.SealedPasskey)
    def get(self, request: Request, passkey_id: UUID) -> Response:
        taken = passkeys.take_passkey(person(request), passkey_id)
        return Response(shape.SealedPasskey({"passkey": taken.sealed}).data)

    @extend_schema(request=shape.SealedPasskey, responses={204: None})
    def put(self, request: Request, passkey_id: UUID) -> Response:
        body = shape.SealedPasskey(data=request.data)
        body.is_valid(raise_exception=True)
        passkeys.keep_passkey(person(request), passkey_id, **body.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, passkey_id: UUID) -> Response:
        passkeys.remove_passkey(person(request), passkey_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
