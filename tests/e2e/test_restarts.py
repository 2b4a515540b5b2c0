"""The parts of a cluster end and come back, one at a time, while people go on talking."""

import re
import signal
import uuid

import pytest
from playwright.sync_api import expect

from tests.cli.terminal import Terminal

PROFILES = ("cluster",)  # solo has one part: tests/e2e/test_connection.py ends it
HEALED = 40_000


@pytest.fixture
def friends(friends):
    """alice by the first web process and bob by the second, in their room."""
    alice, bob = friends
    with alice.watch.cut_off(), bob.watch.cut_off():
        yield friends


def asks(person, site):
    """Whether this server process hears of it when the person's browser asks for something."""
    heard = site.complained_to.read_bytes().count(b"HTTP b'GET'")
    assert person.fetch("/api/me")["status"] == 200
    return site.complained_to.read_bytes().count(b"HTTP b'GET'") > heard


def expect_stored(person, *texts):
    """The person's own messages are in the log, however long it takes."""
    for text in texts:
        stored = person.bubble(text)
        expect(stored).to_have_attribute("data-state", "stored", timeout=HEALED)


def talk(alice, bob, *words):
    """Both say each word, and both hear what the other said."""
    for word in words:
        for speaker, listener in ((alice, bob), (bob, alice)):
            text = f"{speaker.name}: {word}"
            speaker.say(text)
            expect(listener.bubble(text)).to_be_visible(timeout=HEALED)
    for speaker in (alice, bob):
        expect_stored(speaker, *(f"{speaker.name}: {word}" for word in words))


def assert_nothing_is_lost_or_doubled(alice, bob, said):
    """Both see every message once and in the same order, also after a reload."""
    shown = []
    for person in (alice, bob):
        person.page.reload()
        expect(person.page.locator(".line .text")).to_have_count(said, timeout=HEALED)
        shown.append(person.page.locator(".line .text").all_inner_texts())
        expect(person.page.locator(".unreadable")).to_have_count(0)
    assert shown[0] == shown[1]
    assert len(set(shown[0])) == said


def test_each_is_served_by_a_process_of_their_own(friends, own_site):
    alice, bob = friends

    assert asks(alice, own_site.one)
    assert asks(bob, own_site.two)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("ended", ["one", "two"])
def test_a_web_process_ends_and_comes_back_while_they_talk(friends, own_site, ended, number):
    alice, bob = friends
    web = getattr(own_site, ended)

    web.end(number)
    talk(alice, bob, "by the other process")
    web.start()
    talk(alice, bob, "by both")

    assert_nothing_is_lost_or_doubled(alice, bob, said=5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_archiver_ends_and_comes_back_while_they_talk(friends, own_site, number):
    alice, bob = friends
    own_site.archiver.end(number)

    alice.say("nobody archives")
    expect(alice.bubble("nobody archives")).to_have_attribute("data-state", "accepted")
    expect(bob.bubble("nobody archives")).to_be_visible()
    bob.say("nor this")
    expect(alice.bubble("nor this")).to_be_visible()
    own_site.archiver.start()

    expect_stored(alice, "nobody archives")
    expect_stored(bob, "nor this")
    assert_nothing_is_lost_or_doubled(alice, bob, said=3)


def test_the_proxy_is_reloaded_while_they_talk(friends, own_site):
    alice, bob = friends

    talk(alice, bob, "one")
    for name in ("alice", "bob"):
        own_site.entrance_of(name).reload()
    talk(alice, bob, "two", "three")

    assert_nothing_is_lost_or_doubled(alice, bob, said=7)


@pytest.fixture
def dana(own_site, certificates, tmp_path, capsys, monkeypatch):
    """dana at her terminal, by the second web process."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    email, address = f"dana.{uuid.uuid4().hex}@example.org", own_site.entrance_of("dana").address
    return Terminal("dana", email, address, tmp_path / "dana", capsys).sign_up()


def test_a_browser_and_a_terminal_talk_on_while_everything_restarts_in_turn(door, own_site, dana):
    alice = door.visitor(own_site, "alice").sign_up()
    alice.ask_friend(dana.email)
    assert dana("friend", "accept", alice.email).status == 0
    expect(alice.friend("dana")).to_be_visible()
    alice.open_direct("dana")
    texts = []

    with alice.watch.cut_off():
        for part in ("one", "two", "archiver"):
            getattr(own_site, part).end(signal.SIGKILL)
            texts += [f"alice: without {part}", f"dana: without {part}"]
            alice.say(texts[-2])
            expect(alice.bubble(texts[-2])).to_have_attribute(
                "data-state", re.compile("accepted|stored"), timeout=HEALED
            )
            assert dana("send", alice.email, texts[-1]).row["state"] in {"accepted", "stored"}
            expect(alice.bubble(texts[-1])).to_be_visible(timeout=HEALED)
            own_site.start()

    expect_stored(alice, *texts[::2])
    alice.expect_reads(*texts)
    assert dana.reads(alice.email) == texts
