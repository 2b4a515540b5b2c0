"""What happens to the relational store."""

import signal

from tests.cluster.processes import connected
from tests.faults.stage import Scenario, Stage

AWAY = 5.0
HANGS = 15.0


def killed(stage: Stage) -> None:
    """``kill -9``, and after a while started over the same data."""
    mariadb = stage.bench.services["mariadb"]
    with stage.fault():
        mariadb.die(signal.SIGKILL)
        stage.hold(AWAY)
        mariadb.start()


def frozen(stage: Stage) -> None:
    """It keeps its connections and does nothing."""
    mariadb = stage.bench.services["mariadb"]
    with stage.fault():
        mariadb.hang()
        stage.hold(HANGS)
        mariadb.go_on()


def read_only(stage: Stage) -> None:
    """Every write waits, as on a primary that became a replica; reading goes on."""
    operator = connected(stage.bench.addresses)
    with stage.fault():
        operator.query("FLUSH TABLES WITH READ LOCK")
        stage.hold(2 * AWAY)
        operator.query("UNLOCK TABLES")
    operator.close()


SCENARIOS = (
    Scenario("database-killed", "F8", "MariaDB is killed, and started after 5 s", killed),
    Scenario("database-frozen", "F8", "MariaDB hangs for 15 s", frozen),
    Scenario("database-read-only", "F8", "MariaDB takes no writes for 10 s", read_only),
)
