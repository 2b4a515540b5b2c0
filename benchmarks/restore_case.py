"""How soon a person reads again who has nothing but the recovery words: rooms full of messages."""

import json
import os
import re
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks import servers
from benchmarks.apart import apart
from benchmarks.browser_case import FLAGS, chromium
from benchmarks.results import Result
from benchmarks.servers import Settings
from benchmarks.terminals import PASSWORD, Terminal
from crypto_client.body import text_body
from crypto_client.client.keys import device_from_json
from crypto_client.client.store import Store
from crypto_client.envelope import parse_envelope, seal_message
from crypto_client.ratchet import epoch_from_json

# BENCH_ROOMS=2 BENCH_MESSAGES=60 makes less of it.
ROOMS = int(os.environ.get("BENCH_ROOMS", "20"))
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "1000"))
LAST = "the last of room"
LONGEST_SECONDS = 900
STAMP = bytes(32)
LASTS_SHOWN = f"() => (document.body.innerText.match(/{LAST}/g) ?? []).length"
ITEMS_KEPT = """(name) => new Promise((resolve, reject) => {
  const opening = indexedDB.open(name);
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const counting = opening.result.transaction("items").objectStore("items").count();
    counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
  };
})"""


@dataclass(frozen=True, slots=True)
class Written:
    """A sealed message on its way into the log."""

    room: bytes
    envelope: bytes
    seq: int


def restoring() -> list[Result]:
    """Restore at the command line and in Chromium; the newest of every room, then everything."""
    with servers.solo() as settings, tempfile.TemporaryDirectory(prefix="gamrae-homes-") as homes:
        # The real clients prove their devices for the address that they talk to.
        port = servers.free_port()
        settings = {**settings, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        servers.migrate(settings)
        with servers.serving(settings, "daphne", port) as server:
            alice, bob = (
                Terminal(f"{name}@example.org", Path(homes) / name, server.address)
                for name in ("alice", "bob")
            )
            rooms = _meet(alice, bob)
            apart(_fill, settings, _seal(bob, rooms))
            return [*_in_chromium(alice), *_at_the_command_line(alice)]


def _meet(alice: Terminal, bob: Terminal) -> list[str]:
    alice.signs_up()
    bob.signs_up()
    bob("friend", "add", alice.email)
    alice("friend", "accept", bob.email)
    made = [bob("room", "group", f"room {number}", alice.email) for number in range(ROOMS)]
    alice("room", "list")  # alice's device has opened every epoch, and left its records
    for number in range(ROOMS):
        alice("read", f"room {number}")
    return [str(rows[0]["room_id"]) for rows in made]


def _seal(bob: Terminal, rooms: list[str]) -> list[Written]:
    """Everything that bob wrote, under his own chains."""
    store = Store(bob.home)
    try:
        device = device_from_json(store.fact("device"))
        written = []
        for number, room_id in enumerate(rooms):
            room = uuid.UUID(room_id).bytes
            row = store.row("SELECT state FROM epochs WHERE room = ?", room)
            if row is None:
                raise RuntimeError("a room without an epoch")
            epoch = epoch_from_json(json.loads(row["state"]))
            for seq in range(2, MESSAGES + 2):
                text = f"{LAST} {number}" if seq == MESSAGES + 1 else f"{'x' * 100} {seq}"
                now = time.time_ns() // 1_000_000
                msg_id = os.urandom(16)
                sealed = seal_message(epoch, device, text_body(text), msg_id=msg_id, time=now)
                epoch = sealed.epoch
                written.append(Written(room, sealed.envelope, seq))
        return written
    finally:
        store.close()


def _fill(settings: Settings, written: list[Written]) -> None:
    servers.set_up_django(settings)
    import asyncio

    asyncio.run(_insert(written))


async def _insert(written: list[Written]) -> None:
    from messaging import runtime
    from messaging.record import Kind, Record

    records = []
    for each in written:
        envelope = parse_envelope(each.envelope)
        pre = envelope.header.pre
        place = (uuid.UUID(bytes=each.room), Kind.MESSAGE, pre.epoch, uuid.UUID(bytes=pre.msg_id))
        records.append(
            Record(
                *place,
                envelope.eid,
                each.envelope,
                pre.time,
                device_id=uuid.UUID(bytes=pre.device),
                n=pre.n,
                counts=True,
                key_id=1,
                stamp=STAMP,
                seq=each.seq,
            )
        )
    await runtime.start()
    try:
        for start in range(0, len(records), 200):
            await runtime.log().insert(records[start : start + 200])
    finally:
        await runtime.stop()


def _at_the_command_line(alice: Terminal) -> list[Result]:
    began = time.perf_counter()
    other = alice.another()
    restored = time.perf_counter() - began
    for number in range(ROOMS):
        texts = [row.get("text") for row in other("read", f"room {number}", "--last", "50")]
        if len(texts) != min(50, len(texts)) or f"{LAST} {number}" not in texts:
            raise RuntimeError(f"room {number} ends with {texts[-2:]}")
    return [_seconds("command line", "everything readable", restored)]


def _in_chromium(alice: Terminal) -> list[Result]:
    words = alice("recovery", "set")[0]["words"]
    user = alice("whoami")[0]["user_id"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(locale="en-US")
        page.goto(f"{alice.server}/accounts/login/")
        page.get_by_label(re.compile("E-?mail")).fill(alice.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Recovery key").fill(words)
        began = time.perf_counter()
        page.get_by_role("button", name="Get my chats back").click()
        _until(page, lambda: page.evaluate(LASTS_SHOWN) >= ROOMS)
        newest = time.perf_counter() - began
        everything = ROOMS * (MESSAGES + 1)
        _until(page, lambda: page.evaluate(ITEMS_KEPT, f"gamrae:{user}") >= everything)
        whole = time.perf_counter() - began
        browser.close()
    return [
        _seconds("chromium", "newest 50 of every room readable", newest),
        _seconds("chromium", "everything readable", whole),
    ]


def _until(page: Page, is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            raise RuntimeError(f"it does not end: {page.evaluate(LASTS_SHOWN)} rooms are there")
        page.wait_for_timeout(20)


def _seconds(stack: str, metric: str, seconds: float) -> Result:
    what = f"{metric}, {ROOMS} rooms of {MESSAGES:,}"
    return Result("restoring", stack, what, "ms", 1000 * seconds)
