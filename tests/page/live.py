"""Watches the page while a real nginx goes away and comes back, and then reachd itself: live.py URL NGINX_CONF REACHD_PID."""

import os
import signal
import subprocess
import sys

from browser import Watched, browser, expect

URL, CONF, REACHD = sys.argv[1], sys.argv[2], int(sys.argv[3])


def nginx():
    return subprocess.Popen(["nginx", "-c", CONF], stdin=subprocess.DEVNULL)


server = nginx()
try:
    with browser() as chromium:
        watched = Watched(chromium)
        page = watched.page
        page.goto(URL)
        cell = page.locator("a.cell[href='/checks/site/comes-and-goes/direct']")
        expect(cell).to_have_class("cell ok")
        expect(page.locator(".verdict .tally").last).to_contain_text("All is well since")
        page.get_by_label("Search").fill("comes")
        expect(page.locator("a.cell")).to_have_count(1)
        cell.focus()
        page.evaluate("window.sameDocument = true")
        server.terminate()
        server.wait(10)
        expect(cell).to_have_class("cell critical")
        expect(cell).to_contain_text("connect/refused")
        expect(page.locator(".verdict .state")).to_have_text("CRITICAL")
        expect(page.get_by_label("Search")).to_have_value("comes")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "/checks/site/comes-and-goes/direct"
        server = nginx()
        expect(cell).to_have_class("cell ok")
        expect(page.locator(".verdict .state")).to_have_text("OK")
        assert page.evaluate("window.sameDocument"), "the page was loaded anew"
        watched.must_be_clean()
        # The end of reachd is told; that the connection is refused is no fault of the page.
        os.kill(REACHD, signal.SIGTERM)
        expect(page.locator("#live")).to_contain_text("Connection lost")
        watched.close()
finally:
    server.terminate()
    server.wait(10)
