"""A walk through every page of a console in a real browser, wherever that console is served.

    report = walk(browser, "http://127.0.0.1:8080", name="chenjing", password=.., code=.., shots=folder)
    assert not report.complaints

It signs in with a code, opens every page in Chinese and in English, by day and by night, opens the drawer
of an alert, looks at every page once more on a phone, and writes down every violation of the content
security policy, every console error, every failed request, every page wider than its window, and the
weight of a cold page. ``set_up`` uses an invitation up first and reads its secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Response, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PLACES = (
    "/",
    "/quality",
    "/quarantine",
    "/customers",
    "/alerts",
    "/cases",
    "/matches",
    "/approvals",
    "/reports",
    "/audit?verify=yes",
    "/consents",
    "/external",
    "/models",
    "/models/bench",
    "/features",
)
ADMIN_PLACES = ("/operators",)
# Lists whose first entry has a page of its own.
_LISTINGS = (
    ("/customers", "customer"),
    ("/cases", "case"),
    ("/quarantine", "quarantined"),
    ("/models", "model"),
    ("/features", "feature"),
)
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Listens before any script of a page runs; what it hears is read at the end of each page.
_LISTEN = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.__violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@dataclass
class WalkReport:
    """What was seen: the pages by name, what they weighed cold (bytes), and what is to complain about."""

    pages: list[str] = field(default_factory=list)
    cold_bytes: int = 0
    requests_cold: int = 0
    complaints: list[str] = field(default_factory=list)


@contextmanager
def browsing() -> Iterator[Browser]:
    """Chromium of the system, without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_ARGUMENTS)
        yield browser
        browser.close()


def set_up(browser: Browser, url: str, *, password: str, code: Callable[[str], str], shots: Path) -> str:
    """Use the invitation at ``url`` up; returns the secret, from which ``code`` makes the digits."""
    shots.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(viewport=DESK)
    page.goto(url)
    page.click("details summary")
    secret = page.inner_text("#secret").replace(" ", "")
    page.screenshot(path=shots / "setup.png")
    page.fill("#password", password)
    page.fill("#code", code(secret))
    page.click("button.main")
    page.wait_for_url(re.compile("/sign-in"))
    page.close()
    return secret


def walk(
    browser: Browser,
    base_url: str,
    *,
    name: str,
    password: str,
    code: Callable[[], str],
    shots: Path,
    places: tuple[str, ...] = PLACES,
) -> WalkReport:
    """Sign in once and open every page in both languages and both themes, then on a phone."""
    shots.mkdir(parents=True, exist_ok=True)
    report = WalkReport()
    context = browser.new_context(base_url=base_url, viewport=DESK, color_scheme="light", locale="en-GB")
    context.add_init_script(_LISTEN)
    page = context.new_page()
    _listen(page, base_url, report)
    _sign_in(page, name=name, password=password, code=code, shots=shots, report=report)
    for language in ("zh", "en"):
        _prefer(page, "language", language)
        for theme in ("light", "dark"):
            _prefer(page, "theme", theme)
            _open_all(page, places, f"{language}-{theme}", shots, report)
    page.set_viewport_size(PHONE)
    _open_all(page, places, "phone", shots, report)
    context.close()
    return report


def _sign_in(
    page: Page, *, name: str, password: str, code: Callable[[], str], shots: Path, report: WalkReport
) -> None:
    weights: list[int] = []
    page.on("response", lambda response: weights.append(_weight(response)))
    page.goto("/sign-in", wait_until="networkidle")
    report.cold_bytes, report.requests_cold = sum(weights), len(weights)
    page.screenshot(path=shots / "sign-in.png")
    page.fill("#name", name)
    page.fill("#password", password)
    page.fill("#code", code())
    page.click("button.main")
    page.wait_for_selector(".rail")
    _seen(page, "sign-in", report)


def _open_all(page: Page, places: tuple[str, ...], look: str, shots: Path, report: WalkReport) -> None:
    for place in places:
        page.goto(place)
        shot = place.strip("/").partition("?")[0].replace("/", "-") or "overview"
        _shoot(page, f"{look}-{shot}", shots, report)
    for listing, shot in _LISTINGS:
        if listing not in places:
            continue
        page.goto(listing)
        first = page.query_selector(f"tbody a[href^='{listing}/']")
        if first is None:
            report.complaints.append(f"{look}: {listing} is empty")
            continue
        page.goto(first.get_attribute("href") or "")
        _shoot(page, f"{look}-{shot}", shots, report)
    if "/alerts" in places:
        _open_drawer(page, look, shots, report)


def _open_drawer(page: Page, look: str, shots: Path, report: WalkReport) -> None:
    page.goto("/alerts")
    page.click("tbody tr:first-child a[hx-get]")
    page.wait_for_selector("dialog.drawer[open] h2")
    page.wait_for_timeout(250)  # the drawer slides in
    _shoot(page, f"{look}-drawer", shots, report)
    page.keyboard.press("Escape")
    if page.query_selector("dialog.drawer[open]"):
        report.complaints.append(f"{look}: Escape leaves the drawer open")
    page.check("[data-ticks-all]")
    rows = page.locator('input[name="alert"]').count()
    if page.inner_text("#ticked") != str(rows):
        report.complaints.append(f"{look}: ticking all ticks {page.inner_text('#ticked')} of {rows}")


def _prefer(page: Page, name: str, value: str) -> None:
    """Press the button that offers ``value``, unless it is chosen already."""
    button = page.query_selector(f"button[name='{name}'][value='{value}']")
    if button is not None:
        with page.expect_navigation():
            button.click()


def _shoot(page: Page, shot: str, shots: Path, report: WalkReport) -> None:
    page.screenshot(path=shots / f"{shot}.png")
    _seen(page, shot, report)


def _seen(page: Page, shot: str, report: WalkReport) -> None:
    report.pages.append(shot)
    report.complaints += [f"{shot}: policy {text}" for text in page.evaluate("window.__violations")]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        report.complaints.append(f"{shot}: wider than the window")


def _listen(page: Page, base_url: str, report: WalkReport) -> None:
    home = urlsplit(base_url).netloc
    page.on(
        "console",
        lambda said: (
            report.complaints.append(f"console: {said.text}") if said.type in {"error", "warning"} else None
        ),
    )
    page.on("pageerror", lambda error: report.complaints.append(f"script: {error}"))

    def failed(request: Request) -> None:
        # Going on to the next page may cut the last one's icon off; that is no failure.
        if request.failure != "net::ERR_ABORTED":
            report.complaints.append(f"failed: {request.url} {request.failure}")

    def heard(response: Response) -> None:
        if response.status >= 400:
            report.complaints.append(f"{response.status}: {response.url}")
        if urlsplit(response.url).netloc != home:
            report.complaints.append(f"elsewhere: {response.url}")

    page.on("requestfailed", failed)
    page.on("response", heard)


def _weight(response: Response) -> int:
    sizes = response.request.sizes()
    return int(sizes["responseBodySize"]) + int(sizes["responseHeadersSize"])
