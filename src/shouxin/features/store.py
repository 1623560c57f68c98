"""The history in, feature and label tables out. DuckDB runs the SQL over the Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from shouxin.features.domain import Aggregate, EventOfDefault, FeatureDefinition
from shouxin.features.feature_sql import (
    event_sql,
    fact_sql,
    features_sql,
    known_customers_sql,
    labels_sql,
    withdrawn_sql,
    word_sql,
)
from shouxin.ingestion.consent.domain import PURPOSES

_LINK_COLUMNS = ("source", "customer_ref", "customer_id")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AS_OF_TYPE = pa.timestamp("us", tz="UTC")


class UnableToReadHistory(RuntimeError):
    """There are no Parquet files of the event history where they should be."""


@dataclass(frozen=True, slots=True)
class OpenHistory:
    """A history with its links, ready for questions."""

    connection: duckdb.DuckDBPyConnection
    files: list[str]


@contextmanager
def opened_history(history: Path, links: pa.Table, parts: Sequence[Aggregate]) -> Iterator[OpenHistory]:
    """Open the Parquet ``history`` and prepare the facts that ``parts`` read. Raises UnableToReadHistory."""
    files = sorted(str(path) for path in history.glob("**/*.parquet"))
    if not files:
        raise UnableToReadHistory(
            f"there are no events below {history.name}; load events and export the event history first"
        )
    connection = duckdb.connect(config={"preserve_insertion_order": "false"})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        # DuckDB draws its bar on standard output, where figures are printed for other programs.
        connection.execute("SET enable_progress_bar = false")
        connection.register("link_given", links.select(list(_LINK_COLUMNS)))
        connection.execute("CREATE TEMP TABLE link AS SELECT * FROM link_given")
        if parts:
            connection.execute(f"CREATE TEMP TABLE fact AS {fact_sql(parts)}", {"files": files})
            connection.execute(f"CREATE TEMP TABLE word AS {word_sql()}", {"files": files})
        yield OpenHistory(connection, files)
    finally:
        connection.close()


def history_span(opened: OpenHistory) -> tuple[datetime, datetime] | None:
    """When the first event was known and when the last one happened; None for an empty history.

    A shop that joins brings its register along: facts from long before it began to send any.
    """
    sql = f"SELECT min(greatest(occurred_us, received_us)), max(occurred_us) FROM ({event_sql()})"
    ((first, last),) = opened.connection.sql(sql, params={"files": opened.files}).fetchall()
    return None if first is None else (_instant(first), _instant(last))


def known_customers(opened: OpenHistory, *, as_of: datetime) -> pa.Table:
    """``customer_id`` of everyone of whom something was known at ``as_of``."""
    values = {"files": opened.files, "as_of": in_micros(as_of)}
    return opened.connection.sql(known_customers_sql(), params=values).to_arrow_table()


def feature_table(
    opened: OpenHistory,
    definitions: Sequence[FeatureDefinition],
    *,
    customers: pa.Table,
    as_of: datetime,
) -> pa.Table:
    """``customer_id, as_of, <feature>...`` for the ``customers``, by customer_id."""
    opened.connection.register("wanted", customers)
    values = {"as_of": in_micros(as_of)}
    withdrawn = opened.connection.sql(withdrawn_sql(), params=values).to_arrow_table()
    opened.connection.register("withdrawn", withdrawn)
    purposes = PURPOSES.keys() & set(withdrawn["purpose"].unique().to_pylist())
    result = opened.connection.sql(features_sql(definitions, withdrawn=purposes), params=values)
    return with_as_of(result.to_arrow_table(), as_of=as_of)


def label_table(
    opened: OpenHistory, outcome: EventOfDefault, *, as_of: datetime, known_until: datetime
) -> pa.Table:
    """``customer_id, as_of, event`` (0 or 1) of the population of ``outcome`` at ``as_of``."""
    values = {"as_of": in_micros(as_of), "known_until": in_micros(known_until)}
    result = opened.connection.sql(labels_sql(outcome), params=values).to_arrow_table()
    return with_as_of(result, as_of=as_of)


def with_as_of(table: pa.Table, *, as_of: datetime) -> pa.Table:
    """The table with ``as_of`` as its second column."""
    column = pa.array([as_of] * table.num_rows, type=_AS_OF_TYPE)
    return table.add_column(1, pa.field("as_of", _AS_OF_TYPE), column)


def in_micros(instant: datetime) -> int:
    """Whole microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
