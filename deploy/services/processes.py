"""Server processes that outlive whoever started them: each remembered by pid and start time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

START_SECONDS = 90.0
END_SECONDS = 20.0


class NotStarted(Exception):
    """A server that ended or stayed silent; the text says which and where its log is."""


@dataclass(frozen=True)
class Process:
    """A process group of ours. The start time tells it from a later process with the same pid."""

    name: str
    pid: int
    started: str
    port: int

    @property
    def is_running(self) -> bool:
        """Whether it is still this process that has the pid."""
        return started_at(self.pid) == self.started


def started_at(pid: int) -> str:
    """When a process began, in the words of the system; empty when there is none or it is dead."""
    with contextlib.suppress(OSError):
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if state == "Z" else rest[18]
    if Path("/proc/self/stat").exists():
        return ""
    asked = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 (where the system has it)
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def spawn(
    folder: Path,
    name: str,
    command: Sequence[str | Path],
    *,
    port: int,
    environment: Mapping[str, str] | None = None,
) -> Process:
    """Start a server in a process group of its own and wait until it accepts connections."""
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = Process(name, child.pid, started_at(child.pid), port)
    ends = time.monotonic() + START_SECONDS
    while not _answers(port):
        if child.poll() is not None:
            raise NotStarted(f"{name} ended with status {child.returncode}; see {log}")
        if time.monotonic() > ends:
            end([process])
            raise NotStarted(f"{name} does not listen after {START_SECONDS:.0f} s; see {log}")
        time.sleep(0.02)
    return process


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
        return True
    return False


def end(processes: Iterable[Process]) -> None:
    """Ask every process group to end, then insist. What runs under a reused pid is left alone."""
    mine = [process for process in processes if process.is_running]
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = [process for process in mine if process.is_running]
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        _wait(left)


def _wait(processes: Sequence[Process]) -> None:
    ends = time.monotonic() + END_SECONDS
    while any(process.is_running for process in processes) and time.monotonic() < ends:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)  # only when they are children of this very process
        time.sleep(0.02)


def remember(folder: Path, processes: Iterable[Process]) -> None:
    """Write down what runs."""
    rows = [asdict(process) for process in processes]
    (folder / "processes.json").write_text(json.dumps(rows, indent=1))


def remembered(folder: Path) -> list[Process]:
    """What was written down, running or not."""
    try:
        rows = json.loads((folder / "processes.json").read_text())
    except FileNotFoundError:
        return []
    return [Process(**row) for row in rows]
