"""Reads what `check` wrote: reports.py JUNIT HTML. The file must ask for nothing, and be as accessible as the page."""

import sys
from pathlib import Path

from browser import Watched, browser, expect
from junitparser import Failure, JUnitXml, Skipped

junit = JUnitXml.fromfile(sys.argv[1])
assert (junit.tests, junit.failures) == (6, 1), (junit.tests, junit.failures)
cases = {case.name: case for suite in junit for case in suite}
assert cases["web"].is_passed, cases
[failure] = cases["expired"].result
assert isinstance(failure, Failure) and failure.type == "tls/expired", failure
assert "expired.lab.test" in failure.message and "What to do:" in failure.text, failure.text
skipped = [case.result[0] for case in cases.values() if case.is_skipped]
assert len(skipped) == 4 and all(isinstance(one, Skipped) and one.message for one in skipped), skipped

with browser() as chromium:
    for scheme in ["light", "dark"]:
        watched = Watched(chromium, color_scheme=scheme)
        address = Path(sys.argv[2]).as_uri()
        watched.page.goto(address)
        expect(watched.page.locator(".verdict .state")).to_have_text("CRITICAL")
        ground = watched.page.evaluate("getComputedStyle(document.querySelector('.verdict')).backgroundColor")
        assert ground != "rgba(0, 0, 0, 0)", "the style is refused"
        watched.page.locator(".names a, .witnesses a").first.click()
        expect(watched.page.locator("tr:target")).to_be_visible()
        watched.must_be_accessible("the report")
        watched.must_be_clean()
        asked = {url.split("#")[0] for url in watched.sizes}
        assert asked <= {address}, asked
        watched.close()
