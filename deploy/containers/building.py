"""The image of the Dockerfile, built by buildah in a chroot on a base that Debian's mirror gives.

A registry is not needed: what debootstrap makes gets the name of the official image that the
Dockerfile begins with. It holds the same release of Debian and the same version of Python.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RELEASE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
# Beside the interpreter what the official image also has: its headers, venv, certificates.
PACKAGES = "python3,python3-dev,python3-venv,ca-certificates"
NAME = "localhost/gamrae"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SEARCHED = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Failed(Exception):
    """A step that did not do what it should; the sentence says which, and what it said."""


def run(command: Sequence[str | Path], log: Path) -> str:
    """What a command prints; all of it goes to a file too, whose end is told when it fails."""
    words = [str(word) for word in command]
    with log.open("a") as output:
        ended = subprocess.run(words, stdout=subprocess.PIPE, stderr=output, text=True, check=False)
        output.write(ended.stdout)
    if ended.returncode:
        tail = "\n".join(log.read_text().splitlines()[-15:])
        raise Failed(f"{' '.join(words)[:200]}\n{tail}\n(all of it: {log})")
    return ended.stdout.strip()


@dataclass(frozen=True)
class Builder:
    """buildah, with a storage of its own in a folder of ours."""

    folder: Path

    @property
    def log(self) -> Path:
        """What every step printed."""
        return self.folder / "log"

    def buildah(self, *words: str | Path) -> str:
        """One command of buildah."""
        own = ["--root", str(self.folder / "storage"), "--runroot", str(self.folder / "run")]
        return run(["buildah", *own, "--storage-driver", "vfs", *words], self.log)

    def make_base(self) -> None:
        """Install Debian with Python into a folder, once."""
        if (self.folder / "base").is_dir():
            return
        draft = self.folder / "base.draft"
        shutil.rmtree(draft, ignore_errors=True)
        what = ["--variant=minbase", f"--include={PACKAGES}"]
        run(["debootstrap", *what, RELEASE, draft, MIRROR], self.log)
        (draft / "usr/bin/python").symlink_to("python3")
        for archive in draft.glob("var/cache/apt/archives/*.deb"):
            archive.unlink()
        draft.rename(self.folder / "base")

    def name_base(self) -> None:
        """Give the base the name that the Dockerfile asks for."""
        name = base_name()
        if name in self.buildah("images", "--format", "{{.Name}}:{{.Tag}}").splitlines():
            return
        container = self.buildah("from", "scratch")
        self.buildah("copy", "--quiet", container, self.folder / "base", "/")
        self.buildah("config", "--env", SEARCHED, container)
        self.buildah("commit", "--quiet", "--rm", container, name)

    def build(self) -> None:
        """All stages of the Dockerfile; nothing is pulled."""
        # An index that only this machine's certificates vouch for is to be believed inside as well.
        own = ["--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"] if CERTIFICATES.is_file() else []
        how = ["--isolation", "chroot", "--pull-never", "--network", "host", "--format", "docker"]
        self.buildah("build-using-dockerfile", *how, *own, "--tag", NAME, ROOT)

    def config(self) -> dict[str, Any]:
        """What the built image says about itself, as Docker reads it."""
        told = json.loads(self.buildah("inspect", "--type", "image", NAME))
        config: dict[str, Any] = told["Docker"]["config"]
        return config

    def unpack(self) -> Path:
        """The folder that holds a container's root; `forget` removes it."""
        return Path(self.buildah("mount", self.buildah("from", "--pull-never", NAME)))

    def forget(self) -> None:
        """Remove what containers and former builds left, also those that were interrupted."""
        self.buildah("rm", "--all")
        self.buildah("rmi", "--prune")


def base_name() -> str:
    """The image that the Dockerfile begins with."""
    found = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.M)
    if found is None:
        raise Failed("the Dockerfile names no base (ARG BASE=…)")
    return found[1]


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder, linked ones once."""
    seen = {
        (found.st_dev, found.st_ino): found.st_size
        for place, _, names in os.walk(folder)
        for name in names
        for found in [Path(place, name).lstat()]
    }
    return sum(seen.values())
