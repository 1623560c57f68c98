"""Bare SQL: the statements of one checkout call, written down once and sent again by psycopg alone.

What is left out is everything but the database: HTTP, keys checked, features, score, policy, JSON. Names
that must be new each time (decision, hold, idempotency key) are new each time here too.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from shouxin.entrypoints.bench.load import Answers

_COMMIT = "COMMIT"


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its bound values; ``COMMIT`` ends a transaction."""

    sql: str
    values: Any


@contextmanager
def written_down(engine: Engine) -> Iterator[list[Statement]]:
    """Everything that ``engine`` sends while the block runs."""
    found: list[Statement] = []

    def _statement(_db: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: bool) -> None:  # noqa: FBT001
        assert not many, "a checkout sends one row at a time"
        found.append(Statement(sql, values))

    def _commit(_db: Any) -> None:
        found.append(Statement(_COMMIT, None))

    event.listen(engine, "before_cursor_execute", _statement)
    event.listen(engine, "commit", _commit)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", _statement)
        event.remove(engine, "commit", _commit)


def replayed(
    url: sqlalchemy.URL,
    scripts: Sequence[Sequence[Statement]],
    *,
    callers: int,
    seconds: float,
    fresh: set[str],
) -> Answers:
    """Send the scripts in turn over ``callers`` connections for ``seconds``.

    The values named in ``fresh`` get a new ending each time.
    """
    answers, numbers, run = Answers(), count(), uuid.uuid4().hex

    def keep_sending(connection: psycopg.Connection[Any]) -> None:
        while (begun := time.perf_counter()) - started < seconds:
            number = next(numbers)
            _send(connection, scripts[number % len(scripts)], f"{run}{number}", fresh)
            answers.seconds.append(time.perf_counter() - begun)

    connections = [_connected(url) for _ in range(callers)]
    started = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(keep_sending, connections))
    answers.lasted = time.perf_counter() - started
    for connection in connections:
        connection.close()
    return answers


def _connected(url: sqlalchemy.URL) -> psycopg.Connection[Any]:
    text = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(text)
    connection.execute("SET ROLE shouxin_app")
    connection.execute("SET TIME ZONE 'UTC'")
    connection.commit()
    return connection


def _send(
    connection: psycopg.Connection[Any], script: Sequence[Statement], ending: str, fresh: set[str]
) -> None:
    for statement in script:
        if statement.sql == _COMMIT:
            connection.commit()
            continue
        cursor = connection.execute(statement.sql, _renewed(statement.values, ending, fresh))
        if cursor.description is not None:
            cursor.fetchall()


def _renewed(values: Any, ending: str, fresh: set[str]) -> Any:
    if not isinstance(values, Mapping):
        return values
    return {
        name: f"{value}/{ending}" if isinstance(value, str) and value in fresh else value
        for name, value in values.items()
    }
