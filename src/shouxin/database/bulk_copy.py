"""COPY: the quick way in for many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError


def copy_rows(db: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """COPY ``rows`` into ``table`` (``schema.name``) within the caller's transaction; returns their count."""
    count = 0
    with copying(db, f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


@contextmanager
def copying(db: Connection, statement: str) -> Iterator[psycopg.Copy]:
    """A COPY within the caller's transaction, open for writing.

    A lost database is told as everywhere else, by SQLAlchemy's OperationalError, though the driver
    itself is at work here.
    """
    driver = db.connection.driver_connection
    assert driver is not None, "the connection is closed"
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy
    except psycopg.OperationalError as error:
        raise OperationalError(statement, None, error) from error
