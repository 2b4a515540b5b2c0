"""Where the web process's time goes: its Python functions, by how often they were seen at work."""

import contextlib
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks import servers, stacks
from benchmarks.load import run_load
from benchmarks.results import Result
from benchmarks.room_cases import ROOM_OF_50, ROOMS_OF_2

SAMPLES_A_SECOND = 100
SHOWN = 25


def profile() -> list[Result]:
    """Rooms of 2 show what a message costs, the room of 50 what a delivery adds."""
    servers.allow_many_sockets()
    shapes = [ROOMS_OF_2, ROOM_OF_50]
    found = []
    with stacks.cluster(shapes, 1) as kinds, tempfile.TemporaryDirectory() as folder:
        for stack in kinds:
            for shape in shapes:
                file = Path(folder) / "samples"
                run_load(stack, shape, partial(_sampled, stack.web[0], file))
                found += _shares(shape.name, stack.name, file.read_text().splitlines())
    return found


@contextlib.contextmanager
def _sampled(pid: int, file: Path) -> Iterator[None]:
    """Threads that hold the interpreter's lock, some of which are inside C code."""
    command = [str(Path(sys.executable).with_name("py-spy")), "record", "--gil", "--nonblocking"]
    command += ["--function", "--format", "raw", "--rate", str(SAMPLES_A_SECOND)]
    sampler = subprocess.Popen(
        [*command, "--duration", "unlimited", "--output", str(file), "--pid", str(pid)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        sampler.send_signal(2)  # it writes what it has and ends
        sampler.wait(30)


def _shares(case: str, stack: str, lines: Sequence[str]) -> list[Result]:
    """The functions that were most often somewhere on the stack."""
    seen: Counter[str] = Counter()
    total = 0
    for line in lines:
        names, _, times = line.rpartition(" ")
        total += int(times)
        seen.update(dict.fromkeys(names.split(";"), int(times)))
    return [
        Result(case, stack, f"in {name}", "% of samples", 100 * times / total)
        for name, times in seen.most_common(SHOWN)
    ]
