"""Joining: values that were stored before, to customers at instants, as they stood then.

For features that are not of the catalogue: another team's table, a bureau's monthly file, a batch of last
year. No customer at an instant sees a value of later; what is in the catalogue is better computed anew from
the events (``training_set``), which know of late arrivals, too.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from shouxin.features import store

STORED_AT = "stored_as_of"
_KEYS = ("customer_id", "as_of")
# The engine's own number of a row in its file: the caller's order is kept whatever runs beside.
_ROW = "file_row_number"


class UnableToJoin(ValueError):
    """A table lacks a column, has one twice, or says two things of one customer at one instant."""


def join_stored(values: Path, points: Path, *, max_age: timedelta | None = None) -> pa.Table:
    """Each row of ``points`` with the newest ``values`` of its customer at its instant, in the same order.

    Both are Parquet files with ``customer_id`` (text) and ``as_of`` (an instant with its zone). The result
    has the columns of the points, then those of the values (null where nothing was stored by then, or
    nothing younger than ``max_age``), then ``stored_as_of``: when the values used were stored. Raises
    UnableToJoin.
    """
    with store.engine() as connection:
        wanted = _opened(connection, "points", points)
        told = _opened(connection, "stored", values)
        _check_names(wanted, told)
        _check_unique(connection, values)
        fresh = "TRUE" if max_age is None else "s.as_of >= p.as_of - to_microseconds($age)"
        own = ", ".join(f'p."{name}"' for name in wanted)
        found = ", ".join(f'CASE WHEN {fresh} THEN s."{name}" END AS "{name}"' for name in told)
        params: dict[str, Any] = {} if max_age is None else {"age": max_age // timedelta(microseconds=1)}
        sql = f"""
            SELECT {own}, {found}, CASE WHEN {fresh} THEN s.as_of END AS {STORED_AT}
            FROM points p ASOF LEFT JOIN stored s ON p.customer_id = s.customer_id AND p.as_of >= s.as_of
            ORDER BY p.{_ROW}
        """
        return connection.sql(sql, params=params).to_arrow_table()


def _opened(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> list[str]:
    """The columns of a file, the keys only for the points; the file is a view of this name from here on."""
    try:
        relation = connection.read_parquet(str(path), file_row_number=True)
    except duckdb.Error as error:
        raise UnableToJoin(f"{path} can not be read as Parquet: {str(error).splitlines()[0]}") from None
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    del types[_ROW]
    if lacking := [key for key in _KEYS if key not in types]:
        raise UnableToJoin(
            f"{path} has no column {lacking[0]!r}; both files need customer_id (text) and as_of (an instant)"
        )
    if types["customer_id"] != "VARCHAR":
        raise UnableToJoin(f"customer_id of {path} is {types['customer_id']}, not text")
    if types["as_of"] != "TIMESTAMP WITH TIME ZONE":
        raise UnableToJoin(
            f"as_of of {path} is {types['as_of']}, not an instant with its zone; store it in UTC, "
            "as `shouxin features batch` does"
        )
    relation.create_view(name)
    return [column for column in types if name == "points" or column not in _KEYS]


def _check_names(wanted: list[str], told: list[str]) -> None:
    if not told:
        raise UnableToJoin("the values have no column beside customer_id and as_of")
    given = {name.lower() for name in wanted}
    if STORED_AT in given | {name.lower() for name in told}:
        raise UnableToJoin(f"{STORED_AT!r} is what the result tells of each row; rename the column of yours")
    if twice := [name for name in told if name.lower() in given]:
        raise UnableToJoin(f"both files have a column {twice[0]!r}; rename it in one of them")


def _check_unique(connection: duckdb.DuckDBPyConnection, values: Path) -> None:
    """Two rows of one customer at one instant: which of them holds nobody can say."""
    twice = connection.execute(
        "SELECT customer_id, CAST(as_of AS TEXT), count(*) FROM stored"
        " GROUP BY customer_id, as_of HAVING count(*) > 1 LIMIT 1"
    ).fetchone()
    if twice is not None:
        customer, as_of, count = twice
        raise UnableToJoin(f"{values} has {count} rows of customer {customer} at {as_of}; keep one of them")
