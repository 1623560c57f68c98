"""console: how long the server takes for a page, and what a page weighs at first sight.

Measured on the data of the given home. An operator is needed to look at pages: one is invited, signs in
and looks around inside one transaction that is rolled back, so nothing of it stays.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import Any
from urllib.parse import quote

import pyotp
from litestar.testing import TestClient
from sqlalchemy import Connection, Engine

from shouxin import credit, governance
from shouxin.database import Database
from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import percentile
from shouxin.entrypoints.console.app import create_console_app
from shouxin.entrypoints.console.frame import SESSION_COOKIE
from shouxin.entrypoints.house import House, opened_house
from shouxin.governance import Role

_GOAL_MILLISECONDS = 100.0
_GOAL_KILOBYTES = 60.0
_OFFERED = {"Accept-Encoding": "gzip"}


class _Rehearsal(Database):
    """A database whose transactions are savepoints of one that is never committed."""

    def __init__(self, engine: Engine, real: Database, connection: Connection) -> None:
        super().__init__(real.home, engine, real.server)
        object.__setattr__(self, "connection", connection)
        object.__setattr__(self, "one_at_a_time", threading.RLock())

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One step of the rehearsal."""
        own: Any = self
        with own.one_at_a_time, own.connection.begin_nested():
            yield own.connection


def measure(ground: Ground) -> list[Line]:
    """p95 of four pages, and the weight of a page with all that it loads."""
    with _house(ground) as (house, whose), house.database.engine.connect() as connection:
        transaction = connection.begin()
        try:
            rehearsal = _Rehearsal(house.database.engine, house.database, connection)
            return _measured(ground, replace(house, database=rehearsal), whose)
        finally:
            transaction.rollback()


@contextmanager
def _house(ground: Ground) -> Iterator[tuple[House, str]]:
    """The given home when something stands in it, else the simulated shop of the bench."""
    if ground.home.database_url or ground.home.server.is_dir():
        with opened_house(ground.home.path) as house:
            yield house, "the given home"
    else:
        yield ground.shop, "a simulated shop, as the given home is empty"


def _measured(ground: Ground, house: House, whose: str) -> list[Line]:
    session = _signed_in(house)
    with house.database.begin() as db:
        exposures = credit.exposures(db)
    with TestClient(create_console_app(house)) as visitor:
        visitor.cookies.set(SESSION_COOKIE, session)
        pages = {"overview": "/", "customers": "/customers", "alerts": "/alerts"}
        if exposures:
            busiest = max(exposures, key=lambda e: e.outstanding.minor)
            pages["customer"] = f"/customers/{quote(busiest.customer_id)}"
        note = f"{whose}, {len(exposures):,} lines; in process, with rendering and compression"
        lines = []
        for name, path in pages.items():
            ground.say(f"opening {path} {ground.sizes.pages} times")
            took = [_opened(visitor, path) for _ in range(ground.sizes.pages + 2)][2:]
            p95 = percentile(took, 0.95) * 1e3
            lines.append(Line(f"{name}, p95", p95, "ms", goal=_GOAL_MILLISECONDS, note=note))
        heaviest = max((_cold_bytes(visitor, path) / 1024, name) for name, path in pages.items())
    weight = f"{heaviest[1]}, the heaviest page, compressed, with every style and script it loads"
    return [*lines, Line("cold page", heaviest[0], "KiB", goal=_GOAL_KILOBYTES, note=weight)]


def _signed_in(house: House) -> str:
    """A session of an operator who may look at everything the pages show, and who goes with the rollback."""
    now, password = house.clock(), secrets.token_urlsafe(16)
    name = f"bench.{secrets.token_hex(4)}"
    with house.database.begin() as db:
        invitation = governance.invite_operator(
            db, name=name, display_name=name, roles=[Role.RISK_MANAGER], language="en", now=now
        )
        secret = governance.prepare_setup(db, house.keyring, invitation.setup_token, now=now)
        assert isinstance(secret, governance.SetupSecret), secret
        totp = pyotp.TOTP(secret.totp_secret)
        governance.complete_setup(
            db, house.keyring, invitation.setup_token, password=password, code=totp.at(now), now=now
        )
        session = governance.sign_in(
            db,
            house.keyring,
            name=name,
            password=password,
            code=totp.at(now + timedelta(seconds=30)),
            now=now,
        )
    assert isinstance(session, governance.Session), session
    return session.session_token


def _opened(visitor: TestClient[Any], path: str) -> float:
    started = perf_counter()
    answer = visitor.get(path, headers=_OFFERED, follow_redirects=False)
    took = perf_counter() - started
    assert answer.status_code == 200, f"{path} answers {answer.status_code}"
    return took


def _cold_bytes(visitor: TestClient[Any], path: str) -> int:
    """Bytes of the page and of what it names below /static, as they go over the wire."""
    page = visitor.get(path, headers=_OFFERED)
    named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
    return sum(
        answer.num_bytes_downloaded
        for answer in (page, *(visitor.get(address, headers=_OFFERED) for address in sorted(named)))
    )
