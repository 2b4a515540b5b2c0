"""Devices that read what a trace brings them; frontend/tests/crypto/model_reader.ts is the twin.

A trace is what happened in one room: lists, pins, devices with their prekey seeds, commits, and
steps. Each step brings one device a commit or an envelope, or sends it back to an older store,
and says what came of it. Whoever replays a trace must come to the same.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crypto_client.commit import Commit, PrekeySource
from crypto_client.encoding import decode_base64url as raw
from crypto_client.encoding import encode_base64url as b64
from crypto_client.envelope import parse_envelope
from crypto_client.epoch import ReadLists, RoomView, Trust
from crypto_client.errors import ProtocolError
from crypto_client.opening import Known, Message, open_message
from crypto_client.ratchet import EpochState, close_epoch
from crypto_client.receiving import Received, receive_commit
from crypto_client.roster import roster_hash
from crypto_client.vectors.replay_objects import read_signed

Trace = dict[str, Any]
Came = list[Any]
COMMIT_PARTS = ("core", "tag", "sig", "ops", "state", "prekeys")


@dataclass
class Kept:
    """What a device has in its store."""

    view: RoomView | None = None
    epochs: dict[int, EpochState] = field(default_factory=dict)
    by_id: dict[tuple[bytes, bytes], Known] = field(default_factory=dict)
    by_n: dict[tuple[bytes, int, int], Known] = field(default_factory=dict)
    shown: dict[tuple[bytes, bytes], str | None] = field(default_factory=dict)


@dataclass
class Reader:
    """One device and its store; every step is one transaction."""

    room: bytes
    trust: Trust
    source: PrekeySource
    kept: Kept = field(default_factory=Kept)
    few: ReadLists = field(default_factory=lambda: ReadLists(limit=2))

    def receive(self, commit: Commit) -> Came:
        """Take a commit with the own wrap: outcome, place, head, roster, chains."""
        received = self._received(commit, self.trust)
        # What was read of lists before decides nothing, however much of it is still there.
        for read in (ReadLists(), self.few):
            assert received == self._received(commit, replace(self.trust, read=read))
        if isinstance(received, str):
            return [received]
        if received.ignored:
            return ["ignored"]
        closing = self.kept.epochs.get(received.view.epoch - 1)
        if closing is not None and received.cuts:
            self.kept.epochs[closing.epoch] = close_epoch(closing, received.cuts)
        if received.epoch is not None:
            self.kept.epochs[received.view.epoch] = received.epoch
        self.kept.view = received.view
        return _came_of(received)

    def _received(self, commit: Commit, trust: Trust) -> Received | str:
        view, source = self.kept.view, self.source
        try:
            return receive_commit(view, commit, room=self.room, trust=trust, source=source)
        except ProtocolError as error:
            return error.outcome

    def open(self, envelope: bytes) -> Came:
        """Take an envelope: outcome, and the text when it opened."""
        kept = self.kept
        state = kept.epochs.get(parse_envelope(envelope).header.pre.epoch)
        try:
            opened = open_message(envelope, state, room=self.room, index=self)
        except ProtocolError as error:
            return [error.outcome]
        if opened.message is None or opened.epoch is None:
            return ["known"]
        kept.epochs[opened.epoch.epoch] = opened.epoch
        if opened.again:
            return ["again"]
        if opened.outcome == "ok":
            self.remember(opened.message)
        return [opened.outcome, opened.message.body.text]

    def remember(self, message: Message) -> None:
        pre = message.pre
        known = Known(message.eid, message.body.data, message.key)
        self.kept.by_id[pre.device, pre.msg_id] = known
        self.kept.by_n[pre.device, pre.epoch, pre.n] = known
        self.kept.shown[pre.device, pre.msg_id] = message.body.text

    def store(self) -> Kept:
        """A copy of the store, as a backup of the profile would be."""
        return copy.deepcopy(self.kept)

    def has(self, eid: bytes) -> bool:
        return any(known.eid == eid for known in self.kept.by_id.values())

    def by_id(self, device: bytes, msg_id: bytes) -> Known | None:
        return self.kept.by_id.get((device, msg_id))

    def by_counter(self, device: bytes, epoch: int, n: int) -> Known | None:
        return self.kept.by_n.get((device, epoch, n))


def _came_of(received: Received) -> Came:
    view, epoch = received.view, received.epoch
    chains = {} if epoch is None else epoch.chains
    keys = [[b64(device), b64(chains[device].key)] for device in sorted(chains)]
    cuts = [[b64(device), n] for device, n in sorted(received.cuts.items())]
    return [received.outcome, view.epoch, b64(view.head), b64(roster_hash(view.roster)), keys, cuts]


def commit_for(given: Mapping[str, Any], device: bytes) -> Commit:
    """A commit of a trace with one device's wrap, as a server hands it out."""
    wraps = {raw(owner): raw(wrap) for owner, wrap in given["wraps"] if raw(owner) == device}
    core, tag, sig, ops, state, prekeys = (raw(given[name]) for name in COMMIT_PARTS)
    return Commit(core, tag, sig, ops, state, prekeys, wraps)


def replay(trace: Trace) -> list[Came]:
    """Let every device of a trace take its steps; gives what came of each."""
    lists = [read_signed(item) for item in trace["lists"]]
    pins = {raw(user): raw(amk_pub) for user, amk_pub in trace["pins"]}
    trust = Trust({signed.list_hash: signed for signed in lists}, pins)
    readers = []
    for one in trace["devices"]:
        seeds = {raw(prekey_hash): raw(seed) for prekey_hash, seed in one["prekeys"]}
        source = PrekeySource(raw(one["user"]), raw(one["device"]), seeds)
        readers.append(Reader(raw(trace["room"]), trust, source))
    backups: dict[int, list[Kept]] = {at: [Kept()] for at in range(len(readers))}
    return [_step(readers, backups, trace, step) for step in trace["steps"]]


def _step(
    readers: list[Reader], backups: dict[int, list[Kept]], trace: Trace, step: Mapping[str, Any]
) -> Came:
    reader: Reader = readers[step["device"]]
    if "commit" in step:
        given = trace["commits"][step["commit"]]
        return reader.receive(commit_for(given, reader.source.device))
    if "envelope" in step:
        return reader.open(raw(step["envelope"]))
    if "back_to" in step:
        reader.kept = copy.deepcopy(backups[step["device"]][step["back_to"]])
        return ["back"]
    backups[step["device"]].append(reader.store())
    return ["kept"]
