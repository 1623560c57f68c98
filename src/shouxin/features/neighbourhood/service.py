"""The verb of neighbourhood: taste_features."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa

from shouxin.features.domain import DEFAULTS, EventOfDefault
from shouxin.features.domain.shopwide import learnt_at
from shouxin.features.neighbourhood import store
from shouxin.features.neighbourhood.domain import FEATURES, tastes


def taste_features(
    history: Path, links: pa.Table, *, night: datetime, outcome: EventOfDefault = DEFAULTS
) -> pa.Table:
    """``customer_id, <feature>...`` (float64) of everyone who bought something, at the midnight ``night``.

    What is alike and the outcomes of its holders are those that were known, and had matured, when the month
    began. Raises UnableToReadHistory.
    """
    customers, bought, learnt_from, known = store.read_tastes(
        history, links, as_of=night, learnt_at=learnt_at(night), outcome=outcome
    )
    found = tastes(bought, known, learnt_from=learnt_from)
    values = (found.event_rate, found.surprise, found.coherence)
    columns = {
        feature.name: pa.array(column, from_pandas=True)
        for feature, column in zip(FEATURES, values, strict=True)
    }
    return pa.table({"customer_id": customers, **columns})
