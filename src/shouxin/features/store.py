"""The history in, feature and label tables out. DuckDB runs the SQL over the Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from shouxin.features.compiler import (
    DUCKDB,
    fact_select,
    features_select,
    first_known_select,
    known_customers_select,
    labels_select,
    linked_select,
    withdrawn_select,
    word_select,
)
from shouxin.features.compiler.facts import event_select
from shouxin.features.domain import Aggregate, EventOfDefault, FeatureDefinition
from shouxin.ingestion.consent.domain import PURPOSES

LINK_COLUMNS = ["source", "customer_ref", "customer_id"]
# Of a machine with 16 GB, a nightly run leaves the larger part to the database and the checkouts.
_MEMORY_LIMIT = "6GB"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AS_OF_TYPE = pa.timestamp("us", tz="UTC")


class UnableToReadHistory(RuntimeError):
    """There are no Parquet files of the event history where they should be."""


@dataclass(frozen=True, slots=True)
class OpenHistory:
    """A history with its links, ready for questions."""

    connection: duckdb.DuckDBPyConnection


def parquet_files(history: Path) -> list[str]:
    """The files of a history, by name. Raises UnableToReadHistory."""
    files = sorted(str(path) for path in history.glob("**/*.parquet"))
    if not files:
        raise UnableToReadHistory(
            f"there are no events below {history.name}; load events and export the event history first"
        )
    return files


@contextmanager
def opened_history(history: Path, links: pa.Table, parts: Sequence[Aggregate]) -> Iterator[OpenHistory]:
    """Open the Parquet ``history`` and prepare the facts that ``parts`` read. Raises UnableToReadHistory."""
    files = parquet_files(history)
    with engine() as connection:
        connection.register("link_given", links.select(LINK_COLUMNS))
        connection.execute("CREATE TEMP TABLE link AS SELECT * FROM link_given")
        connection.read_parquet(files).create_view("history")
        if parts:
            connection.execute(f"CREATE TEMP TABLE fact AS {DUCKDB.sql(fact_select(DUCKDB, parts))}")
        yield OpenHistory(connection)


@contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB whose clock is UTC, and which spills what does not fit into a folder that goes with it."""
    with TemporaryDirectory(prefix="shouxin-features-", ignore_cleanup_errors=True) as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "preserve_insertion_order": "false",
            "memory_limit": _MEMORY_LIMIT,
            "temp_directory": spill,
        }
        with duckdb.connect(config=config) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            # DuckDB draws its bar on standard output, where figures are printed for other programs.
            connection.execute("SET enable_progress_bar = false")
            yield connection


def history_span(opened: OpenHistory) -> tuple[datetime, datetime] | None:
    """When the first event was known and when the last one happened; None for an empty history.

    A shop that joins brings its register along: facts from long before it began to send any.
    """
    events = DUCKDB.sql(linked_select(DUCKDB, ()))
    sql = f"SELECT min(greatest(occurred_us, received_us)), max(occurred_us) FROM ({events})"
    ((first, last),) = opened.connection.sql(sql).fetchall()
    return None if first is None else (_instant(first), _instant(last))


def known_customers(opened: OpenHistory, *, as_of: datetime) -> pa.Table:
    """``customer_id`` of everyone of whom something was known at ``as_of``."""
    first = DUCKDB.sql(first_known_select(DUCKDB))
    opened.connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS first_known AS {first}")
    sql = DUCKDB.sql(known_customers_select(DUCKDB))
    return opened.connection.sql(sql, params={"as_of": micros(as_of)}).to_arrow_table()


def feature_table(
    opened: OpenHistory,
    definitions: Sequence[FeatureDefinition],
    *,
    customers: pa.Table,
    as_of: datetime,
) -> pa.Table:
    """``customer_id, as_of, <feature>...`` for the ``customers``, by customer_id."""
    opened.connection.register("wanted", customers)
    values = {"as_of": micros(as_of)}
    withdrawn = withdrawn_at(opened, as_of=as_of)
    opened.connection.register("withdrawn", withdrawn)
    purposes = PURPOSES.keys() & set(withdrawn["purpose"].unique().to_pylist())
    sql = _features_sql(tuple(definitions), frozenset(purposes))
    return with_as_of(opened.connection.sql(sql, params=values).to_arrow_table(), as_of=as_of)


def withdrawn_at(opened: OpenHistory, *, as_of: datetime) -> pa.Table:
    """``customer_id, purpose`` of what stood withdrawn at ``as_of``."""
    words = DUCKDB.sql(word_select(DUCKDB))
    opened.connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS word AS {words}")
    sql = DUCKDB.sql(withdrawn_select(DUCKDB))
    return opened.connection.sql(sql, params={"as_of": micros(as_of)}).to_arrow_table()


def events_sql(*kinds: str) -> str:
    """SQL of the events of some kinds (none named: of all), payload and all, with their customer."""
    return DUCKDB.sql(event_select(DUCKDB, kinds))


def label_table(
    opened: OpenHistory, outcome: EventOfDefault, *, as_of: datetime, known_until: datetime
) -> pa.Table:
    """``customer_id, as_of, event`` (0 or 1) of the population of ``outcome`` at ``as_of``."""
    values = {"as_of": micros(as_of), "known_until": micros(known_until)}
    sql = DUCKDB.sql(labels_select(outcome, dialect=DUCKDB))
    result = opened.connection.sql(sql, params=values).to_arrow_table()
    return with_as_of(result, as_of=as_of)


def with_as_of(table: pa.Table, *, as_of: datetime) -> pa.Table:
    """The table with ``as_of`` as its second column."""
    column = pa.array([as_of] * table.num_rows, type=_AS_OF_TYPE)
    return table.add_column(1, pa.field("as_of", _AS_OF_TYPE), column)


@lru_cache(maxsize=32)
def _features_sql(definitions: tuple[FeatureDefinition, ...], withdrawn: frozenset[str]) -> str:
    """The query of some definitions; the same for every as_of."""
    query = features_select(definitions, dialect=DUCKDB, withdrawn=withdrawn)
    return DUCKDB.sql(query.order_by("wanted.customer_id"))


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
