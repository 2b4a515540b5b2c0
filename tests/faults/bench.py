"""A whole cluster on one machine that may be broken anywhere: services, ways between, processes.

Every connection, also that of each person to their web process, goes through a fault proxy. Nothing
of it is shared with anybody, because nothing of it survives.
"""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from messaging.record import Kind
from messaging.store import StoreUnavailable
from messaging.store.mongo import MongoLog
from tests.cluster.outages import Service
from tests.cluster.own_services import private_services
from tests.cluster.processes import ArchiverProcess, Cluster, Settings, on_database, own_database
from tests.e2e.site import ROOT, Site, free_port
from tests.faults.checker import Room, Row
from tests.faults.people import Home
from tests.faults.proxy import FaultProxy

NAMES = ("alice", "bob", "carol", "erin")
LURKER = "frank"
SERVICES = {
    "rabbitmq": "BROKER_URL",
    "mongodb": "MONGO_URL",
    "redis": "REDIS_URL",
    "mariadb": "DATABASE_URL",
}
DATABASE = "faults"
PAGE = 200
TRIES = 20


class Bench:
    """What a scenario may touch: ``services``, the ``doors`` before each, the ``cluster``."""

    def __init__(
        self, folder: Path, services: Path, addresses: Settings, settings: Settings, seed: int
    ) -> None:
        self.addresses = addresses
        self.services = {name: Service(services, name) for name in SERVICES}
        self.doors = {
            name: FaultProxy(addresses[setting], seed) for name, setting in SERVICES.items()
        }
        self.cluster = Cluster(folder / "cluster", self._by_the_doors(settings))
        self.second_archiver = ArchiverProcess(folder / "second", self.cluster.settings)
        # People come by doors of their own; a device's proof names the address that they know.
        self.entrances = {
            site.address: FaultProxy(site.address, seed) for site in (self.one, self.two)
        }
        for site in (self.one, self.two):
            site.environment["PUBLIC_URL"] = self.entrances[site.address].url
        port = free_port()
        self.one.environment["METRICS_PORT"] = str(port)
        self.metrics_of_one = f"http://127.0.0.1:{port}"
        self.homes: dict[str, Home] = {}
        self.lurker: Home
        self._folder = folder

    @property
    def one(self) -> Site:
        """The web process of alice and carol, as long as it answers."""
        return self.cluster.one

    @property
    def two(self) -> Site:
        """That of bob and erin."""
        return self.cluster.two

    @property
    def archiver(self) -> ArchiverProcess:
        """The one that runs when nothing is wrong."""
        return self.cluster.archiver

    def _by_the_doors(self, settings: Settings) -> Settings:
        through = {setting: self.doors[name].url for name, setting in SERVICES.items()}
        for setting in ("DATABASE_URL", "MONGO_URL"):
            through[setting] = on_database(through[setting], DATABASE)
        # Else the client would find the server's own address and go round the door.
        through["MONGO_URL"] += "?directConnection=true"
        return {**settings, **through}

    def start(self) -> "Bench":
        """Everything runs, and everybody has an account and is alice's friend."""
        self.cluster.start()
        ways = [self.entrances[site.address].url for site in (self.one, self.two)]
        for number, name in enumerate(NAMES):
            turned = ways[number % 2 :] + ways[: number % 2]
            self.homes[name] = Home(name, self._folder / "homes", turned).sign_up()
        self.lurker = Home(LURKER, self._folder / "homes", ways[:1]).sign_up()
        for other in (*(self.homes[name] for name in NAMES[1:]), self.lurker):
            self.homes["alice"].befriend(other)
        return self

    def new_rooms(self, title: str) -> dict[Room, set[str]]:
        """Two fresh groups, and who talks in each: all, and alice with carol.

        In the first one is somebody more, who says nothing and is mostly away.
        """
        made: dict[Room, set[str]] = {}
        for name, others in (("garden", NAMES[1:]), ("orchard", ("carol",))):
            emails = [self.homes[other].email for other in others]
            emails += [self.lurker.email] if name == "garden" else []
            [row] = self.homes["alice"]("room", "group", f"{title} {name}", *emails)
            made[uuid.UUID(row["room_id"]).bytes] = {"alice", *others}
        return made

    def processes(self) -> list[int]:
        """The ids of our own processes that run now."""
        ours = (self.one, self.two, self.archiver, self.second_archiver)
        return [each.process.pid for each in ours if each.process and each.is_running]

    def heal(self) -> None:
        """Whatever a scenario left behind, the next one begins with everything running."""
        for door in (*self.doors.values(), *self.entrances.values()):
            door.heal()
        for service in self.services.values():
            if service.is_running:
                service.go_on()
            else:
                service.start()
        self.second_archiver.stop()
        for process in (self.archiver, self.one, self.two):
            if not process.is_running:
                process.start()

    def log_of(self, rooms: Sequence[Room]) -> dict[Room, list[Row]]:
        """The messages of these rooms as the store itself has them."""
        url = on_database(self.addresses["MONGO_URL"], DATABASE)
        log = MongoLog(url)
        try:
            return {room: asyncio.run(_rows(log, room)) for room in rooms}
        finally:
            log.close()

    def manage(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """A command as an operator runs it; gives its output and status."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.one.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self) -> None:
        """Leave nothing behind."""
        self.second_archiver.stop()
        self.cluster.stop()
        for door in (*self.entrances.values(), *self.doors.values()):
            door.close()


async def _rows(log: MongoLog, room: Room) -> list[Row]:
    """All of a room, page by page as readers get it; a page has two seconds, and may be late."""
    rows: list[Row] = []
    after, tries = 0, TRIES
    while True:
        try:
            page = await log.page(uuid.UUID(bytes=room), after, after + PAGE)
        except StoreUnavailable:
            tries -= 1
            if not tries:
                raise
            continue
        if not page:
            return rows
        after += PAGE
        rows += [Row(row.seq, row.message_id.bytes) for row in page if row.kind is Kind.MESSAGE]


@contextmanager
def benched(folder: Path, seed: int, **changes: Any) -> Iterator[Bench]:
    """A bench at work, gone at the end."""
    with ExitStack() as stack:
        buried = stack.enter_context(ExitStack())  # last of all: what was started again must end
        addresses = stack.enter_context(private_services(folder / "services"))
        settings = stack.enter_context(own_database(addresses, DATABASE))
        bench = Bench(folder, folder / "services", addresses, {**settings, **changes}, seed)
        for service in bench.services.values():
            buried.callback(service.bury)
        stack.callback(bench.stop)
        yield bench.start()
