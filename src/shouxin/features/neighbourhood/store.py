"""Purchases and outcomes out of the history."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shouxin.features.domain import EventOfDefault
from shouxin.features.neighbourhood.domain import Known, purchases
from shouxin.features.neighbourhood.domain.tastes import Matrix
from shouxin.features.store import (
    OpenHistory,
    events_sql,
    label_table,
    micros,
    opened_history,
    withdrawn_at,
)

WINDOW_DAYS = 365
_PURPOSE = "credit_assessment"
# What somebody bought, by what the shop tells of it: products by line, else the category and the merchant.
_THINGS = (
    ("sku", "order_line_placed", "sku"),
    ("category", "order_placed", "category"),
    ("merchant", "order_placed", "merchant_ref"),
)


def read_tastes(
    history: Path, links: pa.Table, *, as_of: datetime, learnt_at: datetime, outcome: EventOfDefault
) -> tuple[pa.Array, Matrix, Matrix, Known]:
    """(customer ids in order, baskets at ``as_of``, baskets at ``learnt_at``, outcomes matured by then).

    Of customers who agree to be assessed. Raises UnableToReadHistory.
    """
    with opened_history(history, links, outcome.parts()) as opened:
        opened.connection.execute(f"CREATE TEMP TABLE thing AS {_thing_sql()}", {"as_of": micros(as_of)})
        _leave_out_withdrawn(opened, as_of=as_of)
        labelled_at = learnt_at - timedelta(days=outcome.window_days)
        labelled = label_table(opened, outcome, as_of=labelled_at, known_until=learnt_at)
        bought = [_bought(opened, at=at) for at in (as_of, learnt_at, labelled_at)]
    customers = _numbered(*(table["customer_id"] for table in bought))
    items = _numbered(*(table["item"] for table in bought))
    now, learnt_from, then = (_purchases(table, customers, items) for table in bought)
    seen = np.zeros(len(customers), dtype=np.int64)
    event = np.zeros(len(customers), dtype=np.int64)
    position = pc.index_in(labelled["customer_id"], value_set=customers)
    inside = pc.is_valid(position).to_numpy(zero_copy_only=False)
    rows = position.drop_null().to_numpy()
    seen[rows] = 1
    event[rows] = labelled["event"].to_numpy()[inside]
    # Who had bought nothing then tells nothing of things, and must not move the rate of all either.
    bought_then = np.diff(then.indptr) > 0
    return customers, now, learnt_from, Known(then, seen * bought_then, event * bought_then)


def _thing_sql() -> str:
    """``customer_id, item, occurred_us, received_us`` of everything bought and known at ``$as_of``."""
    parts = [
        f"SELECT customer_id, '{family}:' || (payload ->> '$.{field}') AS item, occurred_us, received_us"
        f" FROM ({events_sql(kind)}) WHERE payload ->> '$.{field}' IS NOT NULL"
        " AND occurred_us <= $as_of AND received_us <= $as_of"
        for family, kind, field in _THINGS
    ]
    return " UNION ALL ".join(parts)


def _leave_out_withdrawn(opened: OpenHistory, *, as_of: datetime) -> None:
    withdrawn = withdrawn_at(opened, as_of=as_of)
    barred = withdrawn.filter(pc.equal(withdrawn["purpose"], _PURPOSE)).select(["customer_id"])
    if barred.num_rows:
        opened.connection.register("barred", barred)
        opened.connection.execute("DELETE FROM thing WHERE customer_id IN (SELECT customer_id FROM barred)")


def _bought(opened: OpenHistory, *, at: datetime) -> pa.Table:
    """``customer_id, item`` of the year before ``at``, as known then."""
    sql = (
        "SELECT DISTINCT customer_id, item FROM thing WHERE occurred_us <= $at AND received_us <= $at"
        " AND occurred_us > $start"
    )
    values = {"at": micros(at), "start": micros(at - timedelta(days=WINDOW_DAYS))}
    return opened.connection.sql(sql, params=values).to_arrow_table()


def _purchases(bought: pa.Table, customers: pa.Array, items: pa.Array) -> Matrix:
    return purchases(
        _position(bought["customer_id"], customers),
        _position(bought["item"], items),
        customers=len(customers),
        items=len(items),
    )


def _numbered(*columns: Any) -> pa.Array:
    """All different values in order: the same numbers whatever the order of events."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    values = pc.unique(pa.chunked_array(chunks, pa.string()))
    return values.take(pc.sort_indices(values))


def _position(column: Any, values: pa.Array) -> Any:
    return pc.index_in(column, value_set=values).to_numpy().astype(np.int64)
