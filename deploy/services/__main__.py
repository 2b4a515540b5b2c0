"""Started by bin/services: up [--tls] | down [--keep] | status."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.services.certificates import make_certificates
from deploy.services.processes import NotStarted, Process, end, remember, remembered
from deploy.services.servers import SERVERS, Up

TRIES = 3  # somebody else may take a port between finding it free and using it


def up(folder: Path, tls: bool) -> int:
    """Start what no setting names, all at once; print the settings as shell lines into ``env``."""
    if any(process.is_running for process in remembered(folder)):
        say(f"already up; the settings are in {folder}/env")
        return 0
    began = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    if tls:
        make_certificates(folder)
    wanted = [name for name in SERVERS if not os.environ.get(name)]
    started: list[Up] = []
    troubles: list[str] = []
    with ThreadPoolExecutor(len(SERVERS)) as pool:
        for future in [pool.submit(start, name, folder, tls) for name in wanted]:
            try:
                started.append(future.result())
            except (NotStarted, OSError) as trouble:
                troubles.append(str(trouble))
    processes = [process for each in started for process in each.processes]
    remember(folder, processes)
    if troubles:
        end(processes)
        say("; ".join(troubles))
        return 1
    given = {name: os.environ[name] for name in SERVERS if name not in wanted}
    write_settings(folder, given | {k: v for each in started for k, v in each.settings.items()})
    say(f"up after {time.monotonic() - began:.1f} s; the settings are in {folder}/env")
    return 0


def start(name: str, folder: Path, tls: bool) -> Up:
    """Start one server in a folder of its own; once more when its port was taken meanwhile."""
    for attempt in range(1, TRIES + 1):
        own = folder / f"{SERVERS[name].__name__}-{attempt}"
        own.mkdir()
        for file in folder.glob("*.[pk]e[my]"):
            shutil.copy2(file, own)
        try:
            return SERVERS[name](own, tls)
        except NotStarted:
            if attempt == TRIES or "is not installed" in str(sys.exc_info()[1]):
                raise
    raise AssertionError  # the loop returns or raises


def write_settings(folder: Path, settings: dict[str, str]) -> None:
    """What a shell reads with ``. env``: the addresses, and the profile that uses them."""
    settings = {"GAMRAE_PROFILE": "cluster", **settings}
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
    (folder / "env").touch(mode=0o600)
    (folder / "env").write_text("".join(lines))


def down(folder: Path, keep: bool) -> int:
    """End everything that `up` started and remove its files."""
    end(remembered(folder))
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    say("down")
    return 0


def status(folder: Path) -> int:
    """One line for each server; 0 when all of them run."""
    processes: list[Process] = remembered(folder)
    for process in processes:
        state = "running" if process.is_running else "ended"
        print(f"{process.name:9s} {state} pid {process.pid} port {process.port}")
    if not processes:
        say("not up")
    return 0 if processes and all(process.is_running for process in processes) else 1


def say(text: str) -> None:
    """One line for the person at the terminal."""
    print(f"bin/services: {text}", flush=True)


def main(arguments: list[str]) -> int:
    """Do what the words say."""
    parser = argparse.ArgumentParser(prog="bin/services", description=__doc__)
    parser.add_argument("verb", choices=("up", "down", "status"))
    parser.add_argument("--tls", action="store_true", help="up: with an own test authority")
    parser.add_argument("--keep", action="store_true", help="down: leave the files where they are")
    options = parser.parse_args(arguments)
    folder = Path(os.environ.get("GAMRAE_SERVICES") or "var/services").resolve()
    if options.verb == "up":
        return up(folder, options.tls)
    return down(folder, options.keep) if options.verb == "down" else status(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
