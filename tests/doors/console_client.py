"""A browser without a screen: keeps cookies, sends forms with the token of the page it last saw."""

import html
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from litestar.testing import TestClient

from doors.console_world import PASSWORD


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
