"""The device lists that rosters name, as the server has them. Each was verified when it came."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from accounts.models import AccountKey, DeviceList
from accounts.refusals import Refused
from accounts.signed_objects import DeviceListObject, parse_device_list
from rooms.outcomes import demand
from rooms.roster import Member, Roster

Lists = dict[bytes, DeviceListObject]


def lists_for(before: Roster, after: Roster) -> Lists:
    """The lists that two rosters name, and those between an account's old and new one.

    By list hash; those the server does not have are left out.
    """
    members = [*before.values(), *after.values()]
    wanted = Q(
        user__in={member.user for member in members},
        list_hash__in={member.list_hash for member in members},
    )
    for user in before.keys() & after.keys():
        old, new = before[user].list_version, after[user].list_version
        if new > old + 1:
            wanted |= Q(user=user, version__gt=old, version__lt=new)
    rows = DeviceList.objects.filter(wanted)
    return {bytes(row.list_hash): parse_device_list(bytes(row.body)) for row in rows}


def demand_keys(users: Iterable[UUID]) -> None:
    """Refuse with ``keys_missing`` when somebody has no account key yet."""
    wanted = set(users)
    if AccountKey.objects.filter(user__in=wanted).count() != len(wanted):
        raise Refused("keys_missing")


def demand_own_list(member: Member, lists: Lists) -> None:
    """The list that a row names is at hand (``reference``) and its own (``op_forbidden``)."""
    demand(member.list_hash in lists, "reference")
    found = lists[member.list_hash]
    same = (found.user, found.amk_pub, found.version)
    demand(same == (member.user, member.amk_pub, member.list_version), "op_forbidden")


def demand_unbroken(old: Member, new: Member, lists: Lists) -> None:
    """The new row's list is newer and follows the old one's, list by list.

    ``list_rollback`` when it is not newer, ``reference`` when one in between is not at hand,
    ``list_fork`` when one names another predecessor.
    """
    demand(new.list_version > old.list_version, "list_rollback")
    found = lists[new.list_hash]
    while found.version > old.list_version + 1:
        demand(found.prev_hash in lists, "reference")
        before = lists[found.prev_hash]
        same_account = (before.user, before.amk_pub) == (old.user, old.amk_pub)
        demand(same_account and before.version == found.version - 1, "list_fork")
        found = before
    demand(found.prev_hash == old.list_hash, "list_fork")


def devices_of(roster: Roster, lists: Lists) -> dict[UUID, UUID]:
    """device → user for all devices of a roster.

    A list that is not at hand is ``reference``, another account's ``op_forbidden``; one device or
    key in two accounts is ``roster``.
    """
    for member in roster.values():
        demand_own_list(member, lists)
    entries = [
        (entry.device, entry.dsk_pub, user)
        for user, member in roster.items()
        for entry in lists[member.list_hash].entries
    ]
    devices = {device: user for device, _, user in entries}
    keys = {dsk_pub for _, dsk_pub, _ in entries}
    demand(len(devices) == len(entries) == len(keys), "roster")
    return devices


def signing_key(member: Member, device: UUID, lists: Lists) -> bytes | None:
    """The key of a device in the list that a row names, or None."""
    if member.list_hash not in lists:
        return None
    entries = lists[member.list_hash].entries
    return next((entry.dsk_pub for entry in entries if entry.device == device), None)
