"""The verbs of links: link_features, find_rings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa

from shouxin.features.domain.shopwide import is_night
from shouxin.features.graph import store
from shouxin.features.graph.domain import NAMES, SuspectedRing, feature_values, suspected_rings
from shouxin.features.store import micros


def link_features(history: Path, links: pa.Table, *, night: datetime) -> pa.Table:
    """``customer_id, <feature>...`` (float64) of all who shared a token by the midnight ``night``.

    Whoever is not in it shares nothing (``alone``). Raises UnableToReadHistory.
    """
    assert is_night(night), "links are looked at by midnight"
    customers, found = store.read_links(history, links, as_of=night)
    values = feature_values(found, at_us=micros(night))
    columns = {name: pa.array(values[name], from_pandas=True) for name in NAMES}
    return pa.table({"customer_id": customers, **columns})


def find_rings(
    history: Path, links: pa.Table, *, night: datetime
) -> tuple[tuple[SuspectedRing, tuple[str, ...]], ...]:
    """Suspected rings by the midnight ``night`` with their members' ids, the densest first.

    Raises UnableToReadHistory.
    """
    customers, found = store.read_links(history, links, as_of=night)
    names = customers.to_pylist()
    return tuple((ring, tuple(names[member] for member in ring.members)) for ring in suspected_rings(found))
