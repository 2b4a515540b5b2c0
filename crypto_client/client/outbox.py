"""Messages on their way out. A text is on disk before anything else happens, until the log has it.

The same bytes are sent again while their epoch is the head; when it is not, the same message id is
sealed again with a new counter (docs/protocol.md §8.2). A counter is reserved on disk before its
envelope leaves.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from crypto_client.body import write_body
from crypto_client.client.failures import Ended, Refused, TimedOut, Unverified
from crypto_client.client.inbox import Inbox
from crypto_client.client.keys import now_ms
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import JSON, b64
from crypto_client.client.socket import Socket
from crypto_client.client.store import Store
from crypto_client.client.taking_back import (
    forget,
    is_answer,
    is_given_up,
    leaves_again,
    note_refusal,
)
from crypto_client.committing import commit_rotation
from crypto_client.envelope import CLASS_MESSAGE, CLASS_SILENT, seal_message
from crypto_client.epoch import RoomView
from crypto_client.errors import PinMismatchError
from crypto_client.own_room import Note
from crypto_client.primitives import system_random
from crypto_client.ratchet import EpochState, should_rotate
from crypto_client.roster import find_member

ATTEMPTS = 8
COMMITS_FOR_ONE = 3
HEALED_BY_COMMIT = {"stale_epoch", "header_mismatch"}
FINAL = {"not_found", "forbidden", "room_deleted", "envelope", "invalid", "id_reused"}


@dataclass(frozen=True)
class Sealing:
    """Bytes to send. ``is_first``: as far as anybody can know they have not left before."""

    envelope: bytes
    epoch: int
    n: int
    is_first: bool


class Outbox:
    """The waiting messages of this device."""

    def __init__(self, store: Store, rooms: Rooms, inbox: Inbox, socket: Socket) -> None:
        self.store = store
        self.rooms = rooms
        self.inbox = inbox
        self.socket = socket

    def keep(self, room: bytes, text: str) -> bytes:
        """Put a text on disk; returns its message id, which it keeps for ever."""
        return self._put(room, text)

    def keep_note(self, room: bytes, note: Note) -> bytes:
        """Put a note for the own room on disk; returns its message id."""
        with self.store.transaction():
            message = self._put(room, "")
            members = json.dumps(note.members())
            self.store.run("INSERT INTO waiting_notes VALUES (?, ?)", message, members)
        return message

    def _put(self, room: bytes, text: str) -> bytes:
        message = system_random(16)
        self.store.run(
            "INSERT INTO outbox (message, room, text, created_ms, state)"
            " VALUES (?, ?, ?, ?, 'waiting')",
            message,
            room,
            text,
            now_ms(),
        )
        return message

    def waiting(self) -> list[bytes]:
        """Messages that the log does not have yet, oldest first, without the refused ones."""
        sql = "SELECT message FROM outbox WHERE state != 'failed' ORDER BY created_ms, rowid"
        return [row["message"] for row in self.store.rows(sql)]

    def deliver(self, message: bytes) -> None:
        """Have the server accept a message; a refusal for good is remembered as ``failed``."""
        row = self.store.row("SELECT * FROM outbox WHERE message = ?", message)
        if row is None or is_given_up(self.store, message):
            return
        for _ in range(ATTEMPTS):
            try:
                self._send(row["room"], message, row["text"])
                return
            except Ended:
                raise  # its code is about the session, not about the message
            except Refused as refusal:
                if refusal.code in HEALED_BY_COMMIT:
                    self.rooms.heal(row["room"])
                    self.rooms.follow(row["room"])
                elif refusal.code in FINAL:
                    self._fail(message, refusal.code)
                    return
                else:
                    raise
        raise TimedOut("stale_epoch")

    def _send(self, room: bytes, message: bytes, text: str) -> None:
        sealing = self._sealing(room, message, text)
        room_id = str(uuid.UUID(bytes=room))
        try:
            reply = self.socket.ask("message.send", room_id=room_id, envelope=b64(sealing.envelope))
        except Refused as refusal:
            if sealing.is_first and is_answer(refusal):
                note_refusal(self.store, message, sealing.epoch, sealing.n)
            raise
        if reply["state"] == "accepted":
            self.store.run("UPDATE outbox SET state = 'accepted' WHERE message = ?", message)

    def _sealing(self, room: bytes, message: bytes, text: str) -> Sealing:
        view, epoch = self._head(room)
        sql = (
            "SELECT envelope, n FROM attempts WHERE message = ? AND epoch = ?"
            " ORDER BY n DESC LIMIT 1"
        )
        attempt = self.store.row(sql, message, epoch.epoch)
        if attempt is not None:
            is_first = leaves_again(self.store, message, epoch.epoch, attempt["n"])
            return Sealing(bytes(attempt["envelope"]), epoch.epoch, attempt["n"], is_first)
        if view.unsettled:
            raise PinMismatchError("a changed account key that nobody has looked at")
        if not self.rooms.may_seal(view):
            raise Refused("stale_epoch")
        return self._seal(epoch, room, message, text)

    def _head(self, room: bytes) -> tuple[RoomView, EpochState]:
        """The epoch to write in; a new one where this one is used up or does not open here.

        A server that withholds wraps could make this go on for ever, so ``epoch_unusable`` ends it.
        """
        self.rooms.demand_verified(room)
        for _ in range(COMMITS_FOR_ONE):
            view = self.rooms.view(room)
            if view is None or find_member(view.roster, self.rooms.keyring.device.user) is None:
                raise Refused("forbidden")
            epoch = self.rooms.epoch(room, view.epoch)
            if epoch is None or not epoch.opened or self._used_up(epoch):
                self.rooms.commit(room, commit_rotation)
            elif not (view.title_due and self._told(room)):
                return view, epoch
        raise Unverified("epoch_unusable")

    def _told(self, room: bytes) -> bool:
        """Begin an epoch that carries the title (§6.4), unless the server wants no more commits."""
        try:
            self.rooms.commit(room, commit_rotation)
        except Refused as refusal:
            if refusal.code != "rate_limited":
                raise
            return False
        return True

    def _used_up(self, epoch: EpochState) -> bool:
        device = self.rooms.keyring.device.device
        received = self.rooms.received_ms(epoch.room, epoch.epoch)
        return should_rotate(epoch, device, received=received, now=now_ms())

    def _seal(self, epoch: EpochState, room: bytes, message: bytes, text: str) -> Sealing:
        void = self._voids(room, message)
        seen, kt = self.inbox.log.newest(room), self.rooms.keyring.key_log.claim()
        members, message_class = self._words(message, text)
        body = write_body(members, seen=seen, void=void, kt=kt)
        keys = self.rooms.keyring.device
        sealed = seal_message(
            epoch, keys, body, msg_id=message, time=now_ms(), message_class=message_class
        )
        with self.store.transaction():
            self.rooms.save_epoch(sealed.epoch)
            self.store.run(
                "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?)",
                message,
                epoch.epoch,
                sealed.n,
                sealed.eid,
                sealed.envelope,
                body,
            )
            for told_epoch, n in void:
                sql = "UPDATE voids SET told_in = ? WHERE room = ? AND epoch = ? AND n = ?"
                self.store.run(sql, message, room, told_epoch, n)
        return Sealing(sealed.envelope, epoch.epoch, sealed.n, is_first=True)

    def _words(self, message: bytes, text: str) -> tuple[JSON, int]:
        """What a body says before anything is attached, and whether it counts as a message."""
        row = self.store.row("SELECT members FROM waiting_notes WHERE message = ?", message)
        if row is None:
            return {"type": "text", "text": text}, CLASS_MESSAGE
        return json.loads(row["members"]), CLASS_SILENT

    def _voids(self, room: bytes, message: bytes) -> tuple[tuple[int, int], ...]:
        rows = self.store.rows(
            "SELECT epoch, n FROM voids WHERE room = ?"
            " AND (told_in IS NULL OR told_in = ?) LIMIT 256",
            room,
            message,
        )
        return tuple((row["epoch"], row["n"]) for row in rows)

    def stored(self, room: bytes, message: bytes, eid: bytes) -> None:
        """The log has a message of this device: note the counters of other attempts, let it go."""
        with self.store.transaction():
            others = self.store.rows(
                "SELECT epoch, n FROM attempts WHERE message = ? AND eid != ?", message, eid
            )
            for row in others:
                sql = "INSERT OR IGNORE INTO voids (room, epoch, n) VALUES (?, ?, ?)"
                self.store.run(sql, room, row["epoch"], row["n"])
            self.store.run("DELETE FROM voids WHERE told_in = ?", message)
            forget(self.store, message)

    def refused(self, message: bytes, code: str) -> None:
        """An accepted message can never be stored: heal a reused counter, else it has failed."""
        row = self.store.row("SELECT room FROM outbox WHERE message = ?", message)
        if row is None or is_given_up(self.store, message):
            return
        if code == "counter_reused":
            self.rooms.commit(row["room"], commit_rotation)
            self.deliver(message)
        else:
            self._fail(message, code)

    def _fail(self, message: bytes, code: str) -> None:
        sql = "UPDATE outbox SET state = 'failed', failure = ? WHERE message = ?"
        self.store.run(sql, code, message)

    def again(self, message: bytes) -> JSON:
        """Try a refused message again; gives where it is then."""
        sql = "UPDATE outbox SET state = 'waiting', failure = '' WHERE message = ?"
        self.store.run(sql + " AND state = 'failed'", message)
        self.deliver(message)
        return self.state(message)

    def state(self, message: bytes) -> JSON:
        """Where a message is: waiting, accepted, stored or failed."""
        row = self.store.row("SELECT state, failure, room FROM outbox WHERE message = ?", message)
        if row is not None:
            return _state(row["room"], message, row["state"], None, row["failure"])
        stored = self.store.row("SELECT room, seq FROM messages WHERE message = ?", message)
        if stored is None:
            return {"message_id": str(uuid.UUID(bytes=message)), "state": "unknown"}
        return _state(stored["room"], message, "stored", stored["seq"], "")


def _state(room: bytes, message: bytes, state: str, seq: Any, failure: str) -> JSON:
    row: JSON = {
        "room_id": str(uuid.UUID(bytes=room)),
        "message_id": str(uuid.UUID(bytes=message)),
        "state": state,
    }
    if seq is not None:
        row["seq"] = seq
    if failure:
        row["failure"] = failure
    return row
