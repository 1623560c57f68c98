"""A furnished house without a simulation: a small model, the standard policy, customers with lines, a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np
import sqlalchemy
from sqlalchemy import Connection

from conftest import NOW, open_folder
from shouxin import credit, decisions, governance, identity, ingestion, scoring
from shouxin.database import Database, Home, migrate
from shouxin.database.engine import application_engine
from shouxin.database.supervisor import OWNER_ROLE
from shouxin.decisions import STANDARD_CHECKOUT
from shouxin.entrypoints.house import House
from shouxin.governance import Scope, load_keyring
from shouxin.kernel import Approval, Event, Money, frozen_clock

GOOD = tuple(f"C{number:03d}" for number in range(8))


@dataclass(frozen=True)
class Furnished:
    """Who may call, and which customers have a line; all of one shop."""

    bearer: dict[str, str]
    customers: tuple[str, ...]


@contextmanager
def own_house(database: Database, name: str) -> Iterator[House]:
    """A house on an empty database of its own, for the tests of one module that commit."""
    assert database.server is not None
    maintenance = sqlalchemy.create_engine(
        database.server.url(OWNER_ROLE, "postgres"),
        isolation_level="AUTOCOMMIT",
        poolclass=sqlalchemy.NullPool,
    )
    with maintenance.connect() as owner:
        owner.exec_driver_sql(f"CREATE DATABASE {name}")
    migrate(database.server.url(OWNER_ROLE, name))
    with open_folder() as folder:
        engine = application_engine(database.server.url(database=name))
        yield House(
            Database(Home(folder), engine, None), load_keyring(Home(folder)), Home(folder), frozen_clock(NOW)
        )
        engine.dispose()
    with maintenance.connect() as owner:
        owner.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def furnish(db: Connection, *, now: datetime, day: date, source: str = "shop") -> Furnished:
    """A champion, a live policy, open books, customers with a line each, and a key with every scope."""
    model = _model()
    scoring.register(db, model, name="test", report={}, now=now)
    scoring.keep_gates(db, model.hash, [scoring.Gate("events", scoring.Passed.YES, "600")], now=now)
    scoring.promote(db, model.hash, approval=_approval(f"model:{model.hash}", now), now=now)
    decisions.publish(db, STANDARD_CHECKOUT, approval=_approval(STANDARD_CHECKOUT.subject, now), now=now)
    credit.start_books(db, business_date=day)
    return add_source(db, source, now=now)


def add_source(db: Connection, source: str, *, now: datetime) -> Furnished:
    """Another shop in the same house: its customers with a line each, and its key."""
    for reference in GOOD:
        ingestion.record(db, _faithful(reference, now, source))
        customer = identity.ensure_customer(db, source=source, customer_ref=reference, now=now)
        line = credit.apply_for_line(db, customer, now=now)
        assert isinstance(line, credit.Line), line
    _, clear_text = governance.add_api_key(
        db, name=f"checkout of {source}", scopes=frozenset(Scope), source=source, now=now
    )
    return Furnished({"Authorization": f"Bearer {clear_text}"}, GOOD)


@lru_cache(maxsize=1)
def _model() -> scoring.Artefact:
    random = np.random.default_rng(7)
    late, tenure = random.poisson(0.4, 6000).astype(float), random.uniform(0, 900, 6000)
    log_odds = -4.2 + 1.6 * np.minimum(late, 4) - 0.002 * tenure
    y = (random.random(6000) < 1 / (1 + np.exp(-log_odds))).astype(int)
    columns = {"late_repayments_180d": late, "tenure_days": tenure}
    return scoring.train_columns(columns, y, model="scorecard", outcome="defaults-next-180d").artefact


def _approval(subject: str, now: datetime) -> Approval:
    return Approval("apr_1", subject, "wang.analyst", "li.manager", "looked at the back-test", now)


def _faithful(reference: str, now: datetime, source: str) -> list[Event]:
    """Two years of orders."""
    payload = {"items": 1, "payment_method": "card"}
    times = [now - timedelta(days=720 - 90 * quarter) for quarter in range(8)]
    return [
        Event(source, f"{reference}/{at.isoformat()}", "order_placed", 1, reference, at, at,
              Money(20_000, "CNY"), f"{reference}/{at.date()}", payload)
        for at in times
    ]  # fmt: skip
