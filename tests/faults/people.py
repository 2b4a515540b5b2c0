"""People at real clients: they write into their rooms, read what comes, and never give up."""

import contextlib
import io
import json
import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from crypto_client.cli import main
from crypto_client.client.failures import CommandFailure, Refused
from crypto_client.client.session import Session
from crypto_client.client.sync import CHECK_SECONDS, PING_SECONDS, Messenger
from tests.faults.checker import Room, Row
from tests.faults.journal import Journal
from tests.faults.storm import Storm

PATIENCE = 15.0  # seconds for an answer: three by the promise, the rest for a busy machine
LOOK_SECONDS = 0.05
AGAIN_SECONDS = 1.0  # what was refused: the server asks for one second
STORED_AGAIN_SECONDS = 30.0  # what was accepted and is not stored
RECONNECT_SECONDS = (0.2, 1.0)
MOST = 150  # messages of one person; a scenario may last long on a busy machine
MANY = 1_000_000


class Home:
    """One person's device and the program that works in it."""

    def __init__(self, name: str, folder: Path, addresses: Sequence[str]) -> None:
        self.name = name
        self.email = f"{name}@example.org"
        self.folder = folder / name
        self.addresses = addresses

    def __call__(self, *words: str) -> list[dict[str, Any]]:
        """Run a command to its end; gives its rows."""
        options = ["--plain", "--json", "--timeout", "60"]
        options += ["--server", self.addresses[0], "--home", str(self.folder)]
        said, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            status = main([*options, *words])
        assert status == 0, f"{self.name} {words}: {complained.getvalue()}"
        return [json.loads(line) for line in said.getvalue().splitlines()]

    def sign_up(self) -> "Home":
        """Make the account and this device."""
        self("sign-up", self.email, "--name", self.name, "--password", f"the way of {self.name}")
        return self

    def befriend(self, other: "Home") -> None:
        """Ask and be accepted."""
        self("friend", "add", other.email)
        other("friend", "accept", self.email)


class Talker(threading.Thread):
    """A person in a thread of their own, until ``leave``; what went wrong is in ``error``.

    ``mean_seconds`` lie between two messages, of which there are at most `MOST`. Their texts are
    drawn by the seed and never repeat.
    """

    def __init__(
        self, home: Home, rooms: Sequence[Room], journal: Journal, seed: str, mean_seconds: float
    ) -> None:
        super().__init__(name=f"talker-{home.name}", daemon=True)
        self.home = home
        self.rooms = rooms
        self.journal = journal
        self.random = random.Random(f"{seed} {home.name}")
        self.mean_seconds = mean_seconds
        self.padding = ""
        self.storms = False
        self.may_write = threading.Event()
        self.is_there = threading.Event()
        self.leaving = threading.Event()
        self.error: BaseException | None = None
        self.connections = 0
        self.view: dict[Room, list[Row]] = {}
        self.trouble: dict[Room, str] = {}
        self._number = 0
        self._unstored: set[bytes] = set()
        self._write_at = 0.0
        self._again_at: dict[bytes, float] = {}
        self._known_rows = 0
        self._ping_at = self._check_at = 0.0
        self._storm: Storm | None = None

    def run(self) -> None:
        """Connect, and connect again."""
        try:
            while not self.view:
                self._one_connection()
        except BaseException as error:
            self.error = error

    def leave(self) -> None:
        """End, and remember what this person saw."""
        self.leaving.set()

    def _one_connection(self) -> None:
        address = self.home.addresses[self.connections % len(self.home.addresses)]
        self.connections += 1
        try:
            with Session.open(self.home.folder, address, PATIENCE) as session:
                self._talk(session, session.sender)
        except CommandFailure as failure:
            self.journal.met(self.home.name, failure.code)
            self.leaving.wait(self.random.uniform(*RECONNECT_SECONDS))

    def _talk(self, session: Session, messenger: Messenger) -> None:
        self.is_there.set()
        self._ping_at, self._check_at = _in(PING_SECONDS), _in(CHECK_SECONDS)
        with contextlib.ExitStack() as stack:
            while not self.leaving.is_set():
                if self.storms and self._storm is None:
                    self._storm = stack.enter_context(Storm.of(session, self.random))
                    stack.callback(setattr, self, "_storm", None)
                with self._refusals():
                    self._one_turn(messenger)
                self._note(messenger)
            self._look_back(messenger)

    def _one_turn(self, messenger: Messenger) -> None:
        self._write(messenger)
        self._send_again(messenger)
        frame = messenger.socket.take(LOOK_SECONDS)
        if frame is not None:
            messenger.handle(frame)
        if time.monotonic() > self._ping_at:
            messenger.socket.ask("ping", t=0)
            self._ping_at = _in(PING_SECONDS)
        if time.monotonic() > self._check_at:
            messenger.sync(list(self.rooms))
            self._check_at = _in(CHECK_SECONDS)

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        """What is refused for now is tried again, over the same connection."""
        try:
            yield
        except Refused as refusal:
            if refusal.retry_after_ms is None:
                raise
            self.journal.met(self.home.name, refusal.code)

    def _write(self, messenger: Messenger) -> None:
        if not self.may_write.is_set() or time.monotonic() < self._write_at:
            return
        if self._number >= MOST:
            return
        self._write_at = _in(self.random.expovariate(1 / self.mean_seconds))
        room = self.random.choice(self.rooms)
        self._number += 1
        text = f"{self.home.name} {self._number} {self.random.getrandbits(32):08x}{self.padding}"
        message = messenger.outbox.keep(room, text)
        self.journal.attempted(message, room, self.home.name, text)
        self._unstored.add(message)
        self._deliver(messenger, message)

    def _deliver(self, messenger: Messenger, message: bytes) -> None:
        self._again_at[message] = _in(AGAIN_SECONDS)
        messenger.outbox.deliver(message)
        if self._storm and self.storms:
            self._storm.repeat(messenger, message)
        state = messenger.outbox.state(message)["state"]
        assert state != "failed", "a message that could be sent was refused for good"
        if state == "accepted":
            self.journal.accepted(message)
            self._again_at[message] = _in(STORED_AGAIN_SECONDS)

    def _send_again(self, messenger: Messenger) -> None:
        for message in messenger.outbox.waiting():
            if time.monotonic() > self._again_at.get(message, 0.0):
                self._deliver(messenger, message)

    def _note(self, messenger: Messenger) -> None:
        """Write down what has been opened, and which own messages are in the log by now."""
        sql = "SELECT rowid, message FROM messages WHERE rowid > ? AND outcome = 'ok'"
        for row in messenger.store.rows(sql, self._known_rows):
            self._known_rows = max(self._known_rows, row["rowid"])
            self.journal.hears(self.home.name, row["message"])
        left = {row["message"] for row in messenger.store.rows("SELECT message FROM outbox")}
        for message in self._unstored - left:
            self.journal.stored(message)
        self._unstored &= left

    def has_all(self, messages: set[bytes]) -> bool:
        """Whether this person has opened all of these."""
        return all((self.home.name, message) in self.journal.heard for message in messages)

    def _look_back(self, messenger: Messenger) -> None:
        """Read the timelines as a person would, without asking the server for anything."""
        for room in self.rooms:
            rows = [row for row in messenger.timeline(room, MANY) if "message_id" in row]
            self.trouble[room] = messenger.rooms.trouble(room)
            self.view[room] = [_row(row) for row in rows]


def _row(row: dict[str, Any]) -> Row:
    return Row(row["seq"], uuid.UUID(row["message_id"]).bytes, row.get("text"))


def _in(seconds: float) -> float:
    return time.monotonic() + seconds
