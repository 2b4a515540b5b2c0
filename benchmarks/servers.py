"""A server in a process of its own, over a data folder made for the occasion."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def own_data() -> Iterator[None]:
    """Point this process's settings at an empty folder; once a process, before Django starts."""
    with tempfile.TemporaryDirectory(prefix="gamrae-bench-") as folder:
        os.environ["GAMRAE_DATA"] = folder
        os.environ["GAMRAE_PROFILE"] = "solo"
        os.environ["LIMIT_SOCKETS_PER_ADDRESS"] = "1000"
        os.environ["LOG_LEVEL"] = "ERROR"
        os.environ["DJANGO_SETTINGS_MODULE"] = "chatsite.settings"
        yield


@contextlib.contextmanager
def serving(server: str) -> Iterator[tuple[str, float]]:
    """The address of a server that listens, and the seconds it took to begin."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", "0", "--server", server],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as output:
        line = output.readline()
    took = time.perf_counter() - began
    if not line.startswith("Gamrae: "):
        raise RuntimeError("the server did not start")
    try:
        yield line.removeprefix("Gamrae: ").strip(), took
    finally:
        process.terminate()
        process.wait()
