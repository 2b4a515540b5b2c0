"""One Chromium for the run, one browser profile for each person, and both profiles of the server.

What a person can do is tried on solo, with a server for each module, and on one cluster of two web
processes behind the deployers' proxy. A module that needs less says so in ``PROFILES``.
"""

import base64
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, expect, sync_playwright

from deploy.services.certificates import make_certificates
from tests.cluster.own_services import services_of_this_run
from tests.cluster.processes import own_database
from tests.cluster.proxied import ProxiedCluster
from tests.e2e.person import Person, new_person
from tests.e2e.site import Site

BOTH = ("solo", "cluster")
NAMES = ("chromium-headless-shell", "chromium")

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """The Chromium that CHROMIUM names, else the system's; without windows where there is one."""
    named = os.environ.get("CHROMIUM")
    found = [shutil.which(name) for name in ([named] if named else NAMES)]
    assert any(found), "no Chromium: install it, or name one in CHROMIUM"
    return next(filter(None, found))


@pytest.fixture(scope="session")
def playwright():
    expect.set_options(timeout=15_000)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A folder with a certificate that nobody knows but these tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates")).parent


def trusting(folder: Path) -> str:
    """The switch by which Chromium takes the certificate in a folder for a good one."""
    certificate = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = base64.b64encode(hashlib.sha256(key).digest()).decode()
    return f"--ignore-certificate-errors-spki-list={digest}"


@pytest.fixture(scope="session")
def browser(playwright, certificates):
    switches = [*SWITCHES, trusting(certificates)]
    running = playwright.chromium.launch(executable_path=chromium(), args=switches)
    yield running
    running.close()


def pytest_generate_tests(metafunc):
    """Once for each profile of the server that the test's module asks for."""
    if "profile" in metafunc.fixturenames:
        profiles = getattr(metafunc.module, "PROFILES", BOTH)
        metafunc.parametrize("profile", profiles, indirect=True, scope="session")


@pytest.fixture(scope="session")
def profile(request):
    return request.param


@pytest.fixture(scope="session")
def empty_data(tmp_path_factory):
    """A data folder that is migrated and holds nobody."""
    site = Site(tmp_path_factory.mktemp("empty"))
    site.manage("migrate", "--verbosity", "0")
    return site.data


@pytest.fixture(scope="session")
def cluster(tmp_path_factory, certificates):
    """One cluster for the whole run: starting it takes longer than most tests."""
    with (
        services_of_this_run(tmp_path_factory.mktemp("services")) as addresses,
        own_database(addresses, f"browser{uuid.uuid4().hex[:8]}") as settings,
    ):
        folder = tmp_path_factory.mktemp("cluster")
        running = ProxiedCluster(folder, {**settings, "LOG_LEVEL": "DEBUG"}, certificates)
        try:
            yield running.start()
        finally:
            running.stop()


@contextmanager
def solo(folder: Path, empty_data: Path) -> Iterator[Site]:
    """A server over an empty data folder."""
    shutil.copytree(empty_data, folder / "data")
    running = Site(folder)
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="module")
def site(profile, request, tmp_path_factory):
    """What people use: a server of the module's own, or the cluster."""
    if profile == "cluster":
        yield request.getfixturevalue("cluster")
        return
    with solo(tmp_path_factory.mktemp("site"), request.getfixturevalue("empty_data")) as running:
        yield running


@pytest.fixture
def own_site(profile, request, tmp_path):
    """What the test may kill: a server of its own, or the cluster, which is whole afterwards."""
    if profile == "cluster":
        running = request.getfixturevalue("cluster")
        yield running
        running.start()
        return
    with solo(tmp_path, request.getfixturevalue("empty_data")) as running:
        yield running


class Door:
    """Lets people in, and at the end asks whether any of their pages did what none may."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.people: list[Person] = []

    def visitor(self, site: Site | ProxiedCluster, name: str, **options) -> Person:
        """Somebody who has not signed up; their address is used by no other test."""
        email = f"{name}.{uuid.uuid4().hex[:10]}@example.org"
        person = new_person(self.browser, site.entrance_of(name), name, email, **options)
        self.people.append(person)
        return person

    def close(self) -> None:
        problems = {person.name: person.watch.problems for person in self.people}
        for person in self.people:
            person.context.close()
        assert {name: found for name, found in problems.items() if found} == {}


@pytest.fixture
def door(browser):
    opened = Door(browser)
    yield opened
    opened.close()


@pytest.fixture
def visitor(door, site):
    """Make somebody with a browser, on the module's server."""
    return lambda name="visitor", **options: door.visitor(site, name, **options)


@pytest.fixture
def person(visitor):
    """Make somebody who has signed up."""
    return lambda name, **options: visitor(name, **options).sign_up()


@pytest.fixture
def alice(person):
    return person("alice")


@pytest.fixture
def bob(person, alice):
    """A friend of alice."""
    bob = person("bob")
    alice.befriend(bob)
    return bob


@pytest.fixture
def carol(person, alice):
    """A friend of alice only."""
    carol = person("carol")
    alice.befriend(carol)
    return carol


@pytest.fixture
def mallory(person):
    """A stranger."""
    return person("mallory")


@pytest.fixture
def friends(door, own_site):
    """alice and bob in their room, on a server that the test may kill."""
    alice = door.visitor(own_site, "alice").sign_up()
    bob = door.visitor(own_site, "bob").sign_up()
    alice.befriend(bob)
    alice.open_direct("bob")
    alice.say("before")
    bob.enter("alice")
    expect(bob.bubble("before")).to_be_visible()
    return alice, bob


@pytest.fixture
def elsewhere(visitor):
    """Somebody in front of a browser that has nothing of theirs, signed in with their password."""

    def make(person, **options):
        other = visitor(f"{person.name}-elsewhere", **options)
        other.email, other.password = person.email, person.password
        other.sign_in()
        expect(other.page.locator("gamrae-app[data-phase=no_keys_here]")).to_have_count(1)
        return other

    return make
