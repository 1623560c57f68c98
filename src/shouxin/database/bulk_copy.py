"""COPY: the quick way in for many rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection


def copy_rows(db: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """COPY ``rows`` into ``table`` (``schema.name``) within the caller's transaction; returns their count."""
    count = 0
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    driver = db.connection.driver_connection
    assert driver is not None, "the connection is closed"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
