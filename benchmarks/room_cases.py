"""Messages through rooms of every size: how long they take, what they cost, whether any is lost."""

import statistics
from collections.abc import Iterable, Sequence

from benchmarks import servers, stacks
from benchmarks.load import Run, Shape, Stack, run_load
from benchmarks.results import Result, percentiles

# A socket may send 20 frames a second; every shape stays well below.
ROOMS_OF_2 = Shape("rooms_of_2", rooms=50, people=2, sockets_each=1, rate=500, seconds=5)
ROOM_OF_50 = Shape("room_of_50", rooms=1, people=50, sockets_each=1, rate=200, seconds=5)
ROOM_OF_500 = Shape("room_of_500", rooms=1, people=100, sockets_each=5, rate=20, seconds=5)
# As many as two processes admit: a room has at most 200 people, a person 10 sockets a process.
ROOM_OF_4000 = Shape("room_of_4000", rooms=1, people=200, sockets_each=20, rate=2, seconds=5)
ROOMS = (ROOMS_OF_2, ROOM_OF_50, ROOM_OF_500)
ROUNDS = 3


def solo_room(server: str) -> list[Result]:
    """The solo profile: one process, one room of 50."""
    with stacks.solo(server, [ROOM_OF_50]) as (stack, took):
        start = Result("start", stack.name, "process to listening", "s", took)
        return [start, *_report(ROOM_OF_50, stack, [run_load(stack, ROOM_OF_50)])]


def cluster_room(server: str) -> list[Result]:
    """The cluster profile: one room of 50 over two web processes and an archiver."""
    return interleaved([ROOM_OF_50], processes=2, kinds=[server], rounds=1)


def interleaved(
    shapes: Sequence[Shape],
    *,
    processes: int,
    kinds: Sequence[str] = stacks.OURS,
    peers: bool = False,
    rounds: int = ROUNDS,
) -> list[Result]:
    """Every stack in turn, again and again: what disturbs the machine disturbs them all."""
    servers.allow_many_sockets()
    with stacks.cluster(shapes, processes, kinds, peers=peers) as found:
        runs: dict[tuple[str, str], list[Run]] = {}
        for _ in range(rounds):
            for shape in shapes:
                for stack in found:
                    run = run_load(stack, shape)
                    runs.setdefault((shape.name, stack.name), []).append(run)
        return [
            result
            for shape in shapes
            for stack in found
            for result in _report(shape, stack, runs[shape.name, stack.name])
        ] + _ratios(shapes, found, runs)


def _report(shape: Shape, stack: Stack, runs: Sequence[Run]) -> list[Result]:
    """Costs are medians of the runs; percentiles are of all runs together."""
    case, name, tallies = shape.name, stack.name, [run.tally for run in runs]
    found = [
        Result(case, name, "offered", "msg/s", shape.rate),
        *percentiles(case, name, "accepted", _joined(tally.acceptance for tally in tallies)),
        *percentiles(case, name, "delivery", _joined(tally.delivery for tally in tallies)),
        Result(case, name, "web CPU", "us/delivery", _median(runs)),
        Result(
            case,
            name,
            "CPU of the rest",
            "us/delivery",
            statistics.median(run.microseconds_around for run in runs),
        ),
        Result(case, name, "refused", "messages", sum(tally.refused for tally in tallies)),
        Result(case, name, "lost", "deliveries", sum(tally.lost for tally in tallies)),
        Result(case, name, "twice", "deliveries", sum(tally.duplicates for tally in tallies)),
    ]
    if stack.client.tells_stored:
        missing = sum(tally.not_stored for tally in tallies)
        found.append(Result(case, name, "not told stored", "deliveries", missing))
    return found


def _ratios(
    shapes: Sequence[Shape], found: Sequence[Stack], runs: dict[tuple[str, str], list[Run]]
) -> list[Result]:
    """Our web processes' cost as a share of the peer's that promises nothing."""
    peer = next((stack.name for stack in found if stack.name == stacks.PEER), None)
    if peer is None:
        return []
    return [
        Result(shape.name, stack.name, "web CPU against socket.io+amqplib", "ratio", ratio)
        for shape in shapes
        for stack in found
        if stack.name != peer
        for ratio in [_median(runs[shape.name, stack.name]) / _median(runs[shape.name, peer])]
    ]


def _median(runs: Iterable[Run]) -> float:
    return statistics.median(run.microseconds_each for run in runs)


def _joined(lists: Iterable[list[float]]) -> list[float]:
    return [each for one in lists for each in one]
