"""Opening what arrives: one durable transaction for all that belongs together, then it is shown."""

import json
from dataclasses import dataclass

from crypto_client.body import parse_body
from crypto_client.client.due import revoked_devices
from crypto_client.client.log import Log
from crypto_client.client.own_room import collect_note
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import JSON, unb64
from crypto_client.client.store import Store
from crypto_client.envelope import Envelope, parse_envelope
from crypto_client.errors import (
    EpochGapError,
    ForkError,
    LogForkError,
    ProtocolError,
    ReferenceMissingError,
)
from crypto_client.log_hash import event_hash
from crypto_client.opening import Known, Opened, open_message
from crypto_client.primitives import h


@dataclass(frozen=True)
class Arrival:
    """An envelope as the server handed it over; ``seq`` is None while it is only live."""

    room: bytes
    envelope: bytes
    seq: int | None
    accepted_ms: int
    key_id: int
    stamp: bytes

    @staticmethod
    def of(room: bytes, frame: JSON) -> "Arrival":
        """Read a ``message.live`` frame or a stored item."""
        envelope, stamp = unb64(frame["envelope"]), unb64(frame["stamp"])
        return Arrival(
            room, envelope, frame.get("seq"), frame["accepted_ms"], frame["key_id"], stamp
        )


class Inbox:
    """What this device has opened."""

    def __init__(self, store: Store, rooms: Rooms) -> None:
        self.store = store
        self.rooms = rooms
        self.log = Log(store)

    def item(self, room: bytes, item: JSON) -> None:
        """Take one item of the log, in its order."""
        if item["kind"] == "message":
            arrival = Arrival.of(room, item)
            self.message(arrival)
            eid = h("envelope", arrival.envelope)
            self._extend_log(room, item["seq"], eid)
            self._compare(room, item["seq"], eid)
            collect_note(self.rooms, room, item["seq"], eid)
            return
        item_hash = (
            unb64(item["hash"]) if item["kind"] == "commit" else event_hash(unb64(item["event"]))
        )
        detail: JSON = {name: item[name] for name in ("kind", "epoch") if name in item}
        self._note(room, item["seq"], detail)
        self._extend_log(room, item["seq"], item_hash)

    def is_ahead(self, room: bytes, item: JSON) -> bool:
        """Whether an item of the log speaks of an epoch that is not known here."""
        try:
            epoch = _epoch_of(item)
        except ProtocolError:
            return False
        return epoch is not None and not self.rooms.knows_epoch(room, epoch)

    def _extend_log(self, room: bytes, seq: int, item_hash: bytes) -> None:
        if not self.log.extend(room, seq, item_hash):
            self.rooms.mark_trouble(room, LogForkError.outcome)

    def _note(self, room: bytes, seq: int, detail: JSON) -> None:
        sql = "INSERT OR IGNORE INTO events VALUES (?, ?, ?)"
        self.store.run(sql, room, seq, json.dumps(detail))

    def _compare(self, room: bytes, place: int, eid: bytes) -> None:
        """Compare the log hash that a stored message asserts: its place is known only now."""
        sql = "SELECT body FROM messages WHERE room = ? AND eid = ? AND body IS NOT NULL"
        row = self.store.row(sql, room, eid)
        seen = parse_body(row["body"]).seen if row is not None else None
        if not self.log.compare(room, seen, place=place):
            self.rooms.mark_trouble(room, LogForkError.outcome)

    def message(self, arrival: Arrival) -> None:
        """Open a live or stored message; of two with one id only the stored one counts.

        What does not open is kept with its outcome when stored, and dropped when only live.
        """
        try:
            envelope = parse_envelope(arrival.envelope)
            if envelope.header.pre.room != arrival.room:
                raise ReferenceMissingError("a message of another room")
            if not self._known(arrival, envelope) and not self._own(arrival, envelope):
                self._open(arrival, envelope)
        except ProtocolError as error:
            if isinstance(error, ForkError):
                self.rooms.mark_trouble(arrival.room, error.outcome)
            if arrival.seq is not None:
                self._keep_unreadable(arrival, error.outcome)

    def retry(self, room: bytes) -> None:
        """Open what came before the commit of its epoch did (docs/protocol.md §8.4, step 2)."""
        sql = "SELECT * FROM messages WHERE room = ? AND outcome = ? ORDER BY seq"
        for row in self.store.rows(sql, room, EpochGapError.outcome):
            if self.rooms.epoch(room, row["epoch"]) is None:
                continue
            stamped = (row["accepted_ms"], row["key_id"], row["stamp"])
            with self.store.transaction():
                self.store.run("DELETE FROM messages WHERE room = ? AND eid = ?", room, row["eid"])
                self.message(Arrival(room, row["envelope"], row["seq"], *stamped))
                self._compare(room, row["seq"], row["eid"])

    def _known(self, arrival: Arrival, envelope: Envelope) -> bool:
        """A message stays where the log first put it, however often it is handed out again."""
        sql = "UPDATE messages SET seq = coalesce(seq, ?) WHERE room = ? AND eid = ?"
        return bool(self.store.run(sql, arrival.seq, arrival.room, envelope.eid))

    def _own(self, arrival: Arrival, envelope: Envelope) -> bool:
        """Own messages are not opened: their body is in the outbox, their key has been used."""
        row = self.store.row("SELECT a.n, a.body FROM attempts a WHERE a.eid = ?", envelope.eid)
        if row is None:
            return False
        self._keep(arrival, envelope, row["body"], None, "ok")
        return True

    def _open(self, arrival: Arrival, envelope: Envelope) -> None:
        pre = envelope.header.pre
        state = self.rooms.epoch(arrival.room, pre.epoch)
        if state is None and arrival.seq is None:
            self.rooms.follow(arrival.room)
            state = self.rooms.epoch(arrival.room, pre.epoch)
        index = Index(self.store, arrival.room)
        revoked = revoked_devices(self.rooms.view(arrival.room), self.rooms.keyring)
        with self.store.transaction():
            opened = open_message(
                arrival.envelope, state, room=arrival.room, index=index, revoked=revoked
            )
            self._settle(arrival, envelope, opened)

    def _settle(self, arrival: Arrival, envelope: Envelope, opened: Opened) -> None:
        """Keep what opened. Of two copies under one id the one that was stored first counts.

        A live second copy moves no chain: its key would be kept nowhere, and the log may still
        store just this one.
        """
        message = opened.message
        if message is None or opened.epoch is None:
            return
        if arrival.seq is None and (opened.again or opened.outcome != "ok"):
            return
        self.rooms.save_epoch(opened.epoch)
        self.rooms.keyring.key_log.compare(
            message.body.kt, room=arrival.room, message=message.pre.msg_id
        )
        if arrival.seq is not None and self._has_stored(arrival, envelope):
            if opened.outcome != "ok":
                self._flag(arrival, envelope, opened.outcome)
            return
        self._keep(arrival, envelope, message.body.data, message.key, opened.outcome)

    def _has_stored(self, arrival: Arrival, envelope: Envelope) -> bool:
        return self._taken(arrival, envelope, "seq IS NOT NULL AND body IS NOT NULL")

    def _taken(self, arrival: Arrival, envelope: Envelope, how: str) -> bool:
        pre = envelope.header.pre
        sql = f"SELECT 1 FROM messages WHERE room = ? AND device = ? AND message = ? AND {how}"  # noqa: S608 (our own words)
        return self.store.row(sql, arrival.room, pre.device, pre.msg_id) is not None

    def _flag(self, arrival: Arrival, envelope: Envelope, outcome: str) -> None:
        pre = envelope.header.pre
        sql = "UPDATE messages SET outcome = ? WHERE room = ? AND device = ? AND message = ?"
        self.store.run(sql, outcome, arrival.room, pre.device, pre.msg_id)

    def _keep(
        self,
        arrival: Arrival,
        envelope: Envelope,
        body: bytes | None,
        key: bytes | None,
        outcome: str,
    ) -> None:
        pre = envelope.header.pre
        self.store.run(
            "INSERT OR REPLACE INTO messages (room, device, message, seq, epoch, n, eid, envelope,"
            " sender, body, key, outcome, accepted_ms, key_id, stamp)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            arrival.room,
            pre.device,
            pre.msg_id,
            arrival.seq,
            pre.epoch,
            pre.n,
            envelope.eid,
            arrival.envelope,
            pre.user,
            body,
            key,
            outcome,
            arrival.accepted_ms,
            arrival.key_id,
            arrival.stamp,
        )

    def _keep_unreadable(self, arrival: Arrival, outcome: str) -> None:
        """Note a place that does not open. Its header is only a claim: it replaces no message."""
        try:
            envelope = parse_envelope(arrival.envelope)
        except ProtocolError:
            envelope = None
        if envelope is not None and not self._taken(arrival, envelope, "body IS NOT NULL"):
            self._keep(arrival, envelope, None, None, outcome)
        elif arrival.seq is not None:
            self._note(arrival.room, arrival.seq, {"kind": "unreadable", "outcome": outcome})


def _epoch_of(item: JSON) -> int | None:
    if item["kind"] == "message":
        return parse_envelope(unb64(item["envelope"])).header.pre.epoch
    epoch: int | None = item.get("epoch")
    return epoch


class Index:
    """What is known in one room, for `open_message`."""

    def __init__(self, store: Store, room: bytes) -> None:
        self.store = store
        self.room = room

    def has(self, eid: bytes) -> bool:
        """Whether this very envelope was opened."""
        sql = "SELECT 1 FROM messages WHERE room = ? AND eid = ? AND body IS NOT NULL"
        return self.store.row(sql, self.room, eid) is not None

    def by_id(self, device: bytes, msg_id: bytes) -> Known | None:
        """The message of a device under an id, its key let go perhaps."""
        sql = "SELECT eid, body, key FROM messages WHERE room = ? AND device = ? AND message = ?"
        row = self.store.row(f"{sql} AND body IS NOT NULL", self.room, device, msg_id)
        return Known(row["eid"], row["body"], row["key"] or b"") if row else None

    def by_counter(self, device: bytes, epoch: int, n: int) -> Known | None:
        """The message of a device under a counter."""
        return self._known("device = ? AND epoch = ? AND n = ?", device, epoch, n)

    def _known(self, where: str, *values: object) -> Known | None:
        opened = "SELECT eid, body, key FROM messages WHERE room = ? AND key IS NOT NULL"
        row = self.store.row(f"{opened} AND {where}", self.room, *values)
        return Known(row["eid"], row["body"], row["key"]) if row else None
