"""The public keys of people, as somebody who may see them gets them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery

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
    """As many queries for a hundred people as for one, and no list that the answer does not hold.

    But the newest: it says whose prekeys these are.
    """
    accounts = {row.user_id: row for row in AccountKey.objects.filter(user__in=wanted)}
    resets = FormerKey.objects.filter(user__in=accounts).select_related("reset")
    former = _by_user(resets.order_by("number"))
    lists = _by_user(_lists_after({user: wanted[user] for user in accounts}, former))
    prekeys = _newest_prekeys(accounts)
    found = []
    for user in wanted:
        if (account := accounts.get(user)) is None:
            continue
        bundle = {
            "user_id": user,
            "account_key": account.amk_pub,
            "lists": _under(account.number, lists[user]),
            "prekeys": prekeys.get(user, []),
            "former": [_former(row, lists[user]) for row in former[user]],
        }
        found.append(dict(KeyBundle(bundle).data))
    return found


def _lists_after(versions: Mapping[UUID, int], former: Collection[UUID]) -> Iterable[DeviceList]:
    """The lists above each person's version, and all that are under keys that resets have ended."""
    people_after: defaultdict[int, list[UUID]] = defaultdict(list)
    for user, version in versions.items():
        people_after[version].append(user)
    present = Q(key_number=F("user__account_key__number"))
    wanted = Q(user__in=former) & ~present
    for version, people in people_after.items():
        wanted |= present & Q(user__in=people, version__gt=version)
    return DeviceList.objects.filter(wanted).order_by("key_number", "version")


def _by_user(rows: Iterable[Row]) -> defaultdict[UUID, list[Row]]:
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.user_id].append(row)
    return found


def _under(number: int, lists: Iterable[DeviceList]) -> list[DeviceList]:
    return [row for row in lists if row.key_number == number]


def _former(former: FormerKey, lists: Iterable[DeviceList]) -> dict[str, Any]:
    return {
        "account_key": former.amk_pub,
        "reset": former.reset.body,
        "reset_sig": former.reset.sig,
        "lists": _under(former.number, lists),
    }


def _newest_lists(users: Collection[UUID]) -> Iterable[DeviceList]:
    same = DeviceList.objects.filter(user=OuterRef("user"), key_number=OuterRef("key_number"))
    highest = same.order_by("-version").values("version")[:1]
    present = DeviceList.objects.filter(user__in=users, key_number=F("user__account_key__number"))
    return present.filter(version=Subquery(highest))


def _newest_prekeys(users: Collection[UUID]) -> dict[UUID, list[Prekey]]:
    """The prekey with the highest number of each device of each person's newest list."""
    newest = {row.user_id: parse_device_list(bytes(row.body)) for row in _newest_lists(users)}
    owners = {entry.device: user for user, read in newest.items() for entry in read.entries}
    highest = Prekey.objects.filter(device=OuterRef("device")).order_by("-seq").values("seq")[:1]
    listed = Prekey.objects.filter(device__in=owners, seq=Subquery(highest))
    found: defaultdict[UUID, list[Prekey]] = defaultdict(list)
    for prekey in listed.order_by("device_id"):
        found[owners[prekey.device_id]].append(prekey)
    return found
