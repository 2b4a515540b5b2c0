"""What happens to RabbitMQ."""

import signal

from tests.faults.disk import small_disk
from tests.faults.proxy import BLACKHOLE, Fault
from tests.faults.stage import Scenario, Stage

AWAY = 5.0
HANGS = 20.0
NO_SPACE, SPACE = "9000GB", "50MB"


def killed(stage: Stage) -> None:
    """``kill -9``, and after a while started over the same data."""
    rabbitmq = stage.bench.services["rabbitmq"]
    with stage.fault():
        rabbitmq.die(signal.SIGKILL)
        stage.hold(AWAY)
        rabbitmq.start()


def frozen(stage: Stage) -> None:
    """It keeps its connections and does nothing."""
    rabbitmq = stage.bench.services["rabbitmq"]
    with stage.fault():
        rabbitmq.hang()
        stage.hold(HANGS)
        rabbitmq.go_on()


def without_space(stage: Stage) -> None:
    """Its own alarm: it takes nothing from publishers and serves consumers."""
    rabbitmq = stage.bench.services["rabbitmq"]
    with stage.fault():
        rabbitmq.control("set_disk_free_limit", NO_SPACE)
        stage.hold(2 * AWAY)
        rabbitmq.control("set_disk_free_limit", SPACE)


def disk_full(stage: Stage) -> None:
    """Its disk is really full."""
    with small_disk(stage.bench.services["rabbitmq"], "rabbitmq/mnesia", mib=160) as disk:
        stage.hold(2.0)
        with stage.fault():
            disk.fill()
            stage.hold(2 * AWAY)
            disk.free()


def blackhole(stage: Stage) -> None:
    """Nothing passes, in neither way, and nobody is told."""
    door = stage.bench.doors["rabbitmq"]
    with stage.fault():
        door.set(BLACKHOLE)
        stage.hold(2 * AWAY)
        door.heal()


def half_open(stage: Stage) -> None:
    """Messages arrive, confirms are lost: whether one was taken is unknown to its sender."""
    door = stage.bench.doors["rabbitmq"]
    with stage.fault():
        door.set(Fault(blocked=frozenset({"down"})))
        stage.hold(2 * AWAY)
        door.reset()
        door.heal()


def resets(stage: Stage) -> None:
    """Connections break again and again, at any byte."""
    door = stage.bench.doors["rabbitmq"]
    with stage.fault():
        for _ in range(5):
            door.set(Fault(cut_after={"up": stage.random.randrange(1, 20_000)}))
            stage.hold(1.5)
            door.reset()
        door.heal()


SCENARIOS = (
    Scenario("broker-killed", "F1", "RabbitMQ is killed, and started after 5 s", killed),
    Scenario("broker-frozen", "F2", "RabbitMQ hangs for 20 s", frozen),
    Scenario("broker-disk-alarm", "F3", "RabbitMQ's disk alarm for 10 s", without_space),
    Scenario("broker-blackhole", "F4", "nothing reaches RabbitMQ for 10 s", blackhole),
    Scenario("broker-confirms-lost", "F4", "RabbitMQ's answers are lost for 10 s", half_open),
    Scenario("broker-resets", "F4", "connections to RabbitMQ break five times", resets),
    Scenario("broker-disk-full", "F6", "RabbitMQ's disk is full for 10 s", disk_full),
)
