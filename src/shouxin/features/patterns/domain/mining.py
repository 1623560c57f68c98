"""Mining: which sets of items go with the event, and which of them still do later, on other customers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

import numpy as np

from shouxin.features.patterns.domain.document import PatternDocument, RiskPattern
from shouxin.features.patterns.domain.growth import Basket, frequent_sets
from shouxin.features.patterns.domain.items import Ints, Item
from shouxin.features.patterns.domain.measures import Evidence, each_certain, within_false_discovery

# A pattern of four things is a story about a few; one that a customer can be told has three at most.
LENGTH_MAX = 3
_SUPPORT_MIN = 0.005
_ROWS_MIN = 50
# One in twenty of what is found may be chance; what is confirmed must not be, with 95 %.
_FALSE_DISCOVERY = 0.05
_LEVEL = 0.05
PATTERNS_MAX = 40


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Customers at one date: their items as bits, and whether they had the event (0 or 1)."""

    masks: Ints
    events: Ints

    def __post_init__(self) -> None:
        assert len(self.masks) == len(self.events)


@dataclass(frozen=True, slots=True)
class Dates:
    """When patterns hold from, and the dates of the customers they were found and confirmed on."""

    as_of: datetime
    found_at: datetime
    confirmed_at: datetime


def mine(
    items: Sequence[Item], found: Sample, confirmed: Sample, *, outcome: str, dates: Dates
) -> PatternDocument:
    """Find patterns in one sample and keep those that hold in the other, which must be of other customers."""
    evidence = _evidence_of_frequent(found)
    chosen = _telling(evidence)
    later = dict(zip(chosen, _evidence(confirmed, chosen), strict=True))
    certain = each_certain([later[basket].p_value for basket in chosen], level=_LEVEL)
    patterns = [
        RiskPattern(tuple(items[item].code for item in basket), evidence[basket], later[basket])
        for basket, kept in zip(chosen, certain, strict=True)
        if kept
    ]
    return PatternDocument(
        outcome,
        dates.as_of,
        dates.found_at,
        dates.confirmed_at,
        tuple(items),
        len(evidence),
        tuple(sorted(patterns, key=lambda pattern: (-pattern.lift, pattern.items))),
    )


def _evidence_of_frequent(sample: Sample) -> dict[Basket, Evidence]:
    """The sets of items that enough customers have, whatever became of them: the tests that are made."""
    masks, counts = np.unique(sample.masks, return_counts=True)
    baskets = zip((_bits(mask) for mask in masks.tolist()), counts.tolist(), strict=True)
    count_min = max(_ROWS_MIN, math.ceil(_SUPPORT_MIN * len(sample.masks)))
    sets = sorted(frequent_sets(baskets, count_min=count_min, length_max=LENGTH_MAX))
    return dict(zip(sets, _evidence(sample, sets), strict=True))


def _telling(evidence: Mapping[Basket, Evidence]) -> list[Basket]:
    """The sets that go with the event, are no chance of many tests, and say more than their parts."""
    sets = list(evidence)
    stands = within_false_discovery(
        [evidence[basket].p_value for basket in sets], tests=len(sets), rate=_FALSE_DISCOVERY
    )
    kept = [basket for basket, yes in zip(sets, stands, strict=True) if yes and _adds(evidence, basket)]
    return sorted(kept, key=lambda basket: (-evidence[basket].lift.low, basket))[:PATTERNS_MAX]


def _adds(evidence: Mapping[Basket, Evidence], basket: Basket) -> bool:
    own = evidence[basket]
    if own.lift.value <= 1:
        return False
    # A longer pattern must say more than each shorter one in it, and not by luck. Parts of a frequent set are
    # frequent, so all of them are there.
    return own.confidence.low > max((evidence[part].confidence.value for part in _parts(basket)), default=0.0)


def _parts(basket: Basket) -> Iterable[Basket]:
    return (part for length in range(1, len(basket)) for part in combinations(basket, length))


def _evidence(sample: Sample, sets: Sequence[Basket]) -> list[Evidence]:
    masks, where = np.unique(sample.masks, return_inverse=True)
    rows = np.bincount(where, minlength=len(masks))
    events = np.bincount(where[sample.events == 1], minlength=len(masks))
    found = []
    for basket in sets:
        needed = sum(1 << item for item in basket)
        having = (masks & needed) == needed
        found.append(
            Evidence(len(sample.masks), int(rows[having].sum()), int(events.sum()), int(events[having].sum()))
        )
    return found


def _bits(mask: int) -> Basket:
    return tuple(position for position in range(mask.bit_length()) if mask >> position & 1)
