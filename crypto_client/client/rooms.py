"""Rooms as this device verifies them: following chains, opening epochs, committing new ones."""

import json
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from crypto_client.client.changes import Line, describe
from crypto_client.client.due import due_ops, newest_lists
from crypto_client.client.failures import Refused, TimedOut, Unverified
from crypto_client.client.history_records import HistoryRecords
from crypto_client.client.keys import Keyring, now_ms
from crypto_client.client.many_keys import fetch_lists, refresh_known, said_of
from crypto_client.client.notes import demand_compared_key
from crypto_client.client.server import JSON, Server, unb64
from crypto_client.client.store import Store
from crypto_client.client.wire_commits import (
    commit_of,
    first_body,
    next_body,
)
from crypto_client.commit import Commit, PrekeySource, parse_core, prekey_floors
from crypto_client.committing import Committer, make_commit
from crypto_client.encoding import lp
from crypto_client.epoch import (
    RoomView,
    may_seal,
    settle,
    view_from_json,
    view_to_json,
)
from crypto_client.errors import (
    ForkError,
    LogForkError,
    ProtocolError,
    ReferenceMissingError,
)
from crypto_client.ops import parse_ops
from crypto_client.prekeys import SignedPrekey
from crypto_client.primitives import h
from crypto_client.ratchet import EpochState, close_epoch, epoch_from_json, epoch_to_json
from crypto_client.receiving import Received, receive_commit
from crypto_client.roster import find_member, parse_origin

ATTEMPTS = 8
ROOM_TABLES = (
    "rooms",
    "epochs",
    "closed_epochs",
    "messages",
    "events",
    "changes",
    "history_queue",
    "voids",
    "log_items",
    "outbox",
)
MakeCommit = Callable[[RoomView, Committer], Commit]


class Rooms:
    """The rooms of this device."""

    def __init__(self, store: Store, server: Server, keyring: Keyring) -> None:
        self.store = store
        self.server = server
        self.keyring = keyring
        self.records = HistoryRecords(store, server)

    # What is remembered

    def all(self) -> list[JSON]:
        """What the server last said of each room."""
        return [json.loads(r["summary"]) for r in self.store.rows("SELECT summary FROM rooms")]

    def view(self, room: bytes) -> RoomView | None:
        """The verified view of a room, None before its first commit."""
        row = self.store.row("SELECT view FROM rooms WHERE room = ?", room)
        return view_from_json(json.loads(row["view"])) if row and row["view"] else None

    def epoch(self, room: bytes, epoch: int) -> EpochState | None:
        """The sender chains of an epoch, None where it is not known here."""
        row = self.store.row("SELECT state FROM epochs WHERE room = ? AND epoch = ?", room, epoch)
        return epoch_from_json(json.loads(row["state"])) if row else None

    def knows_epoch(self, room: bytes, epoch: int) -> bool:
        """Whether an epoch is known here, open or not."""
        sql = "SELECT 1 FROM epochs WHERE room = ? AND epoch = ?"
        return self.store.row(sql, room, epoch) is not None

    def received_ms(self, room: bytes, epoch: int) -> int:
        """When this device received an epoch, by its own clock."""
        row = self.store.row(
            "SELECT received_ms FROM epochs WHERE room = ? AND epoch = ?", room, epoch
        )
        return row["received_ms"] if row else 0

    def save_epoch(self, state: EpochState) -> None:
        """Replace an epoch's chains; the caller's transaction holds what belongs to it."""
        self.store.run(
            "INSERT INTO epochs VALUES (?, ?, ?, ?)"
            " ON CONFLICT (room, epoch) DO UPDATE SET state = excluded.state",
            state.room,
            state.epoch,
            json.dumps(epoch_to_json(state)),
            now_ms(),
        )

    # Following

    def refresh_list(self) -> None:
        """Fetch the list of rooms; rooms that are gone everywhere are forgotten."""
        listed = self.server.get("/api/rooms")["rooms"]
        known = {uuid.UUID(room["room_id"]).bytes for room in listed}
        with self.store.transaction():
            for room in listed:
                self._remember(room)
            for row in self.store.rows("SELECT room FROM rooms"):
                if row["room"] not in known:
                    self.forget(row["room"])

    def refresh_room(self, room: bytes) -> JSON:
        """Fetch one room's entry."""
        summary = self.server.get(f"/api/rooms/{uuid.UUID(bytes=room)}")
        self._remember(summary)
        return summary

    def _remember(self, summary: JSON) -> None:
        self.store.run(
            "INSERT INTO rooms (room, summary) VALUES (?, ?)"
            " ON CONFLICT (room) DO UPDATE SET summary = excluded.summary",
            uuid.UUID(summary["room_id"]).bytes,
            json.dumps(summary),
        )
        for member in summary["members"]:
            names = (member["user_id"], member["nickname"])
            self.store.run("INSERT OR REPLACE INTO people VALUES (?, ?)", *names)

    def nickname(self, user: bytes) -> str:
        """What a person called themselves when last seen in a room; their id before that."""
        user_id = str(uuid.UUID(bytes=user))
        row = self.store.row("SELECT nickname FROM people WHERE user = ?", user_id)
        return str(row["nickname"]) if row else user_id

    def is_member(self, room: bytes) -> bool:
        """Whether this person is in the room now, as the server last said."""
        row = self.store.row("SELECT summary FROM rooms WHERE room = ?", room)
        return row is not None and json.loads(row["summary"])["me"]["last_epoch"] is None

    def forget(self, room: bytes) -> None:
        """Remove everything of a room from the home."""
        with self.store.transaction():
            for table in ROOM_TABLES:
                self.store.run(f"DELETE FROM {table} WHERE room = ?", room)  # noqa: S608 (fixed names)

    def try_follow(self, room: bytes) -> None:
        """Follow a chain; what does not verify marks this room and stops no other one."""
        try:
            self.follow(room)
        except ProtocolError as error:
            self.mark_trouble(room, error.outcome)

    def mark_trouble(self, room: bytes, outcome: str) -> None:
        """Note what did not verify in a room: nothing is sent there.

        A log that differs keeps nobody from writing; so it is noted where nothing else is.
        """
        if outcome != LogForkError.outcome or not self.trouble(room):
            self.store.run("UPDATE rooms SET trouble = ? WHERE room = ?", outcome, room)

    def trouble(self, room: bytes) -> str:
        """What did not verify in a room, else nothing."""
        row = self.store.row("SELECT trouble FROM rooms WHERE room = ?", room)
        return str(row["trouble"]) if row else ""

    def demand_verified(self, room: bytes) -> None:
        """Refuse to write where the chain did not verify (``Unverified``)."""
        trouble = self.trouble(room)
        if trouble not in {"", LogForkError.outcome}:
            raise Unverified(trouble)

    def follow(self, room: bytes) -> None:
        """Verify and open every commit up to the head; newcomers begin at epoch 0.

        Only a next commit on the own branch ends the alarm of a fork.
        """
        kept = {LogForkError.outcome, ForkError.outcome}
        while True:
            view = self.view(room)
            after = view.epoch if view else -1
            answer = self.server.get(f"/api/rooms/{uuid.UUID(bytes=room)}/commits", after=after)
            if not answer["commits"]:
                break
            wraps = self._wraps(room, after)
            for item in answer["commits"]:
                self._receive(room, item, wraps.get(item["epoch"]))
            kept = {LogForkError.outcome}
        if self.trouble(room) not in kept:
            self.store.run("UPDATE rooms SET trouble = '' WHERE room = ?", room)
        self.records.hand_over(room)

    def _wraps(self, room: bytes, after: int) -> dict[int, bytes]:
        path = f"/api/rooms/{uuid.UUID(bytes=room)}/wraps"
        answer = self.server.get(path, after=after)
        return {item["epoch"]: unb64(item["wrap"]) for item in answer["wraps"]}

    def _receive(self, room: bytes, item: JSON, wrap: bytes | None) -> None:
        commit = commit_of(item, {self.keyring.device.device: wrap} if wrap else {})
        ops = parse_ops(commit.ops)
        fetch_lists(self.keyring, ops)
        device = self.keyring.device
        before = self.view(room)
        received = receive_commit(
            before,
            commit,
            room=room,
            trust=self.keyring.trust(),
            source=PrekeySource(device.user, device.device, self.keyring.prekey_seeds()),
            history=self.keyring.history_writer(),
        )
        committer = parse_core(commit.core).committer_user
        lines = describe(ops, committer, before, received.view)
        self._keep(room, lines, before, received)
        self._acknowledge(room, received)

    def _keep(
        self, room: bytes, lines: list[Line], before: RoomView | None, received: Received
    ) -> None:
        """Step 10 of docs/protocol.md §7.3: head, roster, chains, history: one transaction."""
        with self.store.transaction():
            if received.cuts and (closing := self.epoch(room, received.view.epoch - 1)):
                self.save_epoch(close_epoch(closing, received.cuts))
            if received.epoch:
                self.save_epoch(received.epoch)
            if before is not None and not before.keeps_history and not received.ignored:
                sql = "INSERT OR IGNORE INTO closed_epochs VALUES (?, ?, ?)"
                self.store.run(sql, room, before.epoch, now_ms())
            if received.history:
                self.records.queue(received.history)
            self.store.run(
                "INSERT OR IGNORE INTO changes VALUES (?, ?, ?)",
                room,
                received.view.epoch,
                json.dumps(lines),
            )
            self.save_view(received.view)

    def save_view(self, view: RoomView) -> None:
        """Replace what is verified of a room."""
        sql = "UPDATE rooms SET view = ? WHERE room = ?"
        self.store.run(sql, json.dumps(view_to_json(view)), view.room)

    def _acknowledge(self, room: bytes, received: Received) -> None:
        if received.epoch and received.epoch.opened:
            path = f"/api/rooms/{uuid.UUID(bytes=room)}/wraps/ack"
            self.server.post(path, {"epochs": [received.view.epoch]})

    # Committing

    def committer(self, users: Sequence[bytes], view: RoomView | None = None) -> Committer:
        """What a commit needs: newest lists and prekeys, their floors, the own closing state."""
        prekeys: dict[bytes, SignedPrekey] = {}
        for user, said in said_of(self.keyring, users):
            if view is not None and find_member(view.roster, user) is not None:
                prekeys.update(refresh_known(self.keyring, user, said))
            else:
                prekeys.update(self.keyring.refresh(user, said))
                demand_compared_key(self.keyring, user)
        floors: dict[bytes, int] = {}
        closing = None
        if view is not None:
            floors = self._floors(view)
            closing = self.epoch(view.room, view.epoch)
        for device, seq in self.keyring.prekey_floors().items():
            floors[device] = max(seq, floors.get(device, 0))
        keyring = self.keyring
        by = Committer(keyring.device, keyring.lists(), prekeys, now_ms(), floors, closing)
        return replace(by, read=keyring.read)

    def _floors(self, view: RoomView) -> dict[bytes, int]:
        """The prekey numbers of the head commit; ``reference`` for a list that it does not name.

        A server that could choose them would have old prekeys used again for ever.
        """
        path = f"/api/rooms/{uuid.UUID(bytes=view.room)}"
        prekeys = unb64(self.server.get(f"{path}/prekeys")["prekeys"])
        after = {"after": view.epoch - 1, "limit": 1}
        for item in self.server.get(f"{path}/commits", **after)["commits"]:
            core = unb64(item["core"])
            is_head = h("commit", lp(core, unb64(item["tag"]))) == view.head
            if is_head and parse_core(core).prekeys_hash == h("prekeys", prekeys):
                return prekey_floors(prekeys)
        raise ReferenceMissingError("another prekey list than the head's")

    def create(self, commit: Commit, origin: bytes) -> bytes:
        """Hand in a room's first commit and follow it; returns the room id.

        The id follows from the origin: a server that answers with another room is refused with
        ``reference``, else what is meant for one person would be written to another.
        """
        expected = parse_origin(origin).room
        try:
            summary = self.server.post("/api/rooms", first_body(commit, origin))
        except Refused as refusal:
            if refusal.code != "room_exists":
                raise
            summary = self.server.get(f"/api/rooms/{refusal.details['room_id']}")
        if uuid.UUID(summary["room_id"]).bytes != expected:
            raise ReferenceMissingError("another room than the one that was asked for")
        self._remember(summary)
        self.follow(expected)
        return expected

    def commit(self, room: bytes, make: MakeCommit, more_users: Sequence[bytes] = ()) -> None:
        """Commit on the newest head; a lost race waits and makes everything again."""
        for attempt in range(ATTEMPTS):
            self.follow(room)
            view = self.view(room)
            if view is None or find_member(view.roster, self.keyring.device.user) is None:
                raise Refused("not_found")
            users = [member.user for member in view.roster]
            by = self.committer([*users, *more_users], view)
            body = next_body(make(view, by))
            try:
                self.server.post(f"/api/rooms/{uuid.UUID(bytes=room)}/commits", body)
            except Refused as refusal:
                if refusal.code not in {"stale_head", "commit_pending"}:
                    raise
                time.sleep(random.uniform(0, 0.1) * 2**attempt)  # noqa: S311 (spreads a race)
                continue
            self.follow(room)
            return
        raise TimedOut("commit_race")

    def heal(self, room: bytes) -> bool:
        """Commit what the room waits for: leavers' statements and newer device lists.

        Never adds an account key that the roster does not hold. Returns whether it committed.
        """
        summary = self.refresh_room(room)
        self.follow(room)
        view = self.view(room)
        if view is None or find_member(view.roster, self.keyring.device.user) is None:
            return False
        for user, said in said_of(self.keyring, [member.user for member in view.roster]):
            refresh_known(self.keyring, user, said)
        if not due_ops(view, summary, self.keyring):
            return False
        self.commit(
            room, lambda view, by: make_commit(view, due_ops(view, summary, self.keyring), by)
        )
        return True

    def settle(self, user: bytes) -> None:
        """Let rooms be written in again whose roster has the account key that a person accepted."""
        accepted = self.keyring.pins()[user]
        for row in self.store.rows("SELECT room FROM rooms"):
            view = self.view(row["room"])
            if view is None or user not in view.unsettled:
                continue
            member = find_member(view.roster, user)
            if member is not None and member.amk_pub == accepted:
                text = json.dumps(view_to_json(settle(view, user)))
                self.store.run("UPDATE rooms SET view = ? WHERE room = ?", text, row["room"])

    def may_seal(self, view: RoomView) -> bool:
        """Whether the head epoch may be written in."""
        return may_seal(view, newest_lists(view, self.keyring))
