"""What happens between people and the web processes."""

from tests.faults.proxy import Fault
from tests.faults.stage import Scenario, Stage

BAD_LINE = Fault(delay=0.05, jitter=0.3, loss=0.1)
BAD_SECONDS = 60.0
BETWEEN_RESETS = (4.0, 9.0)
BALANCER_IDLE = 60.0
SILENT_SECONDS = 150.0


def bad_line(stage: Stage) -> None:
    """0.2 s ± 0.15 each way, every tenth piece lost and sent again, a break every few seconds."""
    entrances = list(stage.bench.entrances.values())
    with stage.fault():
        for entrance in entrances:
            entrance.set(BAD_LINE)
        left = BAD_SECONDS
        while left > 0:
            pause = stage.random.uniform(*BETWEEN_RESETS)
            stage.hold(pause)
            left -= pause
            stage.random.choice(entrances).reset()
        for entrance in entrances:
            entrance.heal()


def idle_behind_a_balancer(stage: Stage) -> None:
    """Nobody writes, and a load balancer resets what is idle for a minute."""
    for talker in stage.talkers:
        talker.may_write.clear()
    before = sum(talker.connections for talker in stage.talkers)
    with stage.fault():
        for entrance in stage.bench.entrances.values():
            entrance.set(Fault(idle=BALANCER_IDLE))
        stage.hold(SILENT_SECONDS)
        for entrance in stage.bench.entrances.values():
            entrance.heal()
    if sum(talker.connections for talker in stage.talkers) != before:
        stage.complain("an idle socket was lost")
    for talker in stage.talkers:
        talker.may_write.set()


SCENARIOS = (
    Scenario("idle-balancer", "F15", "idle for 150 s at a 60 s balancer", idle_behind_a_balancer),
    Scenario("bad-line", "F18", "slow, lossy, breaking lines for 60 s", bad_line),
)
