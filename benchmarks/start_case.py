"""How long ``bin/run`` takes until a page is served: on a fresh clone, and the second time."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.results import Result
from benchmarks.servers import ROOT


def first_and_second_start() -> list[Result]:
    """A clone of the last commit, started twice. Packages come over the network or its cache."""
    with tempfile.TemporaryDirectory(prefix="gamrae-clone-") as folder:
        clone = Path(folder) / "gamrae"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        return [
            Result("start", "bin/run", which, "s", _seconds_until_served(clone))
            for which in ("first start", "second start")
        ]


def _seconds_until_served(clone: Path) -> float:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GAMRAE_", "DJANGO_"))}
    began = time.perf_counter()
    process = subprocess.Popen(
        ["bin/run"],
        cwd=clone,
        env={**inherited, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not _serves(f"http://127.0.0.1:{port}/accounts/login/"):
            if process.poll() is not None:
                raise RuntimeError("bin/run ended before it served")
            time.sleep(0.05)
        return time.perf_counter() - began
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _serves(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
        return bool(answer.status == 200)
    return False
