"""The largest group there may be, two devices a person, through a web process as it is shipped."""

import contextlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import servers
from benchmarks.accounting import cpu_seconds, resident_bytes
from benchmarks.results import Result, percentiles
from benchmarks.terminals import Terminal

# BENCH_PEOPLE=20 makes a smaller room.
PEOPLE = int(os.environ.get("BENCH_PEOPLE", "200"))
WRITERS = 5
ROOM = "big room"
SENT_BYTES = """
    SELECT length(core) + length(ops) + length(state) + length(prekeys) FROM rooms_epochcommit
    UNION ALL SELECT length(wrap) FROM rooms_epochwrap"""
# One machine plays everybody; each limit is a setting that an operator has.
CROWD = {
    "LIMIT_SIGN_UPS_PER_MINUTE": "100000",
    "LIMIT_SIGN_INS_PER_MINUTE": "100000",
    "LIMIT_FRIEND_REQUESTS_PER_HOUR": "100000",
}


def big_room() -> list[Result]:
    """Sign everybody up, begin the room, write, add and revoke a device, and let everybody read."""
    with servers.solo() as settings, tempfile.TemporaryDirectory(prefix="gamrae-homes-") as homes:
        # The real client proves its device for the address that it talks to.
        port = servers.free_port()
        settings = {**settings, **CROWD, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        servers.migrate(settings)
        with servers.serving(settings, "daphne", port) as server:
            return _BigRoom(server, Path(homes), Path(settings["GAMRAE_DATA"])).live()


@dataclass
class _BigRoom:
    server: servers.Server
    homes: Path
    data: Path

    def __post_init__(self) -> None:
        self.found: list[Result] = []
        self.texts: list[str] = []
        self.first: list[Terminal] = []
        self.second: list[Terminal] = []

    def live(self) -> list[Result]:
        with self._measured("signing up, enrolling", PEOPLE):
            self.first = [self._newcomer(number) for number in range(PEOPLE)]
        with self._measured("a second device", PEOPLE):
            self.second = [person.another() for person in self.first]
        with self._measured("asking friends and accepting", PEOPLE - 1):
            self._befriend()
        host, *others = self.first
        with self._measured("beginning the room", 1):
            host("room", "group", ROOM, *(person.email for person in others))
        self.found.append(self._amount("first commit with its wraps", self._first_commit()))
        with self._measured("entering, first read of a device", 2 * PEOPLE):
            self._everybody_reads()
        self._write(self.first[:WRITERS])
        with self._measured("a further device enters every room", 1):
            third = self.first[0].another("third")
        self._write([third])
        revoked = self.second[1]
        with self._measured("a device is revoked", 1):
            self._revoke(self.first[1], revoked)
        self._write(self.first[-WRITERS:])
        self.second = [device for device in self.second if device is not revoked] + [third]
        with self._measured("reading on, each device", 2 * PEOPLE):
            self._everybody_reads()
        return [*self.found, self._amount("memory of the web process", self._memory())]

    def _newcomer(self, number: int) -> Terminal:
        person = Terminal(f"p{number}@example.org", self.homes / f"p{number}", self.server.address)
        person.signs_up()
        return person

    def _befriend(self) -> None:
        host, *others = self.first
        for person in others:
            host("friend", "add", person.email)
            person("friend", "accept", host.email)

    def _write(self, writers: Sequence[Terminal]) -> None:
        seconds = []
        for writer in writers:
            text = f"number {len(self.texts)}"
            began = time.perf_counter()
            writer("send", ROOM, text, "--wait", "stored")
            seconds.append(time.perf_counter() - began)
            self.texts.append(text)
        self.found += percentiles(
            "big_room", self._stack, "send and stored, whole command", seconds
        )

    def _revoke(self, by: Terminal, device: Terminal) -> None:
        lost = device("whoami")[0]["device_id"]
        secret = str(by.home.with_suffix(".words"))
        by("devices", "revoke", lost, "--secret-file", secret)

    def _everybody_reads(self) -> None:
        """Every device has every text, readable, in one order; RuntimeError otherwise."""
        for device in [*self.first, *self.second]:
            rows = device("read", ROOM, "--last", "1000")
            texts = [row["text"] for row in rows if row.get("text") is not None]
            if texts != self.texts:
                raise RuntimeError(f"{device.home.name} reads {texts} and not {self.texts}")

    @property
    def _stack(self) -> str:
        return f"daphne, {2 * PEOPLE} devices"

    def _first_commit(self) -> float:
        """What the creator sent, as the server keeps it until the wraps are fetched."""
        with contextlib.closing(sqlite3.connect(self.data / "gamrae.sqlite3")) as database:
            rows = database.execute(SENT_BYTES).fetchall()
        sizes: list[int] = [size for (size,) in rows]
        return sum(sizes) / 1e6

    def _memory(self) -> float:
        return resident_bytes(self.server.pid) / 1e6

    def _amount(self, metric: str, megabytes: float) -> Result:
        return Result("big_room", self._stack, metric, "MB", megabytes)

    @contextmanager
    def _measured(self, what: str, times: int) -> Iterator[None]:
        """Seconds of a step for each of ``times``, and of the web process's processor in it."""
        began, used = time.perf_counter(), cpu_seconds(self.server.pid)
        yield
        for name, spent in (
            (what, time.perf_counter() - began),
            (f"{what}: web CPU", cpu_seconds(self.server.pid) - used),
        ):
            self.found.append(Result("big_room", self._stack, name, "ms", 1000 * spent / times))
