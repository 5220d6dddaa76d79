"""Looks at the status page of a running reachd: look.py URL FOLDER. What goes wrong is an assertion."""

import sys
from pathlib import Path

from browser import Watched, browser, expect

URL, FOLDER = sys.argv[1], Path(sys.argv[2])
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


def pictures(chromium, name, path, scheme, width, height, whole=False):
    """Takes a picture, and lets axe look at the same page."""
    watched = Watched(chromium, width, height, color_scheme=scheme)
    page = watched.page
    page.goto(f"{URL}{path}")
    expect(page.locator("#live")).to_have_text("Live")
    page.screenshot(path=FOLDER / f"{name}.png", full_page=whole)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{name} is {wide} wide"
    watched.must_be_accessible(name)
    watched.must_be_clean()
    watched.close()


with browser() as chromium:
    main = Watched(chromium)
    everything_is_said(main)
    filters_apply_while_typing(main.page)
    keyboard_is_enough(main.page)
    a_check_tells_everything(main.page)
    themes_change_and_stay(main.page)
    main.must_be_clean()
    main.close()
    it_works_without_script(chromium)
    CHECK = "/checks/site/admin-service/direct"
    pictures(chromium, "status-page", "/", "light", 1280, 2350)
    pictures(chromium, "status-page-dark", "/", "dark", 1280, 2350)
    pictures(chromium, "status-page-phone", "/", "light", 390, 1400)
    pictures(chromium, "status-page-phone-whole", "/", "dark", 390, 1400, whole=True)
    pictures(chromium, "check-page", CHECK, "light", 1280, 1600, whole=True)
    pictures(chromium, "check-page-dark", CHECK, "dark", 1280, 1600, whole=True)
    pictures(chromium, "check-page-phone", CHECK, "dark", 390, 1600, whole=True)
    pictures(chromium, "check-page-well", "/checks/tenant-attach/sign-in/corp", "light", 1280, 1600, whole=True)
