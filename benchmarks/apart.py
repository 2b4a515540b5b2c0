"""Work in a fresh process: settings and caches of one case are not those of the next."""

import multiprocessing
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

LONGEST_SECONDS = 1800


def apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call it there, and give what it gave; it is ended when it takes too long, or when we are."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, end_in_order) as pool:
        try:
            return pool.submit(work, *args, **kwargs).result(LONGEST_SECONDS)
        except BaseException:
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def end_in_order() -> None:
    """Let a request to end unwind what is open, so that no server stays behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
