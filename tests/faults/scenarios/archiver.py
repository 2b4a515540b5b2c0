"""What happens to archivers, and what is put before them."""

import asyncio
import json
import os
import signal
import uuid
from collections.abc import Sequence

from messaging.broker.amqp import Topology, parameters
from messaging.broker.publisher import Publisher
from tests.cluster.processes import ArchiverProcess, until
from tests.faults.altered import KILLED, OF_THE_ARCHIVER
from tests.faults.stage import Scenario, Stage

CRASH_SECONDS = 60.0  # a process starts, takes what waits, and dies of it
ORDINARY = ("manage.py",)
KILLS = 20
LONGEST_LIFE = 0.5
AT_WORK = b"Gamrae: archiving"
STOPPED = 70.0  # longer than the broker waits for a heartbeat
POISON = 200
CRASHES_OVER_POISON = 5


def killed_at_each_step(stage: Stage) -> None:
    """One archiver after the other dies, each at another point of its work."""
    archiver = stage.bench.archiver
    with stage.fault():
        archiver.end(signal.SIGKILL)
        for point in OF_THE_ARCHIVER:
            _dies_at(stage, archiver, point, stage.random.randint(1, 2))
        archiver.start()


def _dies_at(stage: Stage, archiver: ArchiverProcess, point: str, nth: int) -> None:
    archiver.program = ("-m", "tests.faults.altered", f"crash={point}:{nth}")
    archiver.start()
    archiver.program = ORDINARY
    assert archiver.process is not None
    if archiver.process.wait(CRASH_SECONDS) != KILLED:
        stage.complain(f"the archiver did not come to {point}")


def killed_at_random(stage: Stage) -> None:
    """``kill -9`` again and again, whatever it is doing."""
    archiver = stage.bench.archiver
    with stage.fault():
        for _ in range(KILLS):
            archiver.end(signal.SIGKILL)
            _begins(archiver)
            stage.hold(stage.random.uniform(0.0, LONGEST_LIFE))


def _begins(archiver: ArchiverProcess) -> None:
    """Start one, and wait until it is at work."""
    began = archiver.log.stat().st_size if archiver.log.exists() else 0
    archiver.start()
    until(lambda: AT_WORK in archiver.log.read_bytes()[began:], CRASH_SECONDS)


def two_at_once(stage: Stage) -> None:
    """The one at work stops for longer than the broker waits, another takes over, both go on."""
    first, second = stage.bench.archiver, stage.bench.second_archiver
    _begins(second)
    stage.hold(2.0)
    assert first.process is not None
    with stage.fault():
        os.kill(first.process.pid, signal.SIGSTOP)
        stage.hold(STOPPED)
        os.kill(first.process.pid, signal.SIGCONT)
    stage.hold(5.0)
    if second.end(signal.SIGTERM):
        stage.complain("the second archiver did not end cleanly")


def poisoned(stage: Stage) -> None:
    """What no archiver can read, two hundred in a row, while archivers die over it."""
    archiver = stage.bench.archiver
    bodies = [_poison(stage, number) for number in range(POISON)]
    with stage.fault():
        asyncio.run(_publish(stage, bodies))
        for _ in range(CRASHES_OVER_POISON):
            archiver.end(signal.SIGKILL)
            _begins(archiver)
            stage.hold(stage.random.uniform(0.0, LONGEST_LIFE))
        until(lambda: len(_parked(stage, "list")) == POISON, CRASH_SECONDS)
    _parked(stage, "drop", "--all")
    if _parked(stage, "list"):
        stage.complain("what was dropped is parked still")


def _poison(stage: Stage, number: int) -> bytes:
    """Of a later version, cut off, larger than any message, or noise; no two of them alike."""
    noise = stage.random.randbytes(40) + number.to_bytes(4, "big")
    return (b"\x63" + noise, b"\x01" + noise, b"\x63" + noise + bytes(2**18), noise)[number % 4]


async def _publish(stage: Stage, bodies: Sequence[bytes]) -> None:
    """Put them into the queue of the room where people talk."""
    topology = Topology()
    publisher = Publisher(parameters(stage.bench.addresses["BROKER_URL"]), topology)
    queue = topology.partition(uuid.UUID(bytes=stage.garden))
    for body in bodies:
        await publisher.publish(topology.incoming, queue, body)
    await publisher.stop()


def _parked(stage: Stage, *words: str) -> set[str]:
    """The ids that the operator's command names."""
    ran = stage.bench.manage("parked", *words, "--json")
    assert ran.returncode == 0, ran.stderr
    return {json.loads(line)["id"] for line in ran.stdout.splitlines()}


SCENARIOS = (
    Scenario(
        "archiver-steps", "F9", "archivers die before and after each step", killed_at_each_step
    ),
    Scenario("archiver-killed", "F9", f"archivers are killed {KILLS} times", killed_at_random),
    Scenario("archiver-split", "F10", "one archiver stops for 70 s, another goes on", two_at_once),
    Scenario("poison", "F13", f"{POISON} unreadable messages, archivers die over them", poisoned),
)
