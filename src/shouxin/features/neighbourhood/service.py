"""The verb of neighbourhood: taste_features."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa

from shouxin.features.domain import DEFAULTS, EventOfDefault
from shouxin.features.domain.shopwide import midnight_before
from shouxin.features.neighbourhood import store
from shouxin.features.neighbourhood.domain import FEATURES, tastes


def taste_features(
    history: Path, links: pa.Table, *, as_of: datetime, outcome: EventOfDefault = DEFAULTS
) -> pa.Table:
    """``customer_id, <feature>...`` (float64) of everyone who bought something, at the midnight before ``as_of``.

    Outcomes are those of the date one performance window earlier: they had matured by that midnight.
    Raises UnableToReadHistory.
    """
    night = midnight_before(as_of)
    customers, bought, known = store.read_tastes(
        history,
        links,
        as_of=night,
        outcome=outcome,
        labelled_at=night - timedelta(days=outcome.window_days),
    )
    found = tastes(bought, known)
    values = (found.event_rate, found.surprise, found.coherence)
    columns = {
        feature.name: pa.array(column, from_pandas=True)
        for feature, column in zip(FEATURES, values, strict=True)
    }
    return pa.table({"customer_id": customers, **columns})
