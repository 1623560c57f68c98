"""The verbs of patterns: mine_patterns, pattern_features."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shouxin.features.domain import DEFAULTS, EventOfDefault
from shouxin.features.domain.outcomes import SEASONED_DAYS_MIN
from shouxin.features.domain.shopwide import learnt_at
from shouxin.features.patterns import store
from shouxin.features.patterns.domain import (
    BEHAVIOURS,
    ITEMS_MAX,
    NO_PATTERN,
    Dates,
    Item,
    PatternDocument,
    Sample,
    category_item,
    lifts,
    masks_of,
    matched,
    mine,
)
from shouxin.features.patterns.domain.items import Flags, Ints
from shouxin.features.store import OpenHistory, known_customers

# Patterns are found on customers this long before the date at which they are confirmed on others.
_APART = timedelta(days=90)
_CATEGORY_SHARE_MIN = 0.02


class UnableToMinePatterns(ValueError):
    """The history is too short for outcomes to have matured; the message says from when on it is not."""


def mine_patterns(
    history: Path, links: pa.Table, *, night: datetime, outcome: EventOfDefault = DEFAULTS
) -> PatternDocument:
    """The patterns that hold at ``night``, the same all month, from outcomes that had matured when it began.

    Raises UnableToMinePatterns, UnableToReadHistory.
    """
    month = learnt_at(night)
    confirmed_at = month - timedelta(days=outcome.window_days)
    dates = Dates(month, confirmed_at - _APART, confirmed_at)
    with store.opened_for_patterns(history, links, outcome) as opened:
        _check_long_enough(opened, dates)
        first = store.outcomes_of_half(opened, outcome, as_of=dates.found_at, known_until=month, half=0)
        second = store.outcomes_of_half(opened, outcome, as_of=dates.confirmed_at, known_until=month, half=1)
        items = _items(opened, first, as_of=dates.found_at)
        found = _sample(opened, first, items, as_of=dates.found_at)
        confirmed = _sample(opened, second, items, as_of=dates.confirmed_at)
    return mine(items, found, confirmed, outcome=outcome.name, dates=dates)


def pattern_features(
    history: Path, links: pa.Table, *, night: datetime, document: PatternDocument
) -> pa.Table:
    """``customer_id, pattern_lift_strongest, patterns_matched, strongest_pattern`` at the midnight ``night``.

    The last one is the code of the pattern that the lift is of, null where none matches. Everyone known then
    has a row. Raises UnableToReadHistory.
    """
    assert document.as_of <= night, "patterns that were mined later must not be read before"
    with store.opened_for_patterns(history, links) as opened:
        known = known_customers(opened, as_of=night).sort_by("customer_id")
        customers = store.agreed(opened, known, as_of=night)
        masks = _masks(opened, customers, document.items, as_of=night)
    count, strongest = matched(document, masks)
    codes = pa.array([pattern.code for pattern in document.patterns], pa.string())
    position = pa.array(strongest, mask=strongest == NO_PATTERN)
    return pa.table(
        {
            "customer_id": customers["customer_id"],
            "pattern_lift_strongest": pa.array(lifts(document, strongest)),
            "patterns_matched": pa.array(count.astype(np.float64)),
            "strongest_pattern": codes.take(position),
        }
    )


def _check_long_enough(opened: OpenHistory, dates: Dates) -> None:
    start = store.history_start(opened)
    begins_by = dates.found_at - timedelta(days=SEASONED_DAYS_MIN)
    if start is None or start > begins_by:
        told = "is empty" if start is None else f"begins {start:%Y-%m-%d}"
        raise UnableToMinePatterns(
            f"patterns of {dates.as_of:%Y-%m} need a history from {begins_by:%Y-%m-%d} on, and it {told}"
        )


def _items(opened: OpenHistory, customers: pa.Table, *, as_of: datetime) -> tuple[Item, ...]:
    bought = store.categories(opened, as_of=as_of)
    names = store.most_bought(
        bought, customers, share_min=_CATEGORY_SHARE_MIN, limit=ITEMS_MAX - len(BEHAVIOURS)
    )
    return (*BEHAVIOURS, *(category_item(name) for name in sorted(names)))


def _sample(opened: OpenHistory, labelled: pa.Table, items: Sequence[Item], *, as_of: datetime) -> Sample:
    masks = _masks(opened, labelled.select(["customer_id"]), items, as_of=as_of)
    return Sample(masks, labelled["event"].to_numpy().astype(np.int64))


def _masks(opened: OpenHistory, customers: pa.Table, items: Sequence[Item], *, as_of: datetime) -> Ints:
    values = store.behaviours(opened, customers=customers, as_of=as_of)
    bought = store.categories(opened, as_of=as_of)
    having: list[Flags] = []
    for item in items:
        if item.feature is not None:
            having.append(item.held_against(values[item.feature]))
            continue
        who = bought.filter(pc.equal(bought["category"], item.code.removeprefix("bought:")))
        having.append(pc.is_in(customers["customer_id"], value_set=who["customer_id"]).to_numpy())
    return masks_of(having)
