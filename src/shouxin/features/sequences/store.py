"""The history in, a table of sequences out. DuckDB runs the SQL over the Parquet files."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from shouxin.features.compiler import DUCKDB, withdrawn_select, word_select
from shouxin.features.sequences.domain import SequenceDefinition
from shouxin.features.sequences.sequence_sql import sequences_sql
from shouxin.features.store import OpenHistory, micros, with_as_of


def sequence_table(
    opened: OpenHistory, definition: SequenceDefinition, *, customers: pa.Table, as_of: datetime
) -> pa.Table:
    """``customer_id, as_of, <name of the definition>`` for the ``customers``, by customer_id."""
    connection = opened.connection
    values = {"as_of": micros(as_of)}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE word AS {DUCKDB.sql(word_select(DUCKDB))}")
    withdrawn = connection.sql(DUCKDB.sql(withdrawn_select(DUCKDB)), params=values).to_arrow_table()
    connection.register("withdrawn", withdrawn)
    connection.register("wanted", customers.select(["customer_id"]))
    purposes = sorted(set(withdrawn["purpose"].to_pylist()))
    found = connection.sql(sequences_sql(definition, withdrawn=purposes), params=values).to_arrow_table()
    named = found.rename_columns(["customer_id", definition.name])
    return with_as_of(named, as_of=as_of)
