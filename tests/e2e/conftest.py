"""One Chromium for the run, one server for each module, one browser profile for each person."""

import os
import shutil
import uuid

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.person import Person, new_person
from tests.e2e.site import Site

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
    """The Chromium of the system, or the one that CHROMIUM names."""
    found = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    assert found is not None, "no Chromium: install it, or name one in CHROMIUM"
    return found


@pytest.fixture(scope="session")
def playwright():
    expect.set_options(timeout=15_000)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright):
    running = playwright.chromium.launch(executable_path=chromium(), args=list(SWITCHES))
    yield running
    running.close()


@pytest.fixture(scope="session")
def empty_data(tmp_path_factory):
    """A data folder that is migrated and holds nobody."""
    site = Site(tmp_path_factory.mktemp("empty"))
    site.manage("migrate", "--verbosity", "0")
    return site.data


@pytest.fixture(scope="module")
def site(tmp_path_factory, empty_data):
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(empty_data, folder / "data")
    running = Site(folder).start()
    yield running
    running.stop()


@pytest.fixture
def own_site(tmp_path, empty_data):
    """A server of the test's own, which it may kill."""
    shutil.copytree(empty_data, tmp_path / "data")
    running = Site(tmp_path).start()
    yield running
    running.stop()


class Door:
    """Lets people in, and at the end asks whether any of their pages did what none may."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.people: list[Person] = []

    def visitor(self, site: Site, name: str, **options) -> Person:
        """Somebody who has not signed up; their address is used by no other test."""
        email = f"{name}.{uuid.uuid4().hex[:10]}@example.org"
        person = new_person(self.browser, site, name, email, **options)
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
