"""One room of three people with two devices each, and its honest log; frontend has the twin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from crypto_client.commit import Commit, PrekeySource
from crypto_client.committing import (
    Committer,
    create_group,
)
from crypto_client.encoding import encode_base64url as b64
from crypto_client.envelope import parse_envelope
from crypto_client.epoch import RoomView, Trust, senders_of
from crypto_client.identity import DeviceKeys, new_device
from crypto_client.ops import Create, parse_ops
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.receiving import receive_commit
from crypto_client.roster import Member, find_member, parse_origin
from crypto_client.vectors.case import signed_in
from crypto_client.vectors.cast import NOW, Person, seeded, world
from tests.crypto_client.model_reader import (
    COMMIT_PARTS,
    Came,
    Kept,
    Reader,
    Trace,
    commit_for,
)

T = TypeVar("T")
NAMES = ("alice", "bob", "carol")


@dataclass
class Device:
    """One device of a person, with the items of the log that it has not been given yet."""

    at: int
    owner: str
    keys: DeviceKeys
    prekey: SignedPrekey
    reader: Reader
    pending: list[int] = field(default_factory=list)
    backups: list[Kept] = field(default_factory=lambda: [Kept()])


def pick(number: int, things: Sequence[T]) -> T:
    return things[number % len(things)]


class ModelRoom:
    """The room, its honest log, and who has been given what of it."""

    def __init__(self) -> None:
        self.cast = world(*NAMES)
        self.lists = {name: self.cast.people[name].devices for name in NAMES}
        self.known_lists = dict(self.cast.lists)
        pins = {p.user: p.account.public for p in self.cast.people.values()}
        self.trust = Trust(self.known_lists, pins)
        self.log: list[int | bytes] = []
        self.texts: dict[tuple[bytes, bytes], str] = {}
        self.trace: Trace = {"commits": [], "steps": []}
        self.devices: list[Device] = []
        first = self._first_commit()
        (create,) = parse_ops(first.ops)
        if not isinstance(create, Create):
            raise ValueError("a room begins with one create")
        self.room = parse_origin(create.origin.data).room
        for name in NAMES:
            self._add_devices(self.cast.people[name])
        self.newest_or_none: RoomView | None = None
        self._append(first)

    @property
    def newest(self) -> RoomView:
        """What somebody sees who verifies every commit and opens none."""
        assert self.newest_or_none is not None
        return self.newest_or_none

    # What is written down

    def finished_trace(self) -> Trace:
        people = self.cast.people.values()
        return {
            **self.trace,
            "room": b64(self.room),
            "lists": [signed_in(signed) for signed in self.known_lists.values()],
            "pins": [[b64(p.user), b64(p.account.public)] for p in people],
            "devices": [self._source_of(device) for device in self.devices],
        }

    @staticmethod
    def _source_of(device: Device) -> dict[str, object]:
        source = device.reader.source
        seeds = [[b64(prekey_hash), b64(seed)] for prekey_hash, seed in source.seeds.items()]
        return {"user": b64(source.user), "device": b64(source.device), "prekeys": seeds}

    # Beginnings

    def _first_commit(self) -> Commit:
        by = self.cast.committer(self.cast.alice)
        lists = [self.cast.alice.devices, self.cast.bob.devices]
        return create_group(by, lists, title="model")

    def _add_devices(self, person: Person) -> None:
        second = new_device(
            person.user, person.account.public, NOW, seeded(f"second device of {person.name}")
        )
        seed, prekey = new_prekey(second, seq=1, created=NOW, random=seeded(f"{person.name} 2"))
        rows = ((person.keys, person.prekey, person.prekey_seed), (second, prekey, seed))
        for keys, signed, secret in rows:
            source = PrekeySource(person.user, keys.device, {signed.prekey_hash: secret})
            reader = Reader(self.room, self.trust, source)
            device = Device(len(self.devices), person.name, keys, signed, reader)
            self.devices.append(device)

    # The log

    def _append(self, item: Commit | bytes) -> None:
        if isinstance(item, Commit):
            parts = {name: b64(getattr(item, name)) for name in COMMIT_PARTS}
            wraps = [[b64(device), b64(wrap)] for device, wrap in item.wraps.items()]
            self.trace["commits"].append({**parts, "wraps": wraps})
            self.log.append(len(self.trace["commits"]) - 1)
            received = receive_commit(self.newest_or_none, item, room=self.room, trust=self.trust)
            self.newest_or_none = received.view
        else:
            self.log.append(item)
        for device in self.devices:
            device.pending.append(len(self.log) - 1)

    def _bring(self, device: Device, item: int | bytes) -> Came:
        """Bring one item to one device, and write down what came of it."""
        reader = device.reader
        if isinstance(item, int):
            came = reader.receive(commit_for(self.trace["commits"][item], reader.source.device))
            step: dict[str, object] = {"commit": item}
        else:
            came = reader.open(item)
            step = {"envelope": b64(item)}
        self.trace["steps"].append({"device": device.at, **step, "came": came})
        return came

    def _deliver(self, device: Device, at: int) -> None:
        """Bring what waits; what comes too early goes on waiting, as a client asks again."""
        item = self.log[device.pending[at]]
        came = self._bring(device, item)
        if came != ["epoch_gap"] or not self._is_early(device, item):
            del device.pending[at]

    def _follow(self, device: Device) -> None:
        """Bring every commit, and what the device wrote itself: no counter is used twice."""
        for index in list(device.pending):
            if self._is_needed(device, self.log[index]):
                self._deliver(device, device.pending.index(index))

    @staticmethod
    def _is_needed(device: Device, item: int | bytes) -> bool:
        if isinstance(item, int):
            return True
        return parse_envelope(item).header.pre.device == device.keys.device

    @staticmethod
    def _is_early(device: Device, item: int | bytes) -> bool:
        view = device.reader.kept.view
        if view is None or isinstance(item, int):
            return True
        return parse_envelope(item).header.pre.epoch > view.epoch

    def catch_up(self, device: Device) -> None:
        while device.pending:
            self._deliver(device, 0)

    # Who is there

    def present(self) -> list[Device]:
        """The devices of the newest roster."""
        senders = senders_of(self.newest.roster, self.trust)
        return [device for device in self.devices if device.keys.device in senders]

    def row_of(self, name: str) -> Member | None:
        return find_member(self.newest.roster, self.cast.people[name].user)

    def by(self, device: Device) -> Committer:
        """The device, ready to commit: it knows the head, and perhaps not every message."""
        self._follow(device)
        closing = device.reader.kept.epochs.get(self.newest.epoch)
        prekeys = {one.keys.device: one.prekey for one in self.devices}
        return Committer(device.keys, self.known_lists, prekeys, NOW, closing=closing)

    def _commit(self, device: Device, make: Callable[..., Commit], *what: object) -> None:
        self._append(make(self.newest, *what, self.by(device)))
