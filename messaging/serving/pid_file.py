"""Where `manage.py drain` finds a server: a file for each port, locked as long as it runs."""

import fcntl
import os
from pathlib import Path
from typing import IO


class NotRunning(Exception):
    """Nobody serves this port with this data folder."""


def hold(folder: Path, port: int) -> IO[str] | None:
    """Write the number of this process; whoever keeps the file open can be found.

    None when the folder cannot be written to, or another process holds the file, as one on another
    address of the machine may: then this one is found by nobody.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _path(folder, port).open("a+")
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def find(folder: Path, port: int) -> int:
    """The number of the process that serves; `NotRunning` when it has ended, however it did.

    Only a locked file is believed: a signal to whoever has the number today may end a stranger.
    """
    try:
        with _path(folder, port).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(_path(folder, port).read_text())
    except FileNotFoundError:
        pass
    raise NotRunning


def _path(folder: Path, port: int) -> Path:
    return folder / f"serve-{port}.pid"
