"""One scenario from its first message to the verdict."""

import contextlib
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from tests.cluster.processes import until
from tests.faults.bench import Bench
from tests.faults.checker import Room, Verdict, judge
from tests.faults.journal import Journal
from tests.faults.memory import forget_peaks, peak_mib
from tests.faults.people import Talker

BEFORE = AFTER = 2.0  # seconds of talk around a fault
MEAN_SECONDS = 0.4  # between two messages of a person: ten a second from four
CONNECT_SECONDS = 180.0
# So long nothing may move. The server promises 75 seconds for whatever fan-out lost (P5).
SETTLE_SECONDS = 90.0
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Scenario:
    """``breaks`` breaks something, waits, mends it, and marks both moments on the stage."""

    name: str
    number: str
    what: str
    breaks: Callable[["Stage"], None]
    padding: int = 0  # characters more in each text


@dataclass(frozen=True)
class Outcome:
    """What one scenario gave. Seconds; memory in MiB, of the largest of our own processes.

    ``noticed``: from the fault to the first refusal, broken connection or word of
    ``/healthz/ready``; None when nobody noticed. ``healed``: from the mending until everything that
    had been written before was in the log and on every member's screen.
    """

    scenario: Scenario
    seed: int
    seconds: float
    verdict: Verdict
    noticed: float | None
    healed: float
    refusals: int
    reconnects: int
    peak_mib: float
    complaints: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Every promise was kept, and the commands that look at the log say so too."""
        return self.verdict.is_clean and not self.complaints


class Stage:
    """What a scenario works with while people talk."""

    def __init__(self, bench: Bench, scenario: Scenario, seed: int) -> None:
        self.bench = bench
        self.scenario = scenario
        self.seed = f"{scenario.name} {seed}"
        self.random = random.Random(self.seed)
        self.journal = Journal()
        self.members = bench.new_rooms(scenario.name)
        self.talkers = [self._talker(name) for name in bench.homes]
        self.broke_at = self.mended_at = 0.0
        self.noticed_at = 0.0
        self.complaints: list[str] = []
        self._peak = 0.0
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def _talker(self, name: str) -> Talker:
        rooms = [room for room, people in self.members.items() if name in people]
        home = self.bench.homes[name]
        talker = Talker(home, rooms, self.journal, self.seed, MEAN_SECONDS)
        talker.padding = " x" * (self.scenario.padding // 2)
        return talker

    @property
    def garden(self) -> Room:
        """The room of everybody."""
        return next(iter(self.members))

    def hold(self, seconds: float) -> None:
        """Let people talk for so long."""
        self._over.wait(seconds)

    @contextlib.contextmanager
    def fault(self) -> Iterator[None]:
        """Breaks at the beginning and is mended at the end."""
        self.broke_at = time.monotonic()
        yield
        self.mended_at = time.monotonic()

    def complain(self, about: str) -> None:
        """Something that this scenario promises besides did not hold."""
        self.complaints.append(about)

    def play(self) -> Outcome:
        """Let people talk, break, mend, wait for quiet, and judge."""
        began = time.monotonic()
        forget_peaks(self.bench.processes())
        self._watch.start()
        try:
            self._begin_to_talk()
            self.hold(BEFORE)
            self.scenario.breaks(self)
            self.hold(AFTER)
            self._fall_silent()
        finally:
            self._over.set()
            self._everybody_leaves()
            self._watch.join()
        return self._outcome(time.monotonic() - began)

    def _begin_to_talk(self) -> None:
        for talker in self.talkers:
            talker.start()
        until(lambda: all(each.is_there.is_set() for each in self.talkers), CONNECT_SECONDS)
        for talker in self.talkers:
            talker.may_write.set()

    def _fall_silent(self) -> None:
        for talker in self.talkers:
            talker.may_write.clear()
        known, moved = 0, time.monotonic()
        while not self._is_quiet() and time.monotonic() < moved + SETTLE_SECONDS:
            if any(talker.error for talker in self.talkers):
                return
            if self.journal.known() > known:
                known, moved = self.journal.known(), time.monotonic()
            self.hold(LOOK_SECONDS)

    def _is_quiet(self) -> bool:
        """Everybody has everything."""
        return not self.journal.not_stored() and all(
            talker.has_all(self._meant_for(talker)) for talker in self.talkers
        )

    def _meant_for(self, talker: Talker) -> set[bytes]:
        return {message for message, sent in self.journal.sent.items() if sent.room in talker.rooms}

    def _everybody_leaves(self) -> None:
        for talker in self.talkers:
            talker.leave()
        for talker in self.talkers:
            if talker.ident is not None:
                talker.join(CONNECT_SECONDS)
            if talker.error:
                raise talker.error
            if talker.is_alive():
                self.complain(f"{talker.home.name} could not connect any more")

    def _look(self) -> None:
        """Ask again and again how the processes are, and how much memory they hold."""
        while not self._over.wait(LOOK_SECONDS):
            self._peak = max(self._peak, *map(peak_mib, self.bench.processes()), 0.0)
            if self.broke_at and not self.noticed_at and not self._all_ready():
                self.noticed_at = time.monotonic()

    def _all_ready(self) -> bool:
        try:
            answers = [
                httpx.get(f"{site.address}/healthz/ready", timeout=5)
                for site in (self.bench.one, self.bench.two)
            ]
        except httpx.HTTPError:
            return False
        return all(answer.json()["status"] == "ready" for answer in answers)

    def _outcome(self, seconds: float) -> Outcome:
        logs = self.bench.log_of(list(self.members))
        views = {talker.home.name: talker.view for talker in self.talkers}
        sent = list(self.journal.sent.values())
        self._ask_the_operators_command()
        for talker in self.talkers:
            for room, trouble in talker.trouble.items():
                if trouble:
                    self.complain(f"{talker.home.name} sees {trouble} in {room.hex()[:8]}")
        return Outcome(
            scenario=self.scenario,
            seed=int(self.seed.rpartition(" ")[2]),
            seconds=seconds,
            verdict=judge(sent, logs, views, self.members),
            noticed=self._noticed(),
            healed=self._healed(),
            refusals=sum(not _is_connection(each.code) for each in self.journal.troubles),
            reconnects=sum(talker.connections - 1 for talker in self.talkers),
            peak_mib=self._peak,
            complaints=tuple(self.complaints),
        )

    def _ask_the_operators_command(self) -> None:
        """It reads every log, those of former scenarios too, and compares it with its chain."""
        ran = self.bench.manage("verify_all", "--json")
        verdicts = [json.loads(line) for line in ran.stdout.splitlines()]
        known = {uuid.UUID(each["room_id"]).bytes for each in verdicts}
        if ran.returncode or not self.members.keys() <= known:
            broken = [each for each in verdicts if not each["whole"]]
            self.complain(f"verify_all: {broken} {ran.stderr}"[:400])

    def _noticed(self) -> float | None:
        met = [each.at for each in self.journal.troubles if each.at > self.broke_at]
        first = min([*met, *([self.noticed_at] if self.noticed_at else [])], default=None)
        return None if first is None else first - self.broke_at

    def _healed(self) -> float:
        """Until the slowest member had the slowest message that was written before the mending."""
        before = {
            message
            for message, sent in self.journal.sent.items()
            if sent.attempted < self.mended_at
        }
        known = [sent.stored for sent in self.journal.sent.values() if sent.message in before]
        known += [at for (_, message), at in self.journal.heard.items() if message in before]
        return max(0.0, max(known, default=0.0) - self.mended_at)


def _is_connection(code: str) -> bool:
    return code in {"unreachable", "closed", "timeout", "server_timeout", "no_hello"}
