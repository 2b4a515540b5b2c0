"""Renders the drawn icons of `public/icons` to the PNG sizes that phones ask for.

Run after changing a drawing: `python frontend/tools/render_icons.py`.
Needs Playwright and Chromium.
"""

import os
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ICONS = Path(__file__).resolve().parent.parent / "public" / "icons"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# drawing, size in pixels, file; the maskable drawing has the margin and the ground that phones want
PICTURES = [
    ("gamrae", 192, "gamrae-192"),
    ("gamrae", 512, "gamrae-512"),
    ("gamrae-maskable", 512, "gamrae-maskable-512"),
    ("gamrae-maskable", 180, "gamrae-touch-180"),
]


def render(page: Page, drawing: str, size: int, name: str) -> None:
    page.set_viewport_size({"width": size, "height": size})
    page.set_content((ICONS / f"{drawing}.svg").read_text())
    page.add_style_tag(content="body{margin:0}svg{display:block;width:100vw;height:100vh}")
    page.screenshot(path=ICONS / f"{name}.png", omit_background=True)


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        for drawing, size, name in PICTURES:
            render(page, drawing, size, name)
        browser.close()


if __name__ == "__main__":
    main()
