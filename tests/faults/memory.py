"""The most memory that processes held, as the system counts it."""

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

FORGET_PEAK = "5"  # proc(5), clear_refs


def forget_peaks(pids: Iterable[int]) -> None:
    """Count from what they hold now."""
    for pid in pids:
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text(FORGET_PEAK)


def peak_mib(pid: int) -> float:
    """The largest resident size since then, 0 for a process that is gone."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0
    return 0.0
