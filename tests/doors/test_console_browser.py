"""The console in a real browser: set up, sign in with a code, and walk every page."""

import asyncio
import socket
import threading
from contextlib import contextmanager
from pathlib import Path

import pyotp
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server

from doors import walk
from doors.console_client import Clock
from doors.console_world import PASSWORD, set_up, share_a_device, skewed, small_world, two_alike
from shouxin.entrypoints.console import create_console_app
from shouxin.entrypoints.house import House

SHOTS = Path(__file__).resolve().parents[2] / "var" / "screenshots"


@contextmanager
def served(app):
    """The application on a free port of this machine, in a thread."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(app, port=port, interface=Interfaces.ASGI, log_enabled=False)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve()), daemon=True)
    thread.start()
    _wait_for(port)
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(server.stop)
    thread.join(timeout=10)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise AssertionError("the server did not come up")


@pytest.mark.browser
def test_a_walk_through_every_page_has_nothing_to_complain_about(fresh_database, now):
    if not walk.CHROMIUM.exists():
        pytest.skip(f"Chromium is not at {walk.CHROMIUM}; this walk needs it")
    world = small_world(fresh_database, now=now)
    two_alike(world, now=now)
    skewed(world, now=now)
    share_a_device(world, tuple(range(8)), alone=8, now=now)
    clock = Clock(now)
    house = world.house
    app = create_console_app(House(house.database, house.keyring, house.home, clock))
    with served(app) as url, walk.browsing() as browser:
        link = f"{url}/setup/{world.invitations['chenjing']}"
        secret = walk.set_up(
            browser, link, password=PASSWORD, code=lambda key: pyotp.TOTP(key).at(clock.now), shots=SHOTS
        )
        clock.forward(seconds=30)
        report = walk.walk(
            browser,
            url,
            name="chenjing",
            password=PASSWORD,
            code=lambda: pyotp.TOTP(secret).at(clock.now),
            shots=SHOTS,
        )
        clock.forward(seconds=30)
        work_in_the_drawer(browser, url, code=pyotp.TOTP(secret).at(clock.now))
    assert report.complaints == []
    assert len(report.pages) == 1 + 5 * (len(walk.PLACES) + 6)
    assert report.requests_cold <= 5 and report.cold_bytes < 60_000


@pytest.mark.browser
def test_an_administrator_invites_somebody_in_a_browser(fresh_database, now):
    if not walk.CHROMIUM.exists():
        pytest.skip(f"Chromium is not at {walk.CHROMIUM}; this walk needs it")
    world = small_world(fresh_database, now=now)
    clock = Clock(now)
    totp = set_up(world, "root", now=clock.now)
    clock.forward(seconds=30)
    house = world.house
    app = create_console_app(House(house.database, house.keyring, house.home, clock))
    with served(app) as url, walk.browsing() as browser:
        report = walk.walk(
            browser,
            url,
            name="root",
            password=PASSWORD,
            code=lambda: totp.at(clock.now),
            shots=SHOTS,
            places=walk.ADMIN_PLACES,
        )
        clock.forward(seconds=30)
        invite_a_collector(browser, url, code=totp.at(clock.now))
    assert report.complaints == []


def invite_a_collector(browser, url, *, code):
    """Land on the operators, fill the form in, and read the link that is shown."""
    page = browser.new_page(base_url=url)
    page.goto("/sign-in")
    page.fill("#name", "root")
    page.fill("#password", PASSWORD)
    page.fill("#code", code)
    page.click("button.main")
    page.wait_for_url("**/operators")
    page.fill("#name", "qian.duo")
    page.fill("#display-name", "钱多")
    page.check("#role-collector")
    page.click("button.main")
    assert page.input_value("#setup-link").startswith(f"{url}/setup/")
    page.close()


def work_in_the_drawer(browser, url, *, code):
    """Filter, be refused without a reason, take an alert, dismiss it: no page is loaded meanwhile."""
    page = browser.new_page(base_url=url, color_scheme="light")
    page.goto("/sign-in")
    page.fill("#name", "chenjing")
    page.fill("#password", PASSWORD)
    page.fill("#code", code)
    page.click("button.main")
    page.click(".rail a[href='/alerts']")
    page.wait_for_url("**/alerts")
    page.evaluate("window.__same = true")
    page.select_option("#filter-severity", "critical")
    page.wait_for_url("**severity=critical**")
    rows = page.locator("#alerts tbody tr")
    before = rows.count()
    page.click("#alerts tbody tr:first-child a[hx-get]")
    page.click("dialog.drawer button[value='dismiss']")
    page.wait_for_selector("dialog.drawer [role='alert']")
    page.click("dialog.drawer button[value='assign']")
    page.wait_for_selector("dialog.drawer [role='status']")
    page.wait_for_selector("#alerts tbody tr:first-child .pill.info")
    page.fill("dialog.drawer textarea", "已还清")
    page.click("dialog.drawer button[value='dismiss']")
    rows.nth(before - 1).wait_for(state="detached")
    page.keyboard.press("Escape")
    assert page.evaluate("window.__same") is True
    page.close()
