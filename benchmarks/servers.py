"""Servers in processes of their own, over databases made for the occasion; nothing stays behind."""

import contextlib
import os
import resource
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.apart import apart
from benchmarks.people import Garden
from deploy.services.processes import remembered

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).resolve().parent / "peers"
ADDRESSES = ("DATABASE_URL", "BROKER_URL", "MONGO_URL", "REDIS_URL")
END_SECONDS = 20
# One address plays everybody; the limits themselves are the product's, and are tested there.
CROWD = {
    "LIMIT_SOCKETS_PER_ADDRESS": "100000",
    "LIMIT_PROOFS_PER_MINUTE": "100000",
    "LOG_LEVEL": "ERROR",
    "DJANGO_SETTINGS_MODULE": "chatsite.settings",
}

Settings = dict[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    """A process that listens."""

    address: str
    pid: int
    took: float


def allow_many_sockets() -> None:
    """Let this process, and the servers it starts, open as many as the system permits."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextlib.contextmanager
def solo() -> Iterator[Settings]:
    """Settings of the solo profile over an empty folder."""
    with tempfile.TemporaryDirectory(prefix="gamrae-bench-") as folder:
        yield {**CROWD, "GAMRAE_PROFILE": "solo", "GAMRAE_DATA": folder}


@contextlib.contextmanager
def cluster() -> Iterator[tuple[Settings, list[int]]]:
    """Settings of the cluster profile over fresh services, and the process groups of these."""
    with tempfile.TemporaryDirectory(prefix="gamrae-bench-") as name:
        folder = Path(name) / "services"
        _services("up", folder)
        try:
            lines = (folder / "env").read_text().splitlines()
            pairs = (line.removeprefix("export ").partition("=") for line in lines)
            found = {key: shlex.split(value)[0] for key, _, value in pairs}
            own = {"GAMRAE_DATA": f"{name}/data", "SECRET_KEY": secrets.token_hex(32)}
            yield {**CROWD, **found, **own}, [process.pid for process in remembered(folder)]
        finally:
            _services("down", folder)


def _services(verb: str, folder: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
    ran = subprocess.run(
        ["bin/services", verb],
        cwd=ROOT,
        env={**kept, "GAMRAE_SERVICES": str(folder)},
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise RuntimeError(ran.stdout + ran.stderr)


def migrate(settings: Settings) -> None:
    """Make the tables."""
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(command, cwd=ROOT, env=_environment(settings), check=True)


def plant(settings: Settings, sizes: Sequence[int]) -> list[Garden]:
    """A room of each size, made in a process of its own: Django is set up once in each."""
    migrate(settings)
    return apart(_plant, settings, sizes)


def _plant(settings: Settings, sizes: Sequence[int]) -> list[Garden]:
    set_up_django(settings)
    from benchmarks.garden import make_garden

    return [make_garden(size) for size in sizes]


def set_up_django(settings: Settings) -> None:
    """Make this process one of the installation; once, and before anything of it is imported."""
    environment = _environment(settings)
    os.environ.clear()
    os.environ.update(environment)
    import django

    django.setup()


def serving(
    settings: Settings, server: str, port: int = 0
) -> contextlib.AbstractContextManager[Server]:
    """One web process."""
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--server", server]
    return _started(command, _environment(settings), "Gamrae: ")


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def archiving(settings: Settings) -> contextlib.AbstractContextManager[Server]:
    """The archiver of a cluster."""
    command = [sys.executable, "manage.py", "archive_messages"]
    return _started(command, _environment(settings), "Gamrae: ")


def peer(
    script: str, settings: Settings | None = None
) -> contextlib.AbstractContextManager[Server]:
    """A server of `benchmarks/peers`, which says where it listens."""
    if script.endswith(".py"):
        command = [sys.executable, str(PEERS / script)]
    else:
        places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        command = [shutil.which("node", path=places) or "node", str(PEERS / script)]
    return _started(command, _environment(settings or {}), "Peer: ")


def _environment(settings: Settings) -> Settings:
    ours = (*ADDRESSES, "GAMRAE_PROFILE", "GAMRAE_DATA", "PORT", "PUBLIC_URL")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, **settings}


@contextlib.contextmanager
def _started(command: Sequence[str], environment: Settings, word: str) -> Iterator[Server]:
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        with process.stdout as output:
            line = output.readline()
        took = time.perf_counter() - began
        if not line.startswith(word):
            raise RuntimeError(f"{command[1:3]} did not start")
        yield Server(line.removeprefix(word).strip(), process.pid, took)
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
