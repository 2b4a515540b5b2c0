"""REST of "Me, keys, devices" in docs/wire.md: parse, call, answer."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import key_log, services
from accounts import serializers as shape
from accounts.access import DevicePermission, visible_person
from accounts.device_lists import NextList, SentPrekey
from accounts.enrolment import Enrolment
from accounts.key_bundle import key_bundle, key_bundles
from accounts.models import Device, User
from accounts.refusals import Refused
from accounts.renewal import Renewal
from accounts.serializers import devices_of, me_of
from accounts.throttles import (
    BackupKeyThrottle,
    DeviceListThrottle,
    KeyLogThrottle,
    ManyKeysThrottle,
    PrekeyThrottle,
    ProfileThrottle,
    ProofThrottle,
    RecoveryThrottle,
    RenewalThrottle,
)

AFTER_LEAF = OpenApiParameter("after", int, description="Only leaves from this index on.")
AFTER_VERSION = OpenApiParameter("after_version", int, description="Only lists above this version.")


def person(request: Request) -> User:
    """The signed-in person; permissions have made sure that there is one."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


class MeView(APIView):
    """One's own account."""

    throttle_classes = (ProfileThrottle,)

    @extend_schema(responses=shape.Me)
    def get(self, request: Request) -> Response:
        return Response(me_of(person(request), request.session))

    @extend_schema(request=shape.Profile, responses=shape.Me)
    def patch(self, request: Request) -> Response:
        body = shape.Profile(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        user = services.update_profile(person(request), **body.validated_data)
        return Response(me_of(user, request.session))


class KeysView(APIView):
    """Enrolment."""

    @extend_schema(request=shape.Enrol, responses={201: shape.Me})
    def post(self, request: Request) -> Response:
        body = shape.Enrol(data=request.data)
        body.is_valid(raise_exception=True)
        services.enrol(person(request), enrolment=Enrolment(**body.validated_data))
        return Response(me_of(person(request), request.session), status.HTTP_201_CREATED)


class DeviceListsView(APIView):
    """A device enters the account's list, or leaves it."""

    throttle_classes = (DeviceListThrottle,)

    @extend_schema(request=shape.NextDeviceList, responses={201: shape.Me})
    def post(self, request: Request) -> Response:
        body = shape.NextDeviceList(data=request.data)
        body.is_valid(raise_exception=True)
        prekeys = [SentPrekey(**item) for item in body.validated_data["prekeys"]]
        next_list = NextList(**{**body.validated_data, "prekeys": prekeys})
        services.publish_device_list(person(request), request.session, next_list=next_list)
        return Response(me_of(person(request), request.session), status.HTTP_201_CREATED)


class RecoveryView(APIView):
    """One's own sealed recovery blob, and a new one in its place."""

    throttle_classes = (RecoveryThrottle, RenewalThrottle)

    def get_permissions(self) -> list[IsAuthenticated | DevicePermission]:
        writes = self.request.method == "POST"
        return [IsAuthenticated(), DevicePermission()] if writes else [IsAuthenticated()]

    @extend_schema(responses=shape.Recovery)
    def get(self, request: Request) -> Response:
        account = services.recovery_of(person(request))
        carries = services.carries_of(person(request), account)
        answer = {
            "recovery_blob": account.recovery_blob,
            "recovery_sig": account.recovery_sig,
            "carries": carries,
        }
        return Response(shape.Recovery(answer).data)

    @extend_schema(request=shape.Renewal, responses={201: shape.Me})
    def post(self, request: Request) -> Response:
        body = shape.Renewal(data=request.data)
        body.is_valid(raise_exception=True)
        services.renew_recovery(person(request), renewal=Renewal(**body.validated_data))
        return Response(me_of(person(request), request.session), status.HTTP_201_CREATED)


class FormerRecoveryView(APIView):
    """The sealed blobs of one's own account keys that resets have ended: they open the past."""

    permission_classes = (IsAuthenticated, DevicePermission)
    throttle_classes = (RecoveryThrottle,)

    @extend_schema(responses=shape.FormerRecoveries)
    def get(self, request: Request) -> Response:
        rows = [
            {
                "account_key": former.amk_pub,
                "recovery_blob": former.recovery_blob,
                "recovery_sig": former.recovery_sig,
                "carries": carries,
            }
            for former, carries in services.former_recoveries_of(person(request))
        ]
        return Response(shape.FormerRecoveries({"former": rows}).data)


class BackupKeyView(APIView):
    """The public key that one's own devices write history to."""

    throttle_classes = (BackupKeyThrottle,)

    @extend_schema(responses=shape.BackupKey)
    def get(self, request: Request) -> Response:
        return Response(shape.BackupKey(services.backup_key_of(person(request))).data)


class ChallengeView(APIView):
    """The nonce that a device signs."""

    throttle_classes = (ProofThrottle,)

    @extend_schema(request=None, responses=shape.Challenge)
    def post(self, request: Request) -> Response:
        nonce = services.issue_challenge(request.session)
        return Response(shape.Challenge({"nonce": nonce}).data)


class ProofView(APIView):
    """The signature that binds a session to a device."""

    throttle_classes = (ProofThrottle,)

    @extend_schema(request=shape.Proof, responses={204: None})
    def post(self, request: Request) -> Response:
        body = shape.Proof(data=request.data)
        body.is_valid(raise_exception=True)
        services.prove_device(person(request), request.session, **body.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DevicesView(APIView):
    """The devices of the newest list."""

    @extend_schema(responses=shape.Devices)
    def get(self, request: Request) -> Response:
        return Response(devices_of(person(request), request.session))


class PrekeysView(APIView):
    """A device's next prekey."""

    permission_classes = (IsAuthenticated, DevicePermission)
    throttle_classes = (PrekeyThrottle,)

    @extend_schema(request=shape.NewPrekey, responses={201: shape.PrekeySeq})
    def post(self, request: Request) -> Response:
        body = shape.NewPrekey(data=request.data)
        body.is_valid(raise_exception=True)
        device: Device = request.device  # type: ignore[attr-defined]
        prekey = services.publish_prekey(person(request), device, **body.validated_data)
        return Response({"seq": prekey.seq}, status.HTTP_201_CREATED)


class UserView(APIView):
    """What somebody whom one knows shows of themselves."""

    @extend_schema(responses=shape.Person)
    def get(self, request: Request, user_id: UUID) -> Response:
        return Response(shape.Person(_visible(request, user_id)).data)


class UserKeysView(APIView):
    """The signed device lists and prekeys of somebody whom one knows."""

    @extend_schema(parameters=[AFTER_VERSION], responses=shape.KeyBundle)
    def get(self, request: Request, user_id: UUID) -> Response:
        query = shape.AfterVersion(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        user = _visible(request, user_id)
        return Response(key_bundle(user, query.validated_data["after_version"]))


class ManyKeysView(APIView):
    """The same of many people: whoever commits for a room of 200 needs all of theirs."""

    throttle_classes = (ManyKeysThrottle,)

    @extend_schema(request=shape.ManyWantedKeys, responses=shape.KeyBundles)
    def post(self, request: Request) -> Response:
        body = shape.ManyWantedKeys(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = {each["user_id"]: each["after_version"] for each in body.validated_data["users"]}
        return Response({"users": key_bundles(person(request), wanted)})


class KeyLogView(APIView):
    """The leaves of the key log: hashes that tell nothing to who does not know the ids."""

    throttle_classes = (KeyLogThrottle,)

    @extend_schema(parameters=[AFTER_LEAF], responses=shape.KeyLogPage)
    def get(self, request: Request) -> Response:
        query = shape.AfterLeaf(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        page = key_log.page_after(query.validated_data["after"])
        answer = {"leaves": page.leaves, "more": page.more, **_head(page.head)}
        return Response(shape.KeyLogPage(answer).data)


class KeyLogHeadView(APIView):
    """The newest head, and how all the logs of this server began."""

    throttle_classes = (KeyLogThrottle,)

    @extend_schema(responses=shape.KeyLogHead)
    def get(self, request: Request) -> Response:
        head = key_log.head_of(key_log.newest_log())
        return Response(shape.KeyLogHead({"logs": key_log.starts(), **_head(head)}).data)


def _head(signed: key_log.SignedHead) -> dict[str, bytes]:
    return {"head": signed.head, "head_sig": signed.sig}


def _visible(request: Request, user_id: UUID) -> User:
    try:
        return visible_person(person(request), user_id)
    except User.DoesNotExist:
        raise Refused("not_found") from None
