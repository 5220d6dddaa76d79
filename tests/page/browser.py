"""The system's Chromium, and what every test wants of a page: no error in the console, nothing from elsewhere."""

from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)


@contextmanager
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


class Watched:
    """A page of which every error and every request is known."""

    def __init__(self, chromium, width=1280, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        self.page = context.new_page()
        self.errors = []
        self.sizes = {}
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfinished", self._loaded)

    def _said(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _loaded(self, request):
        self.sizes[request.url] = request.sizes()["responseBodySize"]

    def must_be_clean(self):
        assert not self.errors, f"the console says {self.errors}"

    def must_be_accessible(self, what):
        results = Axe().run(self.page)
        found = [
            (violation["id"], [node["html"][:200] for node in violation["nodes"]][:3])
            for violation in results.response["violations"]
        ]
        assert not found, f"axe on {what}: {found}"

    def close(self):
        # What is still on its way has no size any more.
        self.page.remove_listener("requestfinished", self._loaded)
        self.page.context.close()
