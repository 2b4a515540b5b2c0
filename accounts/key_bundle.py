"""The public keys of people, as somebody who may see them gets them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import OuterRef, Subquery

from accounts.access import may_see_keys_of
from accounts.models import AccountKey, DeviceList, FormerKey, Prekey, User
from accounts.refusals import Refused
from accounts.serializers import KeyBundle
from accounts.signed_objects import parse_device_list

Row = TypeVar("Row", DeviceList, FormerKey)


def key_bundle(user: User, after_version: int) -> dict[str, Any]:
    """Lists above a version, ascending, and newest prekeys; ``keys_missing`` before enrolment.

    Keys that resets have ended come with all of their lists: chains of the past name them.
    """
    bundles = _bundles({user.id: after_version})
    if not bundles:
        raise Refused("keys_missing")
    return bundles[0]


def key_bundles(asker: User, wanted: Mapping[UUID, int]) -> list[dict[str, Any]]:
    """The bundles of those of these people whom the asker may see, above a version for each.

    Who is not there, not theirs to see or has no keys yet is left out: all of it looks the same.
    """
    return _bundles({user: n for user, n in wanted.items() if may_see_keys_of(asker, user)})


def _bundles(wanted: Mapping[UUID, int]) -> list[dict[str, Any]]:
    """As many queries for a hundred people as for one."""
    accounts = {row.user_id: row for row in AccountKey.objects.filter(user__in=wanted)}
    rows = DeviceList.objects.filter(user__in=accounts).order_by("key_number", "version")
    lists = _by_user(rows)
    resets = FormerKey.objects.filter(user__in=accounts).select_related("reset")
    former = _by_user(resets.order_by("number"))
    prekeys = _newest_prekeys(lists)
    found = []
    for user, after_version in wanted.items():
        if (account := accounts.get(user)) is None:
            continue
        own = [row for row in lists[user] if row.key_number == account.number]
        bundle = {
            "user_id": user,
            "account_key": account.amk_pub,
            "lists": [row for row in own if row.version > after_version],
            "prekeys": prekeys.get(user, []),
            "former": [_former(row, lists[user]) for row in former[user]],
        }
        found.append(dict(KeyBundle(bundle).data))
    return found


def _by_user(rows: Iterable[Row]) -> defaultdict[UUID, list[Row]]:
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.user_id].append(row)
    return found


def _former(former: FormerKey, lists: Collection[DeviceList]) -> dict[str, Any]:
    return {
        "account_key": former.amk_pub,
        "reset": former.reset.body,
        "reset_sig": former.reset.sig,
        "lists": [row for row in lists if row.key_number == former.number],
    }


def _newest_prekeys(lists: Mapping[UUID, list[DeviceList]]) -> dict[UUID, list[Prekey]]:
    """The prekey with the highest number of each device of each person's newest list."""
    newest = {user: parse_device_list(bytes(rows[-1].body)) for user, rows in lists.items()}
    owners = {entry.device: user for user, read in newest.items() for entry in read.entries}
    highest = Prekey.objects.filter(device=OuterRef("device")).order_by("-seq").values("seq")[:1]
    listed = Prekey.objects.filter(device__in=owners, seq=Subquery(highest))
    found: defaultdict[UUID, list[Prekey]] = defaultdict(list)
    for prekey in listed.order_by("device_id"):
        found[owners[prekey.device_id]].append(prekey)
    return found
