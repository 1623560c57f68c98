"""The history in, a table of sequences out. DuckDB runs the SQL over the Parquet files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from shouxin.features.feature_sql import withdrawn_sql, word_sql
from shouxin.features.sequences.domain import SequenceDefinition
from shouxin.features.sequences.sequence_sql import sequences_sql
from shouxin.features.store import OpenHistory, with_as_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sequence_table(
    opened: OpenHistory, definition: SequenceDefinition, *, customers: pa.Table, as_of: datetime
) -> pa.Table:
    """``customer_id, as_of, <name of the definition>`` for the ``customers``, by customer_id."""
    connection = opened.connection
    micros = (as_of - _EPOCH) // timedelta(microseconds=1)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE word AS {word_sql()}", {"files": opened.files})
    withdrawn = connection.sql(withdrawn_sql(), params={"as_of": micros}).to_arrow_table()
    connection.register("withdrawn", withdrawn)
    connection.register("wanted", customers.select(["customer_id"]))
    purposes = sorted(set(withdrawn["purpose"].to_pylist()))
    values = {"files": opened.files, "as_of": micros}
    found = connection.sql(sequences_sql(definition, withdrawn=purposes), params=values).to_arrow_table()
    named = found.rename_columns(["customer_id", definition.name])
    return with_as_of(named, as_of=as_of)
