"""What happens to Redis, which may lose everything at any time."""

import signal
from urllib.parse import urlsplit

import redis

from tests.faults.stage import Scenario, Stage

AWAY = 5.0
HANGS = 15.0


def killed(stage: Stage) -> None:
    """``kill -9``, and started empty."""
    service = stage.bench.services["redis"]
    with stage.fault():
        service.die(signal.SIGKILL)
        stage.hold(AWAY)
        service.start()


def flushed(stage: Stage) -> None:
    """Everything that it held is gone, and nobody's connection breaks."""
    where = urlsplit(stage.bench.addresses["REDIS_URL"])
    assert where.hostname is not None
    assert where.port is not None
    with stage.fault():
        client = redis.Redis(where.hostname, where.port, password=where.password)
        client.flushall()
        client.close()
        stage.hold(AWAY)


def frozen(stage: Stage) -> None:
    """It keeps its connections and does nothing."""
    service = stage.bench.services["redis"]
    with stage.fault():
        service.hang()
        stage.hold(HANGS)
        service.go_on()


SCENARIOS = (
    Scenario("fan-out-killed", "F7", "Redis is killed, and started empty after 5 s", killed),
    Scenario("fan-out-flushed", "F7", "Redis forgets everything", flushed),
    Scenario("fan-out-frozen", "F7", "Redis hangs for 15 s", frozen),
)
