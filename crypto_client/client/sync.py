"""Staying up to date: everything from the log by cursor, then what is pushed, each thing once.

Fan-out is a hint. Whatever it says, the place of a message is what the log says (docs/wire.md §4).
"""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from crypto_client.body import parse_body
from crypto_client.client.failures import Refused, TimedOut
from crypto_client.client.inbox import Arrival, Inbox
from crypto_client.client.keys import Keyring, now_ms
from crypto_client.client.letting_go import let_go
from crypto_client.client.outbox import Outbox
from crypto_client.client.own_room import own_rooms, room_to_note_in
from crypto_client.client.rooms import Rooms
from crypto_client.client.server import JSON, Server
from crypto_client.client.socket import Frame, Socket
from crypto_client.client.store import Store
from crypto_client.errors import EpochUnusableError, LogForkError, PinMismatchError
from crypto_client.own_room import Note

PING_SECONDS = 25.0
CHECK_SECONDS = 60.0


class Messenger:
    """Rooms, inbox and outbox of one connected device."""

    def __init__(self, store: Store, server: Server, keyring: Keyring, socket: Socket) -> None:
        self.store = store
        self.socket = socket
        self.rooms = Rooms(store, server, keyring)
        self.inbox = Inbox(store, self.rooms)
        self.outbox = Outbox(store, self.rooms, self.inbox, socket)
        self._shown = {_key(row) for row in self._all_messages()}

    # Catching up

    def catch_up(self) -> None:
        """Follow every room to its head, fetch its log, and send what waits."""
        self.rooms.refresh_list()
        for summary in self.rooms.all():
            self.rooms.try_follow(uuid.UUID(summary["room_id"]).bytes)
        self.sync([uuid.UUID(summary["room_id"]).bytes for summary in self.rooms.all()])
        self._look_at_longer_logs()
        let_go(self.rooms, now_ms())
        self.send_waiting()

    def send_waiting(self) -> None:
        """Send what earlier commands could not, oldest first.

        What waits until a person has looked at a changed account key stops no command, and above
        all not the one that looks at it.
        """
        for message in self.outbox.waiting():
            with suppress(PinMismatchError):
                self.outbox.deliver(message)

    def _look_at_longer_logs(self) -> None:
        """Somebody has verified a longer key log: is it the one that this device is shown?"""
        key_log = self.rooms.keyring.key_log
        if key_log.waiting():
            key_log.try_follow(now_ms())

    def sync(self, rooms: list[bytes]) -> None:
        """Fetch what the log has behind the cursors of these rooms, page by page."""
        waiting = list(rooms)
        while waiting:
            part, waiting = waiting[:200], waiting[200:]
            cursors = {str(uuid.UUID(bytes=room)): self._cursor(room) for room in part}
            self.socket.ask("sync", rooms=cursors)
            for page in self.socket.waiting(lambda frame: frame["event"] == "sync.page"):
                room = uuid.UUID(page["room_id"]).bytes
                self._take_page(room, page)
                self.inbox.retry(room)
                if page["more"]:
                    waiting.append(room)

    def _cursor(self, room: bytes) -> int:
        row = self.store.row("SELECT cursor FROM rooms WHERE room = ?", room)
        return int(row["cursor"]) if row else 0

    def _take_page(self, room: bytes, page: Frame) -> None:
        """Apply a page; ``upto`` says how far it speaks, even where items are missing.

        A log only grows: one that ends before what this device has of it was taken back. For who
        has left it ends at their leaving, which may lie before what they had seen.
        """
        if page["head"] < self._cursor(room) and self.rooms.is_member(room):
            self.rooms.mark_trouble(room, LogForkError.outcome)
        # Before the transaction: a wrap is acknowledged only when its epoch is on disk.
        if any(self.inbox.is_ahead(room, item) for item in page["items"]):
            self.rooms.try_follow(room)
        with self.store.transaction():
            for item in page["items"]:
                self.inbox.item(room, item)
                self._own_stored(room, item["seq"])
            sql = "UPDATE rooms SET cursor = max(cursor, ?) WHERE room = ?"
            self.store.run(sql, page["upto"], room)

    def _own_stored(self, room: bytes, seq: int) -> None:
        device = self.rooms.keyring.device.device
        sql = "SELECT message, eid FROM messages WHERE room = ? AND seq = ? AND device = ?"
        row = self.store.row(sql, room, seq, device)
        if row is not None:
            self.outbox.stored(room, row["message"], row["eid"])

    # What is pushed

    def handle(self, frame: Frame) -> None:
        """Act on one pushed frame."""
        event = frame["event"]
        if event == "heads":
            self._compare_heads(frame["rooms"])
        if "room_id" not in frame:
            return
        room = uuid.UUID(frame["room_id"]).bytes
        if event == "message.live":
            self.inbox.message(Arrival.of(room, frame))
        elif event == "message.stored":
            self.sync([room])
        elif event == "message.refused":
            self.outbox.refused(uuid.UUID(frame["message_id"]).bytes, frame["code"])
        elif event in {"commit.accepted", "room.added", "member.left", "room.removed"}:
            self._room_changed(room)
        elif event == "room.deleted":
            self.rooms.forget(room)

    def _compare_heads(self, heads: JSON) -> None:
        """Something may have been lost on its way: fetch what these logs have more than we."""
        rooms = {uuid.UUID(room_id).bytes: head["seq"] for room_id, head in heads.items()}
        known = {uuid.UUID(summary["room_id"]).bytes for summary in self.rooms.all()}
        self.sync([room for room in rooms if room in known and rooms[room] > self._cursor(room)])

    def _room_changed(self, room: bytes) -> None:
        self.rooms.refresh_room(room)
        self.rooms.try_follow(room)
        self.sync([room])

    # What commands ask

    def send(self, message: bytes, *, wait: str, timeout: float) -> JSON:
        """Deliver a kept message and wait for its state; `TimedOut` keeps it for later."""
        self.outbox.deliver(message)
        deadline = time.monotonic() + timeout
        state = self.outbox.state(message)
        while wait == "stored" and state["state"] not in {"stored", "failed"}:
            if time.monotonic() > deadline:
                raise TimedOut
            self._wait_for_push(deadline)
            state = self.outbox.state(message)
        return state

    def note_down(self, note: Note, *, timeout: float) -> None:
        """Keep a note for all devices of the account, and wait until the log has it."""
        room, carried = room_to_note_in(self.rooms)
        for other in carried:
            self.outbox.deliver(self.outbox.keep_note(room, other))
        message = self.outbox.keep_note(room, note)
        row = self.send(message, wait="stored", timeout=timeout)
        if row["state"] == "failed":
            raise Refused(row["failure"])

    def _wait_for_push(self, deadline: float) -> None:
        frame = self.socket.take(min(1.0, max(0.0, deadline - time.monotonic())))
        try:
            if frame is not None:
                self.handle(frame)
            else:
                self.sync([uuid.UUID(summary["room_id"]).bytes for summary in self.rooms.all()])
        except Refused as refusal:
            if refusal.code != "unavailable":  # then its place in the log comes later
                raise

    def arrivals(self, deadline: float) -> Iterator[JSON]:
        """Messages of others that this device had not received before, each once, as they come."""
        next_ping, next_check = time.monotonic() + PING_SECONDS, time.monotonic() + CHECK_SECONDS
        yield from self._new()
        while (now := time.monotonic()) < deadline:
            if now > next_ping:
                self.socket.ask("ping", t=int(now * 1000))
                next_ping = now + PING_SECONDS
            if now > next_check:
                self.sync([uuid.UUID(summary["room_id"]).bytes for summary in self.rooms.all()])
                let_go(self.rooms, now_ms())
                next_check = now + CHECK_SECONDS
            frame = self.socket.take(min(deadline, next_ping, next_check) - now)
            if frame is not None:
                self.handle(frame)
            yield from self._new()

    def _all_messages(self) -> list[Any]:
        return self.store.rows(
            "SELECT * FROM messages ORDER BY seq IS NULL, seq, accepted_ms, rowid"
        )

    def _new(self) -> Iterator[JSON]:
        own = self.rooms.keyring.device.device
        hidden = own_rooms(self.rooms)
        for row in self._all_messages():
            if _key(row) not in self._shown:
                self._shown.add(_key(row))
                if row["device"] != own and row["room"] not in hidden:
                    yield self._row(row)

    def timeline(self, room: bytes, last: int) -> list[JSON]:
        """The last messages and membership lines of a room in their order, the unstored last."""
        messages = self.store.rows("SELECT * FROM messages WHERE room = ?", room)
        rows = [self._row(row) for row in messages]
        for event in self.store.rows("SELECT * FROM events WHERE room = ?", room):
            rows += self._event_rows(room, event["seq"], json.loads(event["detail"]))
        rows.sort(key=lambda row: (row["seq"] is None, row["seq"] or row.get("accepted_ms", 0)))
        return rows[-last:]

    def _event_rows(self, room: bytes, seq: int, detail: JSON) -> list[JSON]:
        """A commit's lines; a leave waits for the commit that executes it."""
        place: JSON = {"room_id": str(uuid.UUID(bytes=room)), "seq": seq}
        if detail["kind"] == "unreadable":
            return [{**place, "unreadable": detail["outcome"], "sender": "?", "state": "stored"}]
        sql = "SELECT lines FROM changes WHERE room = ? AND epoch = ?"
        row = self.store.row(sql, room, detail.get("epoch", -1))
        return [{**place, **self._named(line)} for line in json.loads(row["lines"])] if row else []

    def _named(self, line: JSON) -> JSON:
        people = [self.rooms.nickname(uuid.UUID(user).bytes) for user in line.get("about", [])]
        by = self.rooms.nickname(uuid.UUID(line["by"]).bytes)
        return {**line, "by": by, **({"about": people} if people else {})}

    def _row(self, row: Any) -> JSON:
        shown: JSON = {
            "room_id": str(uuid.UUID(bytes=row["room"])),
            "seq": row["seq"],
            "message_id": str(uuid.UUID(bytes=row["message"])),
            "sender": self.rooms.nickname(row["sender"]),
            "sender_id": str(uuid.UUID(bytes=row["sender"])),
            "device_id": str(uuid.UUID(bytes=row["device"])),
            "accepted_ms": row["accepted_ms"],
            "state": "stored" if row["seq"] is not None else "accepted",
        }
        if row["body"] is None or row["outcome"] != "ok":
            shown["unreadable"] = row["outcome"]
            if row["outcome"] == EpochUnusableError.outcome and not self._kept(row):
                shown["history"] = "off"
        else:
            body = parse_body(row["body"])
            shown["text"] = body.text if body.type == "text" else None
            if self.rooms.keyring.key_log.is_split(row["room"], row["message"]):
                shown["key_log"] = "split"
        return shown

    def _kept(self, row: Any) -> bool:
        """Whether the room keeps history of a message's time."""
        view = self.rooms.view(row["room"])
        return view is None or view.unkept_from is None or row["epoch"] < view.unkept_from

    def unread(self, room: bytes) -> int:
        """Messages of others behind the read cursor."""
        row = self.store.row(
            "SELECT count(*) AS n FROM messages m JOIN rooms r USING (room)"
            " WHERE m.room = ? AND m.seq > r.read_to AND m.sender != ?",
            room,
            self.rooms.keyring.device.user,
        )
        return int(row["n"]) if row else 0

    def mark_read(self, room: bytes) -> None:
        """Say that everything up to the cursor was received and read; leavers say nothing."""
        if not self.rooms.is_member(room):
            return
        cursor = self._cursor(room)
        room_id = str(uuid.UUID(bytes=room))
        reply = self.socket.ask("cursor.move", room_id=room_id, delivered_to=cursor, read_to=cursor)
        self.store.run("UPDATE rooms SET read_to = ? WHERE room = ?", reply["read_to"], room)


def _key(row: Any) -> tuple[bytes, bytes]:
    return row["device"], row["message"]
