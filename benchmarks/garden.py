"""A room of many on a fresh data folder, made by the client's own code and the server's services.

Django must be set up, with an empty database, before this module is imported.
"""

import os
from dataclasses import dataclass
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import Client

from accounts.models import AccountKey, Device, DeviceList, Prekey, User
from crypto_client.body import text_body
from crypto_client.commit import Commit, PrekeySource, parse_core
from crypto_client.committing import Committer, create_group
from crypto_client.device_list import SignedDeviceList, first_device_list
from crypto_client.envelope import seal_message
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


@dataclass(frozen=True, slots=True)
class Member:
    """One person with one device, signed in."""

    user: User
    account: OwnAccountKey
    device: DeviceKeys
    devices: SignedDeviceList
    prekey_seed: bytes
    prekey: SignedPrekey
    token: str


@dataclass(slots=True)
class Garden:
    """The room, and the epoch in which everybody seals."""

    room_id: UUID
    members: list[Member]
    epoch: EpochState

    def seal(self, member: Member, text: str, now: int) -> bytes:
        """An envelope of one member's device."""
        sealed = seal_message(
            self.epoch, member.device, text_body(text), msg_id=os.urandom(16), time=now
        )
        self.epoch = sealed.epoch
        return sealed.envelope


def make_member(number: int, now: int) -> Member:
    """A person whose rows are what enrolment leaves, but for the recovery blob."""
    user = User.objects.create(email=f"member{number}@example.org", nickname=f"Member {number}")
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
        expires_ms=now + 8_640_000_000,
    )
    client = Client()
    client.force_login(user)
    token = client.cookies[settings.SESSION_COOKIE_NAME].value
    return Member(user, account, device, devices, seed, prekey, token)


def make_garden(size: int, now: int) -> Garden:
    """A group of ``size``, all of them friends of the first."""
    members = [make_member(number, now) for number in range(size)]
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
    return Garden(room_id, members, _open(commit, members))


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
