"""Takes the pictures that the documentation shows, of a running reachd: pictures.py URL FOLDER, by `PICTURES=docs tests/run page::looked_at`."""

import sys
from pathlib import Path

from browser import Watched, browser, expect

URL, FOLDER = sys.argv[1], Path(sys.argv[2])
CHECK = "/checks/site/admin-service/direct"


def picture(chromium, name, path, scheme, width, height, whole=False):
    watched = Watched(chromium, width, height, color_scheme=scheme)
    watched.page.goto(f"{URL}{path}")
    expect(watched.page.locator("#live")).to_have_text("Live")
    watched.page.screenshot(path=FOLDER / f"{name}.png", full_page=whole)
    watched.close()


with browser() as chromium:
    picture(chromium, "status-page", "/", "light", 1280, 1800, whole=True)
    picture(chromium, "status-page-dark", "/", "dark", 1280, 1800, whole=True)
    picture(chromium, "status-page-phone", "/", "light", 390, 1400)
    picture(chromium, "check-page", CHECK, "light", 1280, 1600, whole=True)
