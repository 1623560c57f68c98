"""A browser without a screen: keeps cookies, sends forms with the token of the page it last saw."""

import html
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from litestar.testing import TestClient

from doors.console_world import PASSWORD, set_up
from shouxin import early_warning, governance
from shouxin.early_warning import AlertFilter


@dataclass
class Clock:
    """A clock that tests move: sessions end and codes are used up."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class Browser:
    """One visitor of the console."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.token = ""

    def get(self, path: str, **headers: str):
        return self._seen(self.client.get(path, headers=headers, follow_redirects=False))

    def post(self, path: str, fields: dict | None = None, *, token: str | None = None, **headers: str):
        form = {"form_token": self.token if token is None else token} | (fields or {})
        return self._seen(self.client.post(path, data=form, headers=headers, follow_redirects=False))

    def sign_in(self, name: str, code: str, *, password: str = PASSWORD):
        self.get("/sign-in")
        return self.post("/sign-in", {"name": name, "password": password, "code": code})

    def _seen(self, response):
        found = re.search(r'name="form_token" value="([^"]+)"', response.text)
        if found:
            self.token = html.unescape(found.group(1))
        return response


def signed_in(browser, world, clock, name="chenjing"):
    """The browser of an operator who just set up and signed in, with the token of a page."""
    totp = set_up(world, name, now=clock.now)
    clock.forward(seconds=30)
    response = browser.sign_in(name, totp.at(clock.now))
    assert (response.status_code, response.headers["location"]) == (303, landing(name))
    browser.get("/approvals")
    return browser


def landing(name):
    """Where somebody lands who signed in."""
    return {"root": "/operators", "sunyue": "/audit"}.get(name, "/")


def audited(world, action):
    """What the audit has of an action."""
    with world.house.database.begin() as db:
        return governance.list_audit(db, action=action)


def first_alert(world, **chosen):
    """The first alert of those chosen."""
    with world.house.database.begin() as db:
        return early_warning.list_alerts(db, AlertFilter(**chosen)).rows[0]
