"""The public keys of one person, as somebody who may see them gets them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.access import account_key_of, former_keys_of, listed_devices, visible_person
from accounts.models import AccountKey, Prekey, User
from accounts.refusals import Refused
from accounts.serializers import KeyBundle


def newest_prekeys(user: User) -> QuerySet[Prekey]:
    """The prekey with the highest sequence number of each device of the newest list."""
    highest = Prekey.objects.filter(device=OuterRef("device")).order_by("-seq").values("seq")[:1]
    listed = Prekey.objects.filter(device__in=listed_devices(user))
    return listed.filter(seq=Subquery(highest)).order_by("device_id")


def key_bundle(user: User, after_version: int) -> dict[str, Any]:
    """Lists above a version, ascending, and newest prekeys; ``keys_missing`` before enrolment.

    Keys that resets have ended come with all of their lists: chains of the past name them.
    """
    try:
        account = account_key_of(user)
    except AccountKey.DoesNotExist:
        raise Refused("keys_missing") from None
    lists = user.device_lists.order_by("version")
    bundle = {
        "user_id": user.id,
        "account_key": account.amk_pub,
        "lists": lists.filter(key_number=account.number, version__gt=after_version),
        "prekeys": newest_prekeys(user),
        "former": [
            {
                "account_key": former.amk_pub,
                "reset": former.reset.body,
                "reset_sig": former.reset.sig,
                "lists": lists.filter(key_number=former.number),
            }
            for former in former_keys_of(user)
        ],
    }
    return dict(KeyBundle(bundle).data)


def key_bundles(asker: User, wanted: Mapping[UUID, int]) -> list[dict[str, Any]]:
    """The bundles of those of these people whom the asker may see, above a version for each.

    Who is not there, not theirs to see or has no keys yet is left out: all of it looks the same.
    """
    found = []
    for user_id, after_version in wanted.items():
        try:
            found.append(key_bundle(visible_person(asker, user_id), after_version))
        except (User.DoesNotExist, Refused):
            continue
    return found
