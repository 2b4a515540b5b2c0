"""Three people with two devices each in one room: whatever is drawn happens, and is written down.

Steps take numbers, not things, so that a drawn sequence always means something: a number picks one
of what there is. frontend/tests/crypto/model.ts is the twin; see model_reader.py for the trace.
"""

from dataclasses import replace

from crypto_client.body import text_body
from crypto_client.committing import (
    commit_add,
    commit_refresh,
    commit_remove,
    commit_rotation,
)
from crypto_client.device_list import SignedDeviceList, list_with, list_without, parse_device_list
from crypto_client.encoding import encode_base64url as b64
from crypto_client.envelope import parse_envelope, seal_message
from crypto_client.roster import Roster
from crypto_client.statements import make_leave
from crypto_client.vectors.cast import NOW
from tests.crypto_client.model_reader import (
    COMMIT_PARTS,
)
from tests.crypto_client.model_room import NAMES, Device, ModelRoom, pick


class Model(ModelRoom):
    """A room in which people do what is drawn, over a network that does what is drawn."""

    # What people do

    def send(self, who: int) -> None:
        device = pick(who, self.present())
        self._follow(device)
        state = device.reader.kept.epochs[self.newest.epoch]
        number = len(self.texts)
        text, msg_id = f"number {number}", number.to_bytes(16, "big")
        sealed = seal_message(state, device.keys, text_body(text), msg_id=msg_id, time=NOW)
        self.texts[device.keys.device, msg_id] = text
        self._append(sealed.envelope)
        self._deliver(device, len(device.pending) - 1)

    def rotate(self, who: int) -> None:
        self._commit(pick(who, self.present()), commit_rotation)

    def add(self, who: int) -> None:
        absent = [name for name in NAMES if self.row_of(name) is None]
        if absent:
            self._commit(self._admin(), commit_add, [self.lists[pick(who, absent)]])

    def remove(self, who: int) -> None:
        members = [name for name in NAMES[1:] if self.row_of(name) is not None]
        if members:
            self._commit(self._admin(), commit_remove, self.cast.people[pick(who, members)].user)

    def leave(self, who: int) -> None:
        """Somebody leaves with a statement, and another person's device commits it."""
        leavers = [one for one in self.present() if one.owner != "alice"]
        if not leavers:
            return
        leaver = pick(who, leavers)
        row = self.row_of(leaver.owner)
        if row is None:
            return
        others = [one for one in self.present() if one.owner != leaver.owner]
        statement = make_leave(leaver.keys, self.room, row.joined_epoch)
        by = self.by(pick(who, others))
        self._append(commit_remove(self.newest, row.user, by, statement))

    def _admin(self) -> Device:
        return next(one for one in self.present() if one.owner == "alice")

    def link(self, who: int) -> None:
        """A person's second device is listed, and brings itself in where the person is a member."""
        single = [name for name in NAMES if parse_device_list(self.lists[name].data).version == 1]
        if single:
            name = pick(who, single)
            new = self._devices_of(name)[1]
            account = self.cast.people[name].account
            self._publish(name, list_with(account, self.lists[name], new.keys.entry(), time=NOW))
            self._refresh(name, new)

    def revoke(self, who: int) -> None:
        """One of two devices is dropped from the list; the other one commits that."""
        double = [name for name in NAMES if parse_device_list(self.lists[name].data).version == 2]
        if double:
            name = pick(who, double)
            lost = pick(who // 3, self._devices_of(name))
            (other,) = (one for one in self._devices_of(name) if one is not lost)
            account = self.cast.people[name].account
            rest = list_without(account, self.lists[name], lost.keys.device, time=NOW)
            self._publish(name, rest)
            self._refresh(name, other)

    def _devices_of(self, name: str) -> list[Device]:
        return [device for device in self.devices if device.owner == name]

    def _publish(self, name: str, signed: SignedDeviceList) -> None:
        self.lists[name] = signed
        self.known_lists[signed.list_hash] = signed

    def _refresh(self, name: str, by: Device) -> None:
        if self.row_of(name) is not None:
            self._commit(by, commit_refresh, [self.lists[name]])

    # What the network and the machines do

    def race(self, one: int, other: int) -> None:
        """Two devices commit on one head: one wins, and the loser's commit is shown to somebody."""
        present = self.present()
        first, second = pick(one, present), pick(other, present)
        lost = commit_rotation(self.newest, self.by(second))
        self._commit(first, commit_rotation)
        reader = pick(one + other, self.present())
        self._follow(reader)
        parts = {name: b64(getattr(lost, name)) for name in COMMIT_PARTS}
        wraps = [[b64(device), b64(wrap)] for device, wrap in lost.wraps.items()]
        self.trace["commits"].append({**parts, "wraps": wraps})
        assert self._bring(reader, len(self.trace["commits"]) - 1) == ["fork"]

    def deliver(self, who: int, at: int) -> None:
        device = pick(who, self.devices)
        if device.pending:
            self._deliver(device, at % len(device.pending))

    def repeat(self, who: int, at: int) -> None:
        self._bring(pick(who, self.devices), pick(at, self.log))

    def drop(self, who: int, at: int) -> None:
        """A message does not get through, for now; a client fetches commits until it has them."""
        device = pick(who, self.devices)
        lost = [one for one in device.pending if not self._is_needed(device, self.log[one])]
        if lost:
            device.pending.remove(pick(at, lost))

    def keep(self, who: int) -> None:
        device = pick(who, self.devices)
        device.backups.append(device.reader.store())
        self.trace["steps"].append({"device": device.at, "keep": True, "came": ["kept"]})

    def restart(self, who: int, at: int) -> None:
        """A device comes back with an older store, and is given the whole log again."""
        device = pick(who, self.devices)
        chosen = at % len(device.backups)
        device.reader.kept = replace(device.backups[chosen])
        device.reader.kept = device.reader.store()
        device.pending = list(range(len(self.log)))
        step = {"device": device.at, "back_to": chosen, "came": ["back"]}
        self.trace["steps"].append(step)

    # What must hold

    def check(self) -> None:
        """Equal chains are equal rosters, no outsider opens an epoch, and words are true."""
        rosters: dict[bytes, Roster] = {}
        for device in self.devices:
            kept = device.reader.kept
            if kept.view is not None:
                assert rosters.setdefault(kept.view.head, kept.view.roster) == kept.view.roster
            for epoch in kept.epochs.values():
                assert device.keys.device in epoch.chains
            assert kept.shown.items() <= self.texts.items()

    def finish(self) -> None:
        """Everybody gets the whole log: what was written to a device that was in is readable."""
        for device in self.devices:
            device.pending = list(range(len(self.log)))
            self.catch_up(device)
            for item in self.log:
                if isinstance(item, bytes):
                    self._is_readable(device, item)
        self.check()

    def _is_readable(self, device: Device, envelope: bytes) -> None:
        pre = parse_envelope(envelope).header.pre
        epoch = device.reader.kept.epochs.get(pre.epoch)
        if epoch is None:
            return
        cut = epoch.chains[pre.device].cut
        is_after_the_end = cut is not None and pre.n >= cut
        assert is_after_the_end or (pre.device, pre.msg_id) in device.reader.kept.shown
