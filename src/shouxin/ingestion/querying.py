"""Querying: tables in memory asked with DuckDB, one engine for the whole process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb
import pyarrow as pa


@contextmanager
def working_engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of one's own, in UTC, that keeps the order of rows; what is registered goes with it.

    Starting an engine takes as long as checking ten thousand rows, so it is started once.
    """
    with _engine().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def query_table(engine: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """What a query of DuckDB answers, as an Arrow table."""
    relation = engine.sql(query)
    assert relation is not None, "a query has an answer"
    return relation.to_arrow_table()


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    # One thread: rows keep their order, and a load leaves the other processors to the database.
    return duckdb.connect(config={"threads": 1})
