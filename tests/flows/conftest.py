"""Flows may use a browser: a Chromium that is closed again before the next test begins."""

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.e2e.site import Site


@pytest.fixture
def playwright():
    expect.set_options(timeout=20_000)
    with sync_playwright() as running:
        yield running


@pytest.fixture
def site(tmp_path):
    """A server of this test's own, over an empty data folder."""
    made = Site(tmp_path / "server")
    made.manage("migrate", "--verbosity", "0")
    yield made.start()
    made.stop()
    shutil.rmtree(tmp_path / "server", ignore_errors=True)
