"""A real server process over a data folder of its own: started, killed, started again."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
# One address plays the whole cast; the limits themselves are tested where they are made.
CROWD = {
    "LIMIT_SOCKETS_PER_ADDRESS": "1000",
    "LIMIT_PROOFS_PER_MINUTE": "1000",
    "LIMIT_SIGN_UPS_PER_MINUTE": "1000",
    "LIMIT_SIGN_INS_PER_MINUTE": "1000",
}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Site:
    """``manage.py serve`` as a deployer runs it; ``address`` is what people type."""

    def __init__(self, folder: Path, **changes: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.said_to = folder / "stdout.log"
        self.complained_to = folder / "stderr.log"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        own = {"GAMRAE_DATA": str(self.data), "PORT": str(self.port), "LOG_LEVEL": "DEBUG"}
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.environment = {**kept, **CROWD, **own, **changes}
        self.program: tuple[str, ...] = ("manage.py",)
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *words: str, **changes: str) -> None:
        """Run a management command against the same data."""
        command = [sys.executable, "manage.py", *words]
        environment = {**self.environment, **changes}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)

    def start(self) -> "Site":
        """Begin to serve; returns once the server says that it listens."""
        with self.said_to.open("ab") as said, self.complained_to.open("ab") as complained:
            begins = said.tell()
            self.process = subprocess.Popen(
                [sys.executable, *self.program, "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=said,
                stderr=complained,
            )
        self._wait_until_it_listens(begins)
        return self

    def _wait_until_it_listens(self, begins: int) -> None:
        assert self.process is not None
        ends = time.monotonic() + 120  # a busy machine takes its time
        while b"Gamrae: http" not in self.said_to.read_bytes()[begins:]:
            assert self.process.poll() is None, self.complained_to.read_text()[-2000:]
            assert time.monotonic() < ends, "the server does not listen"
            time.sleep(0.02)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send the server a signal and wait until it is gone."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Leave nothing behind, whatever happened before."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def logs(self) -> list[IO[bytes]]:
        """What the server wrote while it ran."""
        return [path.open("rb") for path in (self.said_to, self.complained_to)]

    def link_in_mail(self, path: str) -> str:
        """The address under ``path`` that the newest letter names."""
        return newest_link(path, self)

    def entrance_of(self, name: str) -> "Site":
        """By which way somebody comes; here there is only one."""
        return self


def newest_link(path: str, *sites: Site) -> str:
    """The address under ``path`` in the last letter that one of these servers wrote."""
    letters = [letter for site in sites for letter in (site.data / "mail").iterdir()]
    newest = max(letters, key=lambda letter: letter.stat().st_mtime_ns).read_text()
    found = re.search(rf"https?://\S+{re.escape(path)}\S+", newest)
    assert found is not None, newest
    return found.group(0)
