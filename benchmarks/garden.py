"""A room of many on a fresh database, made by the client's own code and the server's services.

Django must be set up, with its tables, before this module is imported.
"""

import time
from dataclasses import dataclass
from uuid import UUID, uuid4

from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import Client

from accounts.models import AccountKey, Device, DeviceList, Prekey, User
from benchmarks.people import Garden, Person
from crypto_client.commit import Commit, PrekeySource, parse_core
from crypto_client.committing import Committer, create_group
from crypto_client.device_list import SignedDeviceList, first_device_list
from crypto_client.epoch import Trust
from crypto_client.identity import AccountKey as OwnAccountKey
from crypto_client.identity import DeviceKeys, new_account, new_device
from crypto_client.ops import Create, parse_ops
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.ratchet import EpochState
from crypto_client.receiving import receive_commit
from friends.access import ordered_pair
from friends.models import Friendship
from messaging import services
from rooms.commit import SentCommit

PREKEY_MS = 8_640_000_000


@dataclass(frozen=True, slots=True)
class Member:
    """One person with one device and what others need to wrap for it."""

    user: User
    account: OwnAccountKey
    device: DeviceKeys
    devices: SignedDeviceList
    prekey_seed: bytes
    prekey: SignedPrekey


def make_garden(size: int) -> Garden:
    """A group of ``size`` people whom nobody knew before, all of them friends of the first."""
    now = time.time_ns() // 1_000_000
    members = [make_member(now) for _ in range(size)]
    first = members[0]
    pairs = (ordered_pair(first.user.id, other.user.id) for other in members[1:])
    Friendship.objects.bulk_create(Friendship(low_id=low, high_id=high) for low, high in pairs)
    commit = _first_commit(members, now)
    room_id = async_to_sync(services.create_room)(
        actor=first.user,
        device_id=UUID(bytes=first.device.device),
        genesis=_genesis(commit),
        sent=SentCommit(
            commit.core, commit.tag, commit.sig, commit.ops, commit.state, commit.prekeys
        ),
        wraps={UUID(bytes=device): wrap for device, wrap in commit.wraps.items()},
    )
    people = [Person(each.user.id, each.device, _sign_in(each.user)) for each in members]
    return Garden(room_id, people, _open(commit, members))


def make_member(now: int) -> Member:
    """A person whose rows are what enrolment leaves, but for the recovery blob."""
    user = User.objects.create(email=f"{uuid4().hex}@example.org", nickname="Member")
    account = new_account(user.id.bytes)
    device = new_device(user.id.bytes, account.public, now)
    devices = first_device_list(account, [device.entry()], time=now, bk_pub=bytes(1216))
    seed, prekey = new_prekey(device, seq=1, created=now)
    AccountKey.objects.create(user=user, amk_pub=account.public, recovery_version=1)
    DeviceList.objects.create(
        user=user, version=1, body=devices.data, sig=devices.sig, list_hash=devices.list_hash
    )
    row = Device.objects.create(id=UUID(bytes=device.device), user=user, dsk_pub=device.dsk_pub)
    Prekey.objects.create(
        device=row,
        seq=1,
        body=prekey.data,
        sig=prekey.sig,
        prekey_hash=prekey.prekey_hash,
        expires_ms=now + PREKEY_MS,
    )
    return Member(user, account, device, devices, seed, prekey)


def _sign_in(user: User) -> str:
    client = Client()
    client.force_login(user)
    token: str = client.cookies[settings.SESSION_COOKIE_NAME].value
    return token


def _lists(members: list[Member]) -> dict[bytes, SignedDeviceList]:
    return {member.devices.list_hash: member.devices for member in members}


def _first_commit(members: list[Member], now: int) -> Commit:
    by = Committer(
        keys=members[0].device,
        lists=_lists(members),
        prekeys={member.device.device: member.prekey for member in members},
        now=now,
        seq_floor={},
        closing=None,
    )
    return create_group(by, [member.devices for member in members], title="bench")


def _genesis(commit: Commit) -> bytes:
    op = parse_ops(commit.ops)[0]
    assert isinstance(op, Create)
    return op.origin.data


def _open(commit: Commit, members: list[Member]) -> EpochState:
    first = members[0]
    source = PrekeySource(
        first.device.user,
        first.device.device,
        {first.prekey.prekey_hash: first.prekey_seed},
    )
    trust = Trust(_lists(members), {})
    received = receive_commit(
        None, commit, room=parse_core(commit.core).room, trust=trust, source=source
    )
    assert received.epoch is not None
    return received.epoch
