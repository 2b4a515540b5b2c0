"""A container by hand: the image's root made read-only, its ordinary user, its own commands.

`bin/image` starts everything in a mount and process namespace that ends with it: whatever happens,
neither a mount nor a process stays.
"""

from __future__ import annotations

import os
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from deploy.containers.building import Failed

# No capability, no way to get one, no other group: what deploy/compose.yaml asks of an engine.
CONFINED = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
DEVICES = {"null": 3, "zero": 5, "random": 8, "urandom": 9}  # of major number 1
LAST_WORDS = 2000


def mount(*words: str | Path, program: str = "mount") -> None:
    """One call of mount(8), or of umount(8)."""
    command = [program, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Failed(f"{' '.join(command)}: {ended.stderr.strip()}")


@dataclass(frozen=True)
class Container:
    """A read-only root with /tmp and /data that can be written, and how the image is started."""

    root: Path
    config: Mapping[str, Any]
    logs: Path

    @classmethod
    def of(cls, unpacked: Path, config: Mapping[str, Any], folder: Path, logs: Path) -> Self:
        """Mount an unpacked image as an engine would with a read-only root."""
        root = folder / "root"
        root.mkdir(exist_ok=True)
        mount("--bind", unpacked, root)
        mount("-t", "proc", "proc", root / "proc")
        mount("-t", "tmpfs", "-o", "mode=0755,nosuid", "tmpfs", root / "dev")
        for name, minor in DEVICES.items():
            os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
            (root / "dev" / name).chmod(0o666)
        user = str(config["User"]).partition(":")[0]
        mount("-t", "tmpfs", "-o", "mode=1777,nosuid,nodev", "tmpfs", root / "tmp")
        own = f"mode=0700,uid={user},gid={user},nosuid,nodev"
        mount("-t", "tmpfs", "-o", own, "tmpfs", root / "data")
        mount("-o", "remount,bind,ro", root)
        return cls(root, config, logs)

    def unmount(self) -> None:
        """Let go of the unpacked image, which can then be removed. Every process has ended."""
        mount("--recursive", self.root, program="umount")

    def command(self, words: Sequence[str]) -> list[str]:
        """How a command is started inside, as the image's user and with nothing more."""
        user, _, group = str(self.config["User"]).partition(":")
        own = [f"--reuid={user}", f"--regid={group or user}", *CONFINED, "--"]
        return ["chroot", str(self.root), "setpriv", *own, *words]

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The image's variables and the given ones; none of this machine's."""
        return dict(pair.split("=", 1) for pair in self.config["Env"]) | dict(settings)

    def run(self, words: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
        """The exit status of a command inside, and what it said."""
        ended = subprocess.run(
            self.command(words),
            env=self.environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout.strip()

    def start(self, name: str, words: Sequence[str], settings: Mapping[str, str]) -> Running:
        """Start the image's entry point with these words, as ``docker run`` does."""
        log = self.logs / f"{name}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                self.command([*self.config["Entrypoint"], *words]),
                env=self.environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return Running(name, process, log)


@dataclass
class Running:
    """A process of the image that was started and is watched."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    began: float = field(default_factory=time.monotonic)

    def wait_for(self, words: str, seconds: float) -> float:
        """Seconds until it said this; `Failed` when it ends or stays silent."""
        while words not in self.log.read_text():
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended with {self.process.returncode}: {self.said}")
            if time.monotonic() - self.began > seconds:
                raise Failed(f"{self.name} did not say {words!r}: {self.said}")
            time.sleep(0.05)
        return time.monotonic() - self.began

    def stop(self, seconds: float) -> float:
        """Seconds from SIGTERM to an end in good order."""
        asked = time.monotonic()
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        if self.process.returncode != 0:
            raise Failed(f"{self.name} ended with {self.process.returncode}: {self.said}")
        return time.monotonic() - asked

    @property
    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-LAST_WORDS:]
