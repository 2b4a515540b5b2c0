"""What the client's cryptography costs in this machine's Chromium."""

import json
import os
import shutil

from playwright.sync_api import sync_playwright

from benchmarks.epoch_case import DEVICES
from benchmarks.results import Result, percentiles
from benchmarks.servers import ROOT, migrate, serving, solo

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
MEASURE = """async ([address, devices]) => {
  await import(address);
  return await measureCrypto(devices);
}"""


def chromium() -> str:
    """This machine's Chromium, or the one that CHROMIUM names."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise RuntimeError("no Chromium found: install it, or name one in CHROMIUM")
    return found


def in_chromium() -> list[Result]:
    """Keys, messages, epochs, the past and unlocking, on a page of ours under its own policy."""
    browser_path = chromium()
    manifest = json.loads((ROOT / "frontend" / "dist" / "manifest.json").read_text())
    script = "/static/" + manifest["src/entries/bench.ts"]["file"]
    with solo() as settings:
        migrate(settings)
        with serving(settings, "daphne") as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            page = browser.new_page()
            page.goto(f"{server.address}/accounts/login/")
            measured: dict[str, list[float]] = page.evaluate(MEASURE, [script, DEVICES])
            browser.close()
    return [
        result
        for what, milliseconds in measured.items()
        for result in percentiles("browser", "chromium", what, [ms / 1000 for ms in milliseconds])
    ]
