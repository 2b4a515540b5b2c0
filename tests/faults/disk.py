"""A service's data on a small disk of its own, which can be filled."""

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.outages import Service

PIECE = bytes(2**20)


class CannotRun(Exception):
    """This machine does not let us break that; the text says what it takes. Never a pass."""


class SmallDisk:
    """A mounted tmpfs."""

    def __init__(self, at: Path) -> None:
        self._ballast = at / "ballast"

    def fill(self, but_mib: int = 0) -> None:
        """Take what is left but for so many MiB; 0: to the last byte."""
        left = shutil.disk_usage(self._ballast.parent).free
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while but_mib == 0 or left > but_mib * 2**20:
                left -= file.write(PIECE)

    def free(self) -> None:
        """Give it back."""
        self._ballast.unlink()


@contextmanager
def small_disk(service: Service, data: str, mib: int) -> Iterator[SmallDisk]:
    """The service goes on over a copy of its ``data`` folder on a disk of so many MiB.

    A tmpfs is mounted, which takes root with CAP_SYS_ADMIN: CI runs as root in a virtual machine or
    a container that may mount. Raises `CannotRun` elsewhere.
    """
    folder = service.folder / data
    service.die(signal.SIGTERM)
    try:
        with _mounted(folder, mib):
            service.start()
            try:
                yield SmallDisk(folder)
            finally:
                service.die(signal.SIGTERM)
    finally:
        service.start()


@contextmanager
def _mounted(folder: Path, mib: int) -> Iterator[None]:
    kept = folder.with_name(folder.name + "-kept")
    shutil.copytree(folder, kept)
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder))
        try:
            _copy(kept, folder)
            yield
            shutil.rmtree(kept)
            shutil.copytree(folder, kept)
        finally:
            _run("umount", str(folder))
        shutil.rmtree(folder)
        kept.rename(folder)
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)


def _run(*words: str) -> None:
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise CannotRun(
            f"{words[0]}: {ran.stderr.strip()}. A small disk takes root with CAP_SYS_ADMIN."
        )
