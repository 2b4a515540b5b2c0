"""What happens to web processes, and what clients do to them."""

import asyncio
import json
import signal
import threading
import uuid
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import connect

from crypto_client.client.server import b64, unb64
from crypto_client.client.session import Session
from crypto_client.identity import DeviceKeys, device_proof
from tests.e2e.site import Site
from tests.faults.altered import KILLED, OF_THE_WEB
from tests.faults.people import PATIENCE
from tests.faults.stage import Scenario, Stage
from tests.messaging.live import slow_connection
from tests.messaging.test_metrics import samples

CRASH_SECONDS = 60.0
ORDINARY = ("manage.py",)
DEPLOYS = 10
BETWEEN = 2.0
STORM = 8.0
LONG = 24_000  # characters: a message of 32 KiB
READS_NOTHING = 30.0
WITHOUT_IT = 20.0  # the same talk, to compare with
TOO_SLOW = 'gamrae_ws_close_total{code="4008"}'


def killed_at_each_step(stage: Stage) -> None:
    """Web processes die before the queue has a message, after its confirm, and after fan-out."""
    site = stage.bench.one
    with stage.fault():
        for point in OF_THE_WEB:
            site.stop()
            site.program = ("-m", "tests.faults.altered", f"crash={point}:3")
            site.start()
            site.program = ORDINARY
            stage.bench.entrances[stage.bench.two.address].reset()  # so that people come here
            assert site.process is not None
            if site.process.wait(CRASH_SECONDS) != KILLED:
                stage.complain(f"the web process did not come to {point}")
        site.start()


def rolling_deploys(stage: Stage) -> None:
    """One web process after the other is told to end, and a new one takes its place."""
    before = {talker.home.name: talker.connections for talker in stage.talkers}
    with stage.fault():
        for number in range(DEPLOYS):
            site = (stage.bench.one, stage.bench.two)[number % 2]
            site.end(signal.SIGTERM)
            site.start()
            stage.hold(BETWEEN)
    for talker in stage.talkers:
        if talker.connections - before[talker.home.name] > DEPLOYS:
            stage.complain(f"{talker.home.name} connected more than once for each deploy")


def duplicates(stage: Stage) -> None:
    """Every message goes out five times more, over three sockets, in any order."""
    with stage.fault():
        for talker in stage.talkers:
            talker.storms = True
        stage.hold(STORM)
        for talker in stage.talkers:
            talker.storms = False


def slow_reader(stage: Stage) -> None:
    """One member opens a socket, proves it, and never reads while others talk much."""
    stage.hold(WITHOUT_IT)
    quiet, closed = stage.journal.delays(stage.members), _too_slow(stage)
    with stage.fault():
        _read_nothing(stage)
    if _too_slow(stage) == closed:
        stage.complain("who reads nothing was not closed with 4008")
    compare(stage, quiet)


def compare(stage: Stage, quiet: list[float]) -> None:
    """Complain when others wait much longer than in ``quiet``, or when nobody wrote anything."""
    loud = stage.journal.delays(stage.members, since=stage.broke_at)
    if not loud:
        stage.complain("nobody wrote while one read nothing")
    elif _p99(loud) > 2 * _p99(quiet) + 1:
        stage.complain(f"others waited {_p99(loud):.1f} s, {_p99(quiet):.1f} s before")


def _p99(seconds: list[float]) -> float:
    return seconds[len(seconds) * 99 // 100] if seconds else 0.0


def _read_nothing(stage: Stage) -> None:
    """Open a socket with next to no room for what comes, prove the device, and be silent."""
    lurker = stage.bench.lurker
    with Session.open(lurker.folder, lurker.addresses[0], PATIENCE) as session:
        keys, token = session.keyring.device, session.server.token
        asyncio.run(_prove_and_wait(stage, keys, {"X-Session-Token": token or ""}))


async def _prove_and_wait(stage: Stage, keys: DeviceKeys, headers: dict[str, str]) -> None:
    port = stage.bench.one.port
    address, narrow = f"ws://127.0.0.1:{port}/ws/", slow_connection(port)
    options: dict[str, Any] = {"compression": None, "max_size": None, "ping_interval": None}
    wire = await connect(address, sock=narrow, additional_headers=headers, **options)
    hello = json.loads(await wire.recv())
    signature = device_proof(keys, hello["origin"], unb64(hello["nonce"]))
    proof = {"device_id": str(uuid.UUID(bytes=keys.device)), "signature": b64(signature)}
    await wire.send(json.dumps({"event": "device.prove", "ref": "1", **proof}))
    assert json.loads(await wire.recv())["event"] == "reply"
    wire.transport.pause_reading()
    await asyncio.to_thread(stage.hold, READS_NOTHING)
    wire.transport.abort()
    await wire.wait_closed()


def _too_slow(stage: Stage) -> float:
    """How many sockets the first web process has closed because they did not read."""
    return float(samples(stage.bench.metrics_of_one).get(TOO_SLOW, 0.0))


def clocks_apart(stage: Stage) -> None:
    """One web process is an hour ahead and the archiver an hour behind."""
    site, archiver = stage.bench.one, stage.bench.archiver
    with stage.fault():
        _restart(site, "skew=3600")
        archiver.end(signal.SIGTERM)
        archiver.program = ("-m", "tests.faults.altered", "skew=-3600")
        archiver.start()
        archiver.program = ORDINARY
        stage.hold(15.0)
        _restart(site, "")
        archiver.end(signal.SIGTERM)
        archiver.start()


def _restart(site: Site, alteration: str) -> None:
    site.end(signal.SIGTERM)
    site.program = ("-m", "tests.faults.altered", alteration) if alteration else ORDINARY
    site.start()
    site.program = ORDINARY


def everything_killed(stage: Stage) -> None:
    """``kill -9`` of every process and service at one moment; they start in any order."""
    bench = stage.bench
    with stage.fault():
        for process in (bench.one, bench.two, bench.archiver):
            process.end(signal.SIGKILL)
        for service in bench.services.values():
            service.die(signal.SIGKILL)
        starts: list[Callable[[], object]] = [each.start for each in bench.services.values()]
        starts += [bench.one.start, bench.two.start, bench.archiver.start]
        stage.random.shuffle(starts)
        threads = [threading.Thread(target=start) for start in starts]
        for thread in threads:
            thread.start()
            stage.hold(stage.random.uniform(0, 1))
        for thread in threads:
            thread.join()


SCENARIOS = (
    Scenario("web-steps", "F11", "web processes die around the confirm", killed_at_each_step),
    Scenario("duplicates", "F12", "everything is sent six times over three sockets", duplicates),
    Scenario("slow-reader", "F14", "one member reads nothing for 30 s", slow_reader, padding=LONG),
    Scenario("rolling-deploys", "F16", f"{DEPLOYS} restarts of web processes", rolling_deploys),
    Scenario("clocks-apart", "F17", "clocks an hour ahead and an hour behind", clocks_apart),
    Scenario("everything-killed", "F19", "everything is killed at once", everything_killed),
)
