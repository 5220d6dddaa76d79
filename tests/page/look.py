"""Looks at the status page of a running reachd: look.py URL. What goes wrong is an assertion."""

import re
import sys

from browser import Watched, browser, expect

URL = sys.argv[1]
MOST_BYTES = 200_000


def everything_is_said(watched):
    page = watched.page
    page.goto(URL)
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator(".card").filter(has_text="proxy_down")).to_have_count(1)
    expect(page.locator(".card").filter(has_text="proxy_down")).to_contain_text("branch")
    expect(page.locator(".matrix thead th")).to_have_text(["Endpoint", "direct", "branch", "corp"])
    cell = page.locator("a.cell[href='/checks/tenant-attach/sign-in/direct']")
    expect(cell).to_have_class("cell ok")
    expect(cell).to_contain_text("ms")
    expect(page.locator("a.cell.critical[href='/checks/site/admin-service/direct']")).to_contain_text("tls/expired")
    expect(page.locator("td.not-probed").first).to_contain_text("not probed")
    tenant_attach = page.locator(".services article").filter(has_text="Tenant attach")
    expect(tenant_attach).to_contain_text("does not work over branch")
    expect(tenant_attach).to_contain_text("sign-in")
    loaded = {url: size for url, size in watched.sizes.items() if "/events" not in url}
    assert all(url.startswith(URL) for url in loaded), loaded
    assert sum(loaded.values()) < MOST_BYTES, loaded


def filters_apply_while_typing(page):
    rows = page.locator(".matrix tr:not(.service):not(thead tr)")
    every = rows.count()
    assert every > 5, every
    page.keyboard.press("Tab")
    page.get_by_label("Search").focus()
    page.keyboard.type("sign")
    expect(rows).to_have_count(1)
    assert page.url.endswith("/?q=sign"), page.url
    assert page.evaluate("document.activeElement.name") == "q", "the focus stays where one types"
    page.get_by_label("Search").fill("")
    page.get_by_label("State").select_option("failing")
    expect(page.locator("a.cell.ok")).to_have_count(0)
    page.get_by_label("Service").select_option("site")
    expect(page.locator(".matrix tr.service")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("State")).to_have_value("failing")
    page.get_by_role("link", name="Reset").click()
    expect(rows).to_have_count(every)
    page.get_by_label("Search").fill("no such thing")
    expect(page.locator(".none")).to_be_visible()
    page.get_by_label("Search").fill("")
    expect(rows).to_have_count(every)


def keyboard_is_enough(page):
    page.goto(URL)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                const at = document.activeElement;
                return [at.getAttribute("href") || at.getAttribute("name") || at.id, style.outlineStyle, parseFloat(style.outlineWidth)];
            }"""
        )
        if focus[0]:
            seen.add(focus[0])
            assert focus[1] != "none" and focus[2] >= 2, f"no visible focus on {focus}"
    assert {"/", "theme", "q", "state", "service", "route", "/checks/site/admin-service/direct"} <= seen, seen
    page.locator("a.cell[href='/checks/site/admin-service/direct']").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("admin-service")


def a_check_tells_everything(page):
    page.goto(f"{URL}/checks/site/admin-service/direct")
    expect(page.locator("#live")).to_have_text("Live")
    for heading in ["Why it fails", "The last probe", "What it saw", "Uptime", "Latency by phase", "Last failures"]:
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.locator(".waterfall tr.failed")).to_contain_text("tls")
    expect(page.locator(".seen .certificate").first).to_contain_text("not valid now")
    failure = page.locator(".failures details").last
    failure.locator("summary").click()
    # New failures push it down, and it stays open; what was scrolled to stays in place.
    key = failure.get_attribute("data-key")
    before = page.locator("footer time").inner_text()
    expect(page.locator("footer time")).not_to_have_text(before)
    kept = page.locator(f".failures details[data-key='{key}']")
    if kept.count():
        assert kept.evaluate("details => details.open"), "an open detail was closed by a renewal"
    page.goto(f"{URL}/checks/tenant-attach/sign-in/branch")
    expect(page.locator(".part-of")).to_contain_text("branch")


def latency_is_shown_over_time(page):
    page.goto(f"{URL}/checks/tenant-attach/sign-in/direct")
    spans = page.get_by_role("navigation", name="Time that is shown")
    expect(spans.locator("[aria-current]")).to_have_text("last probes")
    for words, unit in [("1 hour", "two minutes"), ("24 hours", "half an hour"), ("7 days", "three hours")]:
        spans.get_by_role("link", name=words).click()
        expect(spans.locator("[aria-current]")).to_have_text(words)
        section = page.locator("section[aria-labelledby=latency]")
        expect(section).to_contain_text(f"mean of {unit}")
        expect(section.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"^Means of .*, up to .* ms: \d+ of "))
        section.locator("summary").click()
        # On a busy machine one may fail.
        expect(section.locator(".probes tbody tr").first).to_contain_text(re.compile(r"all reachable|\d failed"))


def failures_are_explained(page):
    page.goto(URL)
    page.locator(".card").filter(has_text="proxy_down").get_by_role("link", name="proxy_down").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("proxy_down")
    page.get_by_role("link", name="all explanations").click()
    page.get_by_role("link", name="tls/expired").click()
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".advice").first).to_be_visible()
    # It changes with nothing, and so waits for nothing.
    expect(page.locator("#live")).to_be_hidden()


def print_is_the_content_alone(page):
    page.goto(URL)
    page.emulate_media(media="print")
    for gone in [".top nav", ".filters", ".skip"]:
        expect(page.locator(gone)).to_be_hidden()
    expect(page.locator(".matrix")).to_be_visible()
    page.emulate_media(media="screen")


def themes_change_and_stay(page):
    page.goto(URL)
    button = page.locator("#theme")
    expect(button).to_have_text("Theme: auto")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button.click()
    button.click()
    expect(button).to_have_text("Theme: dark")
    assert page.evaluate(ground) != light
    page.reload()
    expect(button).to_have_text("Theme: dark")
    assert page.evaluate(ground) != light
    button.click()


def it_works_without_script(chromium):
    watched = Watched(chromium, java_script_enabled=False)
    page = watched.page
    page.goto(URL)
    expect(page.locator(".verdict h1")).to_have_text("Something critical is not reachable")
    assert page.locator("a.cell").count() > 5
    page.get_by_label("Search").fill("sign-in")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("a.cell")).to_have_count(3)
    page.locator("a.cell").first.click()
    expect(page.locator(".waterfall")).to_be_visible()
    expect(page.locator("figure.chart")).to_be_visible()
    watched.close()


def everybody_can_read_it(chromium):
    """Each kind of page in light, dark and on a phone."""
    pages = {
        "the overview": "/",
        "a check that fails": "/checks/site/admin-service/direct",
        "a check that is well": "/checks/tenant-attach/sign-in/corp?span=1h",
        "the explanations": "/explain",
        "an explanation": "/explain/timeout",
    }
    # A colour that is still on its way from light to dark is neither.
    watched = Watched(chromium, reduced_motion="reduce")
    page = watched.page
    for what, path in pages.items():
        page.goto(f"{URL}{path}")
        for scheme, width in [("light", 1280), ("dark", 1280), ("light", 390)]:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{what} is {wide} wide on {width}"
            watched.must_be_accessible(f"{what}, {scheme}, {width} wide")
    watched.must_be_clean()
    watched.close()


with browser() as chromium:
    main = Watched(chromium)
    everything_is_said(main)
    filters_apply_while_typing(main.page)
    keyboard_is_enough(main.page)
    a_check_tells_everything(main.page)
    latency_is_shown_over_time(main.page)
    failures_are_explained(main.page)
    print_is_the_content_alone(main.page)
    themes_change_and_stay(main.page)
    main.must_be_clean()
    main.close()
    it_works_without_script(chromium)
    everybody_can_read_it(chromium)
