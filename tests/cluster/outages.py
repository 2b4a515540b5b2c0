"""A private service that hangs, dies and comes back, and what people meet meanwhile."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from crypto_client.client.failures import Refused
from crypto_client.client.session import Session
from deploy.services.processes import remember, remembered, started_at
from deploy.services.servers import program
from tests.cluster.processes import until

BETWEEN = 0.5  # seconds between two tries: people do not try faster, and sockets have limits


class Service:
    """A server of `bin/services` by its name there."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._process = next(each for each in remembered(folder) if each.name == name)
        self._children: list[subprocess.Popen[bytes]] = []
        about = Path(f"/proc/{self._process.pid}")
        self._own = (about / "cwd").readlink()
        self._command = _words(about / "cmdline")
        self._environment = dict(
            word.split("=", 1) for word in _words(about / "environ") if "=" in word
        )

    def hang(self) -> None:
        """It keeps its connections and answers nobody."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """It answers again, as if nothing had been."""
        os.killpg(self._process.pid, signal.SIGCONT)

    @property
    def is_running(self) -> bool:
        """Whether it is there, be it that it hangs."""
        return self._process.is_running

    @property
    def command(self) -> list[str]:
        """How it was started."""
        return self._command

    @property
    def folder(self) -> Path:
        """Where it keeps its files."""
        return self._own

    def die(self, number: int) -> None:
        """It ends: SIGKILL as by a power cut, SIGTERM as by its operator."""
        os.killpg(self._process.pid, number)
        os.killpg(self._process.pid, signal.SIGCONT)
        until(lambda: not self._process.is_running, 30)

    def control(self, *words: str) -> None:
        """RabbitMQ's own command, for the node that this is."""
        place = Path("/usr/lib/rabbitmq/bin/rabbitmqctl")  # the one in PATH wants another user
        command = str(place) if place.exists() else program("rabbitmqctl")
        node = self._environment["RABBITMQ_NODENAME"]
        subprocess.run(
            [command, "-n", node, *words],
            cwd=self._own,
            env=self._environment,
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Begin again over the same data, on the same port."""
        with (self._own / f"{self._process.name}.log").open("ab") as log:
            child = subprocess.Popen(
                self._command,
                cwd=self._own,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children.append(child)
        old = self._process
        self._process = replace(old, pid=child.pid, started=started_at(child.pid))
        others = [each for each in remembered(self._folder) if each != old]
        remember(self._folder, [self._process, *others])
        until(self._listens, 90)

    def _listens(self) -> bool:
        with socket.socket() as wire:
            return wire.connect_ex(("127.0.0.1", self._process.port)) == 0

    def bury(self) -> None:
        """Everything that was started here has ended by now."""
        for child in self._children:
            child.wait()


def _words(file: Path) -> list[str]:
    return [word for word in file.read_bytes().decode().split("\0") if word]


@dataclass
class Seen:
    """What became of everything that was tried, and the longest that anybody waited."""

    sends: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    ready: set[tuple[int, str, tuple[str, ...]]] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    longest: float = 0.0


class Watch:
    """alice sends and bob reads, each over the one socket that they opened before."""

    def __init__(self, alice: Session, bob: Session, room: bytes, address: str) -> None:
        self.alice, self.bob, self.room, self.address = alice, bob, room, address
        self._texts: list[str] = []
        self._heard: list[dict[str, Any]] = []

    def look(self, seconds: float) -> Seen:
        """Try everything again and again for so long."""
        seen, ends = Seen(), time.monotonic() + seconds
        while time.monotonic() < ends:
            self._texts.append(f"text {len(self._texts)}")
            seen.texts.append(self._texts[-1])
            seen.sends.append(self._timed(seen, lambda: self._send(self._texts[-1])))
            seen.reads.append(self._timed(seen, self._read))
            answer = httpx.get(f"{self.address}/healthz/ready", timeout=20)
            said = answer.json()
            seen.ready.add((answer.status_code, said["status"], tuple(said["away"])))
            self._listen(BETWEEN)
        return seen

    @staticmethod
    def _timed(seen: Seen, act: Callable[[], str]) -> str:
        began = time.monotonic()
        try:
            outcome = act()
        except Refused as refusal:
            # What is worth repeating says so, and when.
            outcome = refusal.code if refusal.retry_after_ms else f"{refusal.code}, for good"
        seen.longest = max(seen.longest, time.monotonic() - began)
        return outcome

    def _send(self, text: str) -> str:
        messenger = self.alice.messenger
        message = messenger.outbox.keep(self.room, text)
        return str(messenger.send(message, wait="accepted", timeout=20)["state"])

    def _read(self) -> str:
        self.bob.messenger.sync([self.room])
        return "read"

    def pushed(self, event: str) -> list[dict[str, Any]]:
        """What has been pushed to bob under this name, until now."""
        self._listen(0.05)
        return [frame for frame in self._heard if frame["event"] == event]

    def has_live(self, count: int) -> None:
        """So many messages have been shown to bob before they were stored."""
        until(lambda: len(self.pushed("message.live")) >= count)

    def _listen(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            frame = self.bob.messenger.socket.take(left)
            if frame is not None:
                self._heard.append(frame)

    def ready_again(self) -> None:
        """The process says by itself that all is well."""
        url = f"{self.address}/healthz/ready"
        until(lambda: httpx.get(url, timeout=20).json()["status"] == "ready", 60)

    def nothing_is_missing(self) -> None:
        """Whatever was ever written is in both timelines, once, in one order."""
        until(self._all_accepted, 60)
        until(self._all_stored, 60)
        self.bob.messenger.sync([self.room])
        alice, bob = (
            [
                str(row["text"])
                for row in each.messenger.timeline(self.room, 10_000)
                if "text" in row
            ]
            for each in (self.alice, self.bob)
        )
        assert alice == bob
        assert sorted(bob) == sorted(self._texts)

    def _all_accepted(self) -> bool:
        outbox = self.alice.messenger.outbox
        left = [each for each in outbox.waiting() if outbox.state(each)["state"] == "waiting"]
        try:
            for message in left:
                outbox.deliver(message)
        except Refused:
            return False
        return True

    def _all_stored(self) -> bool:
        self._listen(BETWEEN)
        self.alice.messenger.sync([self.room])
        return not self.alice.messenger.outbox.waiting()
