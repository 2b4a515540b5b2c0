"""The real services for tests: those that the environment names, else private ones."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ADDRESSES = ("DATABASE_URL", "BROKER_URL", "MONGO_URL", "REDIS_URL")


def services(*words: str, folder: Path) -> None:
    """Run bin/services over a folder, as if the environment named no server."""
    others = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
    environment = {**others, "GAMRAE_SERVICES": str(folder)}
    ran = subprocess.run(
        [ROOT / "bin" / "services", *words], env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def settings_in(folder: Path) -> dict[str, str]:
    """What bin/services wrote for a shell to read."""
    lines = (folder / "env").read_text().splitlines()
    pairs = (line.removeprefix("export ").partition("=") for line in lines)
    return {name: shlex.split(value)[0] for name, _, value in pairs}


@contextmanager
def private_services(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """The settings of services of our own, gone at the end."""
    services("up", *options, folder=folder)
    try:
        yield settings_in(folder)
    finally:
        services("down", folder=folder)


@contextmanager
def services_of_this_run(folder: Path) -> Iterator[dict[str, str]]:
    """The settings of a cluster: every address, and the authority of each when there is one."""
    if all(os.environ.get(name) for name in ADDRESSES):
        names = (*ADDRESSES, *(name.replace("_URL", "_CA") for name in ADDRESSES))
        yield {name: os.environ[name] for name in names if os.environ.get(name)}
        return
    with private_services(folder) as settings:
        yield settings
