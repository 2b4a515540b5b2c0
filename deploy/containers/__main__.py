"""Started by bin/image [--cluster]: builds the image of the Dockerfile and tries it."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.containers import trial
from deploy.containers.building import ROOT, Builder, Failed, size_of
from deploy.containers.running import Container
from deploy.containers.trial import say

PUBLIC = "https://chat.example.org"
BEHIND_A_PROXY = {"PUBLIC_URL": PUBLIC, "TRUSTED_PROXIES": "127.0.0.1"}
MEGABYTE = 1_000_000


def timed(what: str, step: Callable[[], None]) -> None:
    """Do a step and say how long it took."""
    say(f"{what}: starting")
    began = time.monotonic()
    step()
    say(f"measured: {what} took {time.monotonic() - began:.0f} s")


def make(folder: Path) -> Builder:
    """The image, from its base up."""
    builder = Builder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    builder.log.unlink(missing_ok=True)
    builder.forget()
    timed("the base", builder.make_base)
    timed("naming the base", builder.name_base)
    timed("the build", builder.build)
    return builder


def try_solo(container: Container) -> None:
    """Everything in one process, its data on /data."""
    say("solo profile")
    trial.migrate(container, BEHIND_A_PROXY)
    with trial.serving(container, BEHIND_A_PROXY) as port:
        trial.look_from_outside(container, port, PUBLIC)


def try_cluster(container: Container, scratch: Path) -> None:
    """Web process and archiver over real services, every address in a file."""
    say("cluster profile")
    with services(scratch / "services") as addresses:
        files = container.root / "tmp" / "secrets"
        files.mkdir()
        settings = {**BEHIND_A_PROXY, "GAMRAE_PROFILE": addresses.pop("GAMRAE_PROFILE")}
        for name, value in (addresses | {"SECRET_KEY": os.urandom(32).hex()}).items():
            (files / name).write_text(value)
            settings[f"{name}_FILE"] = f"/tmp/secrets/{name}"  # noqa: S108 (the container's own)
        trial.migrate(container, settings)
        with trial.archiving(container, settings), trial.serving(container, settings) as port:
            trial.look_from_outside(container, port, PUBLIC)


@contextmanager
def services(folder: Path) -> Iterator[dict[str, str]]:
    """The addresses of private servers that `bin/services` starts and ends."""
    command = [str(ROOT / "bin/services")]
    own = {**os.environ, "GAMRAE_SERVICES": str(folder)}
    if subprocess.run([*command, "up"], env=own, check=False).returncode:
        raise Failed("bin/services up did not succeed; see the lines above.")
    try:
        lines = shlex.split((folder / "env").read_text().replace("export ", ""))
        yield dict(line.split("=", 1) for line in lines)
    finally:
        subprocess.run([*command, "down"], env=own, check=False)


def main(arguments: list[str]) -> int:
    """Build, unpack, look, try; the exit status says whether all of it was as it must be."""
    parser = argparse.ArgumentParser(prog="bin/image", description=__doc__)
    parser.add_argument("--cluster", action="store_true", help="also over bin/services")
    options = parser.parse_args(arguments)
    folder = Path(os.environ.get("GAMRAE_IMAGES") or "var/images").resolve()
    try:
        builder = make(folder)
        unpacked = builder.unpack()
        say(f"measured: the image unpacks to {size_of(unpacked) / MEGABYTE:.0f} MB")
        # Never mounted below a temporary folder: whoever removes that would reach through.
        with tempfile.TemporaryDirectory(prefix="gamrae-image-") as scratch:
            container = Container.of(unpacked, builder.config(), folder, Path(scratch))
            trial.look_around(container)
            try_solo(container)
            if options.cluster:
                try_cluster(container, Path(scratch))
        container.unmount()
        builder.forget()
    except Failed as failed:
        say(f"FAILED: {failed}")
        return 1
    say("the image is built and does what it must")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
