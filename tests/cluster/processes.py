"""A cluster as its operator runs it: web processes, an archiver, and one database for them."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.site import ROOT, Site

Settings = dict[str, str]


def on_database(url: str, name: str) -> str:
    """The same server's database of another name."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def connected(settings: Mapping[str, str]) -> Any:
    """A connection to the database server of these settings."""
    import MySQLdb  # on a fresh machine bin/services has installed it only now

    where = urlsplit(settings["DATABASE_URL"])
    ca = settings.get("DATABASE_CA")
    tls = {"ssl": {"ca": ca}, "ssl_mode": "VERIFY_IDENTITY"} if ca else {}
    return MySQLdb.connect(
        host=where.hostname, port=where.port, user=where.username, password=where.password, **tls
    )


@contextmanager
def own_database(addresses: Mapping[str, str], name: str) -> Iterator[Settings]:
    """The settings of a cluster with empty stores of its own; the database is dropped after."""

    def ask(sql: str) -> None:  # over a connection of its own: a test may have ended the last one
        server = connected(addresses)
        server.query(sql)
        server.close()

    ask(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    try:
        yield {
            **addresses,
            "DATABASE_URL": on_database(addresses["DATABASE_URL"], name),
            "MONGO_URL": on_database(addresses["MONGO_URL"], name),
            "GAMRAE_PROFILE": "cluster",
            "SECRET_KEY": secrets.token_hex(32),
            "LOG_LEVEL": "INFO",
            "DRAIN_SECONDS": "0",  # tests that end a process do not wait for who moves
        }
    finally:
        ask(f"DROP DATABASE IF EXISTS {name}")


class ArchiverProcess:
    """``manage.py archive_messages``."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "archiver.log"
        self.environment = {**os.environ, "GAMRAE_DATA": str(folder / "data"), **settings}
        self.program: tuple[str, ...] = ("manage.py",)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "ArchiverProcess":
        """Begin; returns at once, because it waits for whatever is missing."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.program, "archive_messages"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        return self

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; gives the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Leave nothing behind, whatever happened before."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Cluster:
    """Two web processes and an archiver."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.one = Site(folder / "one", **settings)
        self.two = Site(folder / "two", **settings)
        self.archiver = ArchiverProcess(folder / "archiver", settings)

    def start(self) -> "Cluster":
        """Migrate, and start all three."""
        self.one.manage("migrate", "--verbosity", "0")
        self.archiver.start()
        self.one.start()
        self.two.start()
        return self

    def stop(self) -> None:
        """Leave nothing behind."""
        for process in (self.one, self.two, self.archiver):
            process.stop()


def until(true_of: Callable[[], bool], seconds: float = 20) -> None:
    """Ask every 0.05 s until it is so."""
    ends = time.monotonic() + seconds
    while not true_of():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.05)
