"""What a room's epochs and its past cost in Python."""

import os
import time
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.results import Result, percentiles, timed
from crypto_client.body import text_body
from crypto_client.commit import Commit, PrekeySource, parse_core
from crypto_client.committing import Committer, commit_rotation, create_group
from crypto_client.device_list import SignedDeviceList, first_device_list
from crypto_client.envelope import seal_message
from crypto_client.epoch import ReadLists, Trust
from crypto_client.identity import DeviceKeys, new_account, new_device
from crypto_client.opening import open_message
from crypto_client.prekeys import SignedPrekey, new_prekey
from crypto_client.ratchet import EpochState
from crypto_client.receiving import Received, receive_commit

STACK = "python"
# BENCH_DEVICES=10,20 measures smaller rooms; there are two devices to a person.
DEVICES = [int(size) for size in os.environ.get("BENCH_DEVICES", "100,1000,2000").split(",")]
RUNS = 5
MESSAGES = 1000


@dataclass(frozen=True)
class Person:
    """An account with two devices; the first one's prekey seed is kept."""

    keys: DeviceKeys
    devices: SignedDeviceList
    prekeys: dict[bytes, SignedPrekey]
    source: PrekeySource


def _person() -> Person:
    user, now = os.urandom(16), _now()
    account = new_account(user)
    keys = [new_device(user, account.public, now) for _ in range(2)]
    entries = [device.entry() for device in keys]
    devices = first_device_list(account, entries, time=now, bk_pub=bytes(1216))
    made = [new_prekey(device, seq=1, created=now) for device in keys]
    prekeys = {device.device: prekey for device, (_, prekey) in zip(keys, made, strict=True)}
    seed, prekey = made[0]
    source = PrekeySource(user, keys[0].device, {prekey.prekey_hash: seed})
    return Person(keys[0], devices, prekeys, source)


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Room:
    """A group of so many devices, its first two people, and its trust."""

    by: Committer
    reader: Person
    trust: Trust
    first: Commit

    def receive(self, commit: Commit, before: Received | None) -> Received:
        """What the second person's first device makes of a commit, with its own wrap alone."""
        device = self.reader.keys.device
        own = replace(commit, prekeys=b"", wraps={device: commit.wraps[device]})
        return receive_commit(
            before.view if before else None,
            own,
            room=parse_core(commit.core).room,
            trust=self.trust,
            source=self.reader.source,
        )

    def restarted(self) -> "Room":
        """The same reader, with nothing in memory of the lists it has read."""
        return replace(self, trust=replace(self.trust, read=ReadLists()))


def _room(devices: int) -> Room:
    people = [_person() for _ in range(devices // 2)]
    lists = {person.devices.list_hash: person.devices for person in people}
    prekeys = {device: prekey for person in people for device, prekey in person.prekeys.items()}
    by = Committer(people[0].keys, lists, prekeys, _now())
    first = create_group(by, [person.devices for person in people], title="bench")
    pins = {person.keys.user: person.keys.amk_pub for person in people}
    return Room(by, people[1], Trust(lists, pins), first)


def epoch_commits() -> list[Result]:
    """Making a commit for rooms of growing size, and reading it on one device."""
    found = []
    for devices in DEVICES:
        room = _room(devices)
        before = room.receive(room.first, None)
        make = partial(commit_rotation, before.view, room.by)
        commit = make()
        read = partial(room.receive, commit, before)
        first = partial(_first_after_a_start, room, commit, before)
        for what, work in (("commit", make), ("receive", read), ("receive first", first)):
            metric = f"{what} for {devices:,} devices"
            found += percentiles("epochs", STACK, metric, timed(work, RUNS))
    return found


def _first_after_a_start(room: Room, commit: Commit, before: Received) -> None:
    room.restarted().receive(commit, before)


def opening_the_past() -> list[Result]:
    """A thousand stored messages of 200 bytes by one sender, opened one after the other."""
    room = _room(4)
    epoch = room.receive(room.first, None).epoch
    if epoch is None:
        raise RuntimeError("the epoch does not open")
    envelopes = _sealed(epoch, room.reader.keys)
    return percentiles(
        "past", STACK, f"open {MESSAGES:,}", timed(partial(_open, envelopes, epoch), 3)
    )


def _sealed(epoch: EpochState, keys: DeviceKeys) -> list[bytes]:
    body, envelopes = text_body("x" * 200), []
    for _ in range(MESSAGES):
        sealed = seal_message(epoch, keys, body, msg_id=os.urandom(16), time=_now())
        envelopes.append(sealed.envelope)
        epoch = sealed.epoch
    return envelopes


def _open(envelopes: list[bytes], epoch: EpochState | None) -> None:
    room = epoch.room if epoch else b""
    for envelope in envelopes:
        epoch = open_message(envelope, epoch, room=room).epoch
