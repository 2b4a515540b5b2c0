"""The cast: accounts with one device each, made from seeded bytes, and rooms they are in."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crypto_client.commit import Commit, PrekeySource, parse_core
from crypto_client.committing import Committer, create_direct, create_group
from crypto_client.device_list import SignedDeviceList, first_device_list
from crypto_client.epoch import RoomView, Trust
from crypto_client.identity import AccountKey, DeviceKeys, new_account, new_device
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.ratchet import EpochState
from crypto_client.receiving import Received, receive_commit
from crypto_client.recovery import backup_public

NOW = 1_760_000_000_000


def seeded(seed: str) -> Callable[[int], bytes]:
    """Give repeatable bytes for tests and vectors."""
    stream = bytearray()
    count = 0

    def take(size: int) -> bytes:
        nonlocal count
        while len(stream) < size:
            stream.extend(hashlib.sha256(f"{seed} {count}".encode()).digest())
            count += 1
        taken = bytes(stream[:size])
        del stream[:size]
        return taken

    return take


@dataclass
class Person:
    """One account with one device, and everything it would upload."""

    name: str
    account: AccountKey
    keys: DeviceKeys
    devices: SignedDeviceList
    prekey_seed: bytes = field(repr=False)
    prekey: SignedPrekey = field(repr=False)
    recovery_key: bytes = field(repr=False)

    @property
    def user(self) -> bytes:
        """The account's id."""
        return self.account.user

    @property
    def source(self) -> PrekeySource:
        """Where this device gets epoch secrets from."""
        seeds = {self.prekey.prekey_hash: self.prekey_seed}
        return PrekeySource(self.user, self.keys.device, seeds)


def person(name: str) -> Person:
    """Make the account and device that belong to a name."""
    random = seeded(name)
    account = new_account(random(16), random)
    keys = new_device(account.user, account.public, NOW, random)
    recovery_key = random(32)
    bk_pub = backup_public(recovery_key, account.user, 1)
    devices = first_device_list(account, [keys.entry()], time=NOW, bk_pub=bk_pub)
    seed, prekey = new_prekey(keys, seq=1, created=NOW, random=random)
    return Person(name, account, keys, devices, seed, prekey, recovery_key)


@dataclass
class World:
    """What a fair server would hand out: every list and prekey."""

    people: dict[str, Person]

    def __getattr__(self, name: str) -> Person:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def lists(self) -> dict[bytes, SignedDeviceList]:
        """Every device list by its hash."""
        return {p.devices.list_hash: p.devices for p in self.people.values()}

    @property
    def prekeys(self) -> dict[bytes, SignedPrekey]:
        """Every prekey by its device."""
        return {p.keys.device: p.prekey for p in self.people.values()}

    def trust(self, server_key: bytes | None = None) -> Trust:
        """Give a reader who has every list and has pinned everybody."""
        pins = {p.user: p.account.public for p in self.people.values()}
        return Trust(self.lists, pins, frozenset([server_key] if server_key else []))

    def committer(self, who: Person, closing: EpochState | None = None) -> Committer:
        """Give a person's device, ready to commit."""
        random = seeded(f"{who.name} commits")
        return Committer(who.keys, self.lists, self.prekeys, NOW, closing=closing, random=random)

    def receive(
        self, who: Person, view: RoomView | None, commit: Commit, trust: Trust | None = None
    ) -> Received:
        """Let a person's device receive a commit with its own prekey."""
        room = view.room if view else parse_core(commit.core).room
        return receive_commit(
            view, commit, room=room, trust=trust or self.trust(), source=who.source
        )


def world(*names: str) -> World:
    """Gather people of these names."""
    return World({name: person(name) for name in names})


def group(cast: World, *names: str, title: str = "garden") -> tuple[Commit, dict[str, Received]]:
    """Let the first one begin a group with the others, and everybody receive it."""
    members = [cast.people[name] for name in names]
    lists = [member.devices for member in members]
    commit = create_group(cast.committer(members[0]), lists, title=title)
    received = {member.name: cast.receive(member, None, commit) for member in members}
    return commit, received


def direct(cast: World, one: str, other: str) -> tuple[Commit, dict[str, Received]]:
    """Let two people begin their direct room, and both receive it."""
    people = [cast.people[one], cast.people[other]]
    commit = create_direct(cast.committer(people[0]), people[0].devices, people[1].devices)
    return commit, {member.name: cast.receive(member, None, commit) for member in people}


def everyone(
    cast: World, before: Mapping[str, Received], commit: Commit, *names: str
) -> dict[str, Received]:
    """Let everybody who had the room receive the next commit."""
    return {
        name: cast.receive(cast.people[name], before[name].view, commit)
        for name in (names or before)
    }
