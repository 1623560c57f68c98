"""Items and outcomes out of the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shouxin.features.domain import CATALOGUE, EventOfDefault, parts_of
from shouxin.features.patterns.domain import BEHAVIOURS, CATEGORY_DAYS
from shouxin.features.store import (
    OpenHistory,
    events_sql,
    feature_table,
    history_span,
    label_table,
    micros,
    opened_history,
    withdrawn_at,
)

_READ = {item.feature for item in BEHAVIOURS}
DEFINITIONS = tuple(definition for definition in CATALOGUE if definition.name in _READ)
_PURPOSE = "credit_assessment"
# What is bought does not need a customer's agreement to be sold, but does to be used here.
_CATEGORY_SQL = (
    "SELECT DISTINCT customer_id, payload ->> '$.category' AS category, occurred_us, received_us"
    f" FROM ({events_sql('order_placed')}) WHERE payload ->> '$.category' IS NOT NULL"
)


@contextmanager
def opened_for_patterns(
    history: Path, links: pa.Table, outcome: EventOfDefault | None = None
) -> Iterator[OpenHistory]:
    """The history with what items, and the outcome if any, are made of. Raises UnableToReadHistory."""
    parts = (*parts_of(DEFINITIONS), *(outcome.parts() if outcome else ()))
    with opened_history(history, links, parts) as opened:
        opened.connection.execute(f"CREATE TEMP TABLE purchase AS {_CATEGORY_SQL}")
        yield opened


def history_start(opened: OpenHistory) -> datetime | None:
    """When the first event was known."""
    span = history_span(opened)
    return span[0] if span else None


def behaviours(
    opened: OpenHistory, *, customers: pa.Table, as_of: datetime
) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """The values behind the items, by feature, in the order of ``customers``; NaN where missing."""
    table = feature_table(opened, DEFINITIONS, customers=customers, as_of=as_of)
    assert table["customer_id"].equals(customers["customer_id"]), "both come by customer_id"
    return {
        definition.name: table[definition.name].combine_chunks().to_numpy(zero_copy_only=False)
        for definition in DEFINITIONS
    }


def categories(opened: OpenHistory, *, as_of: datetime) -> pa.Table:
    """``customer_id, category`` of what was bought in the year before ``as_of``, as known then."""
    start = as_of - timedelta(days=CATEGORY_DAYS)
    sql = (
        "SELECT DISTINCT customer_id, category FROM purchase WHERE occurred_us <= $at AND received_us <= $at"
        " AND occurred_us > $start ORDER BY category, customer_id"
    )
    values = {"at": micros(as_of), "start": micros(start)}
    return opened.connection.sql(sql, params=values).to_arrow_table()


def agreed(opened: OpenHistory, customers: pa.Table, *, as_of: datetime) -> pa.Table:
    """The customers who have not taken back at ``as_of`` that they may be assessed."""
    withdrawn = withdrawn_at(opened, as_of=as_of)
    barred = withdrawn.filter(pc.equal(withdrawn["purpose"], _PURPOSE))["customer_id"]
    return customers.filter(pc.invert(pc.is_in(customers["customer_id"], value_set=barred)))


def outcomes_of_half(
    opened: OpenHistory, outcome: EventOfDefault, *, as_of: datetime, known_until: datetime, half: int
) -> pa.Table:
    """``customer_id, event`` at ``as_of`` of one half (0 or 1) of the customers, by a hash of their ids."""
    labelled = label_table(opened, outcome, as_of=as_of, known_until=known_until)
    opened.connection.register("labelled", labelled.select(["customer_id", "event"]))
    sql = (
        "SELECT customer_id, event FROM labelled WHERE (substr(md5(customer_id), 1, 1) < '8') = $first"
        " ORDER BY customer_id"
    )
    found = opened.connection.sql(sql, params={"first": half == 0}).to_arrow_table()
    return agreed(opened, found, as_of=known_until)


def most_bought(bought: pa.Table, customers: pa.Table, *, share_min: float, limit: int) -> Sequence[str]:
    """The categories that at least a share of the customers bought, commonest first and then by name."""
    ours = bought.filter(pc.is_in(bought["customer_id"], value_set=customers["customer_id"]))
    counted = ours.group_by("category").aggregate([("customer_id", "count")])
    enough = counted.filter(
        pc.greater_equal(counted["customer_id_count"], max(1, share_min * customers.num_rows))
    )
    ranked = enough.sort_by([("customer_id_count", "descending"), ("category", "ascending")])
    names: list[str] = ranked["category"].to_pylist()
    return names[:limit]
