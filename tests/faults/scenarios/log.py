"""What happens to MongoDB."""

import signal

from tests.faults.disk import small_disk
from tests.faults.proxy import Fault
from tests.faults.stage import Scenario, Stage

AWAY = 5.0
HANGS = 20.0


def killed(stage: Stage) -> None:
    """``kill -9``, and after a while started over the same data."""
    mongodb = stage.bench.services["mongodb"]
    with stage.fault():
        mongodb.die(signal.SIGKILL)
        stage.hold(AWAY)
        mongodb.start()


def frozen(stage: Stage) -> None:
    """It keeps its connections and does nothing."""
    mongodb = stage.bench.services["mongodb"]
    with stage.fault():
        mongodb.hang()
        stage.hold(HANGS)
        mongodb.go_on()


def cut_while_writing(stage: Stage) -> None:
    """Connections break inside of an insert, and then inside of its answer."""
    door = stage.bench.doors["mongodb"]
    with stage.fault():
        for _ in range(4):
            door.set(Fault(cut_after={"up": stage.random.randrange(500, 4096)}))
            stage.hold(1.0)
            door.set(Fault(cut_after={"down": stage.random.randrange(1, 500)}))
            stage.hold(1.0)
        door.heal()


def disk_full(stage: Stage) -> None:
    """Its disk is really full."""
    with small_disk(stage.bench.services["mongodb"], "mongodb", mib=64) as disk:
        stage.hold(2.0)
        with stage.fault():
            disk.fill()
            stage.hold(2 * AWAY)
            disk.free()


SCENARIOS = (
    Scenario("log-killed", "F5", "MongoDB is killed, and started after 5 s", killed),
    Scenario("log-frozen", "F5", "MongoDB hangs for 20 s", frozen),
    Scenario("log-cut", "F5", "connections to MongoDB break inside of writes", cut_while_writing),
    Scenario("log-disk-full", "F6", "MongoDB's disk is full for 10 s", disk_full),
)
