"""What happens to RabbitMQ."""

import signal

from messaging.broker.amqp import Topology
from tests.faults.disk import small_disk
from tests.faults.proxy import BLACKHOLE, Fault
from tests.faults.stage import Scenario, Stage

AWAY = 5.0
HANGS = 20.0
NO_SPACE, SPACE = "9000GB", "50MB"
DATA, MIB = "rabbitmq/mnesia", 160


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
    """Others fill its disk: below 50 MB it takes nothing any more, before there is nothing left."""
    with small_disk(stage.bench.services["rabbitmq"], DATA, MIB) as disk:
        stage.hold(2.0)
        with stage.fault():
            disk.fill(but_mib=20)
            stage.hold(3 * AWAY)
            disk.free()


def disk_damaged(stage: Stage) -> None:
    """Its disk is full to the last byte in the middle of a write, which damages queues.

    It is given a larger disk and started again, and after a while an operator deletes what it
    cannot read any more: what was in there and is not stored is in its senders' outboxes.
    """
    rabbitmq, met = stage.bench.services["rabbitmq"], _met_broken(stage)
    with stage.fault():
        with small_disk(rabbitmq, DATA, MIB) as disk:
            stage.hold(2.0)
            disk.fill()
            stage.hold(AWAY)
            disk.free()
        stage.hold(2 * AWAY)
        damaged = [each for each in Topology().partitions if _is_damaged(stage, each)]
        for queue in damaged:
            rabbitmq.control("delete_queue", queue)
    if not damaged and _met_broken(stage) == met:
        stage.complain("no queue was damaged, so that this shows nothing")


def _met_broken(stage: Stage) -> int:
    """How often the archiver has been ended by a queue that cannot be read."""
    return stage.bench.archiver.log.read_text(errors="replace").count("code=queue_broken")


def _is_damaged(stage: Stage, queue: str) -> bool:
    """Whether the broker said at its last start that it cannot read this queue's files."""
    log = (stage.bench.services["rabbitmq"].folder / "rabbitmq.log").read_text(errors="replace")
    since_the_start = log[log.rindex("Starting RabbitMQ") :]
    return f"State machine '%2F_{queue}' terminating" in since_the_start


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
    Scenario("broker-disk-full", "F6", "RabbitMQ has too little disk for 15 s", disk_full),
    Scenario("broker-damaged", "F6", "RabbitMQ's disk is full inside of a write", disk_damaged),
)
