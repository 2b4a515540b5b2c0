"""``python -m benchmarks [NAME…] [--json FILE]``: measure, print one table, keep the numbers."""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.apart import apart, end_in_order
from benchmarks.big_room_case import big_room
from benchmarks.browser_case import in_chromium
from benchmarks.crypto_cases import seal_and_open, sign_up_keys
from benchmarks.epoch_case import epoch_commits, opening_the_past
from benchmarks.idle_case import ten_thousand_idle
from benchmarks.log_cases import queue_and_log
from benchmarks.profile_case import profile
from benchmarks.restore_case import restoring
from benchmarks.results import Result, table
from benchmarks.room_cases import ROOM_OF_4000, ROOMS, cluster_room, interleaved, solo_room
from benchmarks.start_case import first_and_second_start

Case = Callable[[], list[Result]]

# A new case is one more entry: a name, and a function that measures and gives its results.
CASES: dict[str, Case] = {
    "sign_up_keys": sign_up_keys,
    "seal_and_open": seal_and_open,
    "epochs": epoch_commits,
    "past": opening_the_past,
    "browser": in_chromium,
    "restoring": restoring,
    "big_room": big_room,
    "room_of_50_daphne": partial(solo_room, "daphne"),
    "room_of_50_uvicorn": partial(solo_room, "uvicorn"),
    "room_of_50_cluster_daphne": partial(cluster_room, "daphne"),
    "room_of_50_cluster_uvicorn": partial(cluster_room, "uvicorn"),
    "peers": partial(interleaved, ROOMS, processes=1, peers=True),
    "two_processes": partial(interleaved, ROOMS, processes=2),
    "room_of_4000": partial(interleaved, [ROOM_OF_4000], processes=2, rounds=1),
    "idle": ten_thousand_idle,
    "queue_and_log": queue_and_log,
    "profile": profile,
    "start": first_and_second_start,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - CASES.keys()
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    end_in_order()
    results: list[Result] = []
    for name in arguments.names or CASES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        results += apart(CASES[name])
    print(table(results))
    if arguments.json:
        rows = [result.as_json() for result in results]
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
