"""The room `garden`: alice is its admin, bob a member, dave has left it, mallory was never in.

`Chain` is what a member's client knows of a room; commits and envelopes are the client's own.
"""

import os
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync

from accounts.models import Device, DeviceList
from accounts.protocol import to_base64url
from accounts.services import now_ms
from crypto_client import committing
from crypto_client.body import text_body
from crypto_client.commit import Commit, PrekeySource, parse_core, prekey_floors
from crypto_client.device_list import SignedDeviceList, next_device_list, parse_device_list
from crypto_client.envelope import Sealed, seal_message
from crypto_client.epoch import RoomView, Trust
from crypto_client.identity import DeviceKeys, new_device
from crypto_client.ops import Create, parse_ops
from crypto_client.ratchet import EpochState
from crypto_client.receiving import receive_commit
from crypto_client.statements import make_leave
from friends.access import ordered_pair
from friends.models import Friendship
from messaging import services
from messaging.services import Accepted
from rooms.commit import SentCommit
from tests.cast import NAMES, Cast, Keys, Person, keys_of


def sent_of(commit: Commit) -> SentCommit:
    """The six byte strings of a client's commit as the server takes them."""
    return SentCommit(commit.core, commit.tag, commit.sig, commit.ops, commit.state, commit.prekeys)


def wraps_of(commit: Commit) -> dict[UUID, bytes]:
    """A commit's wraps by device."""
    return {UUID(bytes=device): wrap for device, wrap in commit.wraps.items()}


def wraps_json(commit: Commit) -> list[dict[str, str]]:
    """A commit's wraps as JSON has them."""
    return [
        {"device_id": str(device), "wrap": to_base64url(wrap)}
        for device, wrap in wraps_of(commit).items()
    ]


def parts_json(commit: Commit) -> dict[str, str]:
    """A commit's six byte strings as JSON has them."""
    sent = sent_of(commit)
    return {name: to_base64url(getattr(sent, name)) for name in SentCommit.__slots__}


def commit_json(commit: Commit) -> dict[str, Any]:
    """The body of ``POST …/commits``."""
    return {**parts_json(commit), "wraps": wraps_json(commit)}


@dataclass
class Chain:
    """A room as alice's client has it; ``keys``: everybody's, as if fetched."""

    keys: dict[str, Keys] = field(default_factory=lambda: {name: keys_of(name) for name in NAMES})
    view: RoomView | None = None
    prekeys: bytes = b""
    epoch: EpochState | None = None
    commits: list[Commit] = field(default_factory=list)
    older_lists: list[SignedDeviceList] = field(default_factory=list)

    @property
    def lists(self) -> dict[bytes, SignedDeviceList]:
        newest = [keys.device_list for keys in self.keys.values()]
        return {signed.list_hash: signed for signed in [*self.older_lists, *newest]}

    @property
    def head(self) -> RoomView:
        """The room as it is; there must be one."""
        assert self.view is not None
        return self.view

    @property
    def room_id(self) -> UUID:
        return UUID(bytes=self.head.room)

    def by(self, name: str, **changes: Any) -> committing.Committer:
        """One of the cast about to commit, with everything fetched."""
        prekeys = {keys.device.device: keys.prekey for keys in self.keys.values()}
        given = {
            "keys": self.keys[name].device,
            "lists": self.lists,
            "prekeys": prekeys,
            "now": now_ms(),
            "seq_floor": prekey_floors(self.prekeys) if self.prekeys else {},
            "closing": self.epoch,
        }
        return committing.Committer(**{**given, **changes})

    def list_of(self, name: str) -> SignedDeviceList:
        return self.keys[name].device_list

    def group(self, creator: str, *others: str, title: str = "garden") -> Commit:
        """A new group's first commit."""
        members = [self.list_of(name) for name in (creator, *others)]
        return committing.create_group(self.by(creator), members, title=title)

    def direct(self, creator: str, other: str) -> Commit:
        """A direct room's first commit."""
        lists = [self.list_of(creator), self.list_of(other)]
        return committing.create_direct(self.by(creator), *lists)

    def adopt(self, commit: Commit, room: bytes | None = None) -> "Chain":
        """Receive a commit as alice's client would, and open its epoch."""
        alice = self.keys["alice"]
        source = PrekeySource(
            alice.device.user,
            alice.device.device,
            {alice.prekey.prekey_hash: alice.prekey_seed},
        )
        received = receive_commit(
            self.view,
            commit,
            room=room or self.head.room,
            trust=Trust(self.lists, {}),
            source=source,
        )
        self.view, self.prekeys = received.view, commit.prekeys
        self.epoch = received.epoch
        self.commits.append(commit)
        return self

    def seal(
        self, name: str, text: str, *, msg_id: bytes | None = None, epoch: EpochState | None = None
    ) -> Sealed:
        """A message sealed by one of the cast; every device's chain is in alice's epoch."""
        state = epoch or self.epoch
        assert state is not None
        sealed = seal_message(
            state,
            self.keys[name].device,
            text_body(text),
            msg_id=msg_id or os.urandom(16),
            time=now_ms(),
        )
        if epoch is None:
            self.epoch = sealed.epoch
        return sealed


@dataclass
class Garden:
    """The room on the server, and the chain as alice's client has it."""

    cast: Cast
    chain: Chain

    @property
    def id(self) -> UUID:
        return self.chain.room_id

    @property
    def path(self) -> str:
        return f"/api/rooms/{self.id}"

    def commit(self, name: str, commit: Commit) -> None:
        """Have one of the cast commit, and alice's client adopt it."""
        person = self.cast[name]
        async_to_sync(services.commit_epoch)(
            actor=person.user,
            device_id=person.device_id,
            room_id=self.id,
            sent=sent_of(commit),
            wraps=wraps_of(commit),
        )
        self.chain.adopt(commit)

    def rotate(self, name: str) -> Commit:
        """A plain rotation, not yet sent."""
        return committing.commit_rotation(self.chain.head, self.chain.by(name))

    def remove(self, name: str, other: str, statement: Any = None) -> Commit:
        """A removal, not yet sent."""
        by = self.chain.by(name)
        return committing.commit_remove(self.chain.head, id_bytes(other), by, statement)

    def add(self, name: str, *others: str) -> Commit:
        """An addition, not yet sent."""
        lists = [self.chain.list_of(other) for other in others]
        return committing.commit_add(self.chain.head, lists, self.chain.by(name))

    def joined_epoch(self, name: str) -> int:
        rows = {row.user: row.joined_epoch for row in self.chain.head.roster}
        return rows[id_bytes(name)]

    def leave_statement(self, name: str) -> Any:
        """What one of the cast signs to leave."""
        keys = self.chain.keys[name].device
        return make_leave(keys, self.chain.head.room, self.joined_epoch(name))

    def leave(self, name: str) -> Any:
        """Have one of the cast leave; gives the statement that somebody else commits."""
        statement = self.leave_statement(name)
        person = self.cast[name]
        async_to_sync(services.leave_room)(
            actor=person.user,
            device_id=person.device_id,
            room_id=self.id,
            statement=statement.encode(),
        )
        return statement

    def send(self, name: str, envelope: bytes) -> Accepted:
        """Have one of the cast's devices send an envelope."""
        person = self.cast[name]
        return async_to_sync(services.send_message)(
            actor_id=person.id, device_id=person.device_id, room_id=self.id, envelope=envelope
        )

    def say(self, name: str, text: str) -> Accepted:
        """Seal and send."""
        return self.send(name, self.chain.seal(name, text).envelope)

    def items(self, name: str, after: int = 0) -> list[dict[str, Any]]:
        """What one of the cast reads of the log."""
        answer = self.cast[name].get(f"{self.path}/items?after={after}")
        assert answer.status_code == 200, answer.content
        return list(answer.json()["items"])


def relist(garden: Garden, name: str, *devices: DeviceKeys) -> SignedDeviceList:
    """Publish a person's next device list, which names exactly these devices."""
    chain, keys = garden.chain, garden.chain.keys[name]
    entries = [device.entry() for device in devices]
    signed = next_device_list(keys.account, keys.device_list, entries, time=now_ms())
    user = garden.cast[name].user
    DeviceList.objects.create(
        user=user,
        version=parse_device_list(signed.data).version,
        body=signed.data,
        sig=signed.sig,
        list_hash=signed.list_hash,
    )
    for device in devices:
        Device.objects.get_or_create(
            id=UUID(bytes=device.device), defaults={"user": user, "dsk_pub": device.dsk_pub}
        )
    chain.older_lists.append(keys.device_list)
    chain.keys = {**chain.keys, name: replace(keys, device_list=signed)}
    return signed


def another_device(garden: Garden, name: str) -> DeviceKeys:
    """A second device of one of the cast, in no list yet."""
    account = garden.chain.keys[name].account
    return new_device(account.user, account.public, now_ms())


def id_bytes(name: str) -> bytes:
    """A person's id as the protocol has it."""
    return keys_of(name).account.user


def befriend(one: Person, other: Person) -> Friendship:
    """Make two people friends."""
    low, high = ordered_pair(one.id, other.id)
    return Friendship.objects.create(low_id=low, high_id=high)


def create(cast: Cast, name: str, commit: Commit) -> UUID:
    """Have one of the cast begin a room."""
    person = cast[name]
    return async_to_sync(services.create_room)(
        actor=person.user,
        device_id=person.device_id,
        genesis=genesis_of(commit),
        sent=sent_of(commit),
        wraps=wraps_of(commit),
    )


def genesis_of(commit: Commit) -> bytes:
    """The origin inside a first commit."""
    op = parse_ops(commit.ops)[0]
    assert isinstance(op, Create)
    return op.origin.data


def room_of(commit: Commit) -> bytes:
    """The room that a first commit begins."""
    return parse_core(commit.core).room


def make_group(cast: Cast, creator: str, *others: str) -> Garden:
    """A group on the server; all of ``others`` must be friends of the creator."""
    chain = Chain()
    commit = chain.group(creator, *others)
    create(cast, creator, commit)
    return Garden(cast, chain.adopt(commit, room_of(commit)))


def make_direct(cast: Cast, creator: str, other: str) -> Garden:
    """A direct room on the server."""
    chain = Chain()
    commit = chain.direct(creator, other)
    create(cast, creator, commit)
    return Garden(cast, chain.adopt(commit, room_of(commit)))


def make_garden(cast: Cast) -> Garden:
    """`garden`: epoch 0 with alice, bob and dave; dave leaves; epoch 1 with alice and bob."""
    friendship = befriend(cast.alice, cast.dave)
    garden = make_group(cast, "alice", "bob", "dave")
    garden.say("alice", "the seeds are here")
    statement = garden.leave("dave")
    garden.commit("alice", garden.remove("alice", "dave", statement))
    garden.say("bob", "dave is gone")
    friendship.delete()
    return garden


@pytest.fixture
def garden(cast: Cast) -> Garden:
    return make_garden(cast)
