"""Binning: cut one variable into a few bins that tell events from non-events, exactly and quickly.

Candidates are quantile cuts and the cuts of a greedy tree. Dynamic programming then finds the best
partition of all: highest information value less a charge for each bin, every bin and every pair of
neighbours keeping the rules (``partition.BinningRules``), in the shape that is asked for.

Weight of evidence: ``ln((e + s*p) / (n + s*(1-p))) - ln(E / N)`` for ``e`` events and ``n`` non-events
of ``E`` and ``N``, with ``p`` the base rate and ``s`` pseudo-rows (SMOOTHING). Positive is riskier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.candidate_cuts import candidate_cuts, fine_edges
from shouxin.scoring.domain.partition import (
    SMOOTHING,
    BinningRules,
    Counts,
    Direction,
    Floats,
    Ints,
    Shape,
    best_partition,
    woe_of,
)

_HISTOGRAM_MIN, _ROWS_A_FINE_BIN = 40, 10
_HISTOGRAM = 8192  # fine bins that all candidates come from
# Where a variable is only weighed: twenty shares of a twentieth.
_QUICK = 20
# How often the candidates are drawn again around the cuts that were chosen, and how many for each cut.
_ZOOMS, _NEAR = 3, 5
# A category this rare has no rate of its own to speak of.
_RARE_ROWS = 20
_RARE_SHARE = 0.002
_CATEGORIES_MAX = 40


@dataclass(frozen=True, slots=True)
class Binning:
    """Counts of every slot: regular bins, then missing, then special values or unseen.

    ``woe`` is 0 where a slot has no rows. ``edges`` for numbers, ``groups`` for categories (the one
    named ``pooled`` holds the rare ones). ``trend`` is 1 rising, -1 falling, "peak", "valley", 0 none.
    """

    edges: tuple[float, ...]
    groups: tuple[tuple[str, ...], ...]
    pooled: int | None
    rows: tuple[int, ...]
    events: tuple[int, ...]
    woe: tuple[float, ...]
    iv: float
    trend: Shape


def bin_numbers(
    values: Floats,
    y: Ints,
    *,
    special: Sequence[float] = (),
    direction: Direction = None,
    rules: BinningRules | None = None,
    periods: Ints | None = None,
    edges: Sequence[float] | None = None,
    quickly: bool = False,
) -> Binning:
    """Bin numbers (NaN is missing). A ``direction`` that is named is kept strictly, 0 is free, None chooses.

    ``periods`` numbers the period of every row from 0: then neighbours must keep their ranking in each.
    ``edges`` are somebody's own: the bins are exactly theirs, and the rules are not asked. ``quickly`` looks
    among twenty even shares of the rows only: enough to weigh a variable, not to write a table.
    """
    rules = rules or BinningRules()
    known = ~np.isnan(values)
    set_aside = [(~known)] + [values == value for value in special]
    regular = known & ~np.isin(values, np.asarray(special, dtype=np.float64)) if special else known
    totals = (int(y.sum()), len(y) - int(y.sum()))
    inside = _Ordered.of(values[regular], y[regular], None if periods is None else periods[regular])
    trend: Shape = 0
    if edges is None:
        chosen, trend = _best_edges(inside, totals, direction=direction, rules=rules, quickly=quickly)
    else:
        chosen = np.unique(np.asarray(edges, dtype=np.float64))
    rows, events = inside.counted(chosen)
    extra = [(int(mask.sum()), int(y[mask].sum())) for mask in set_aside]
    slot_rows = [*rows.tolist(), *(r for r, _ in extra)]
    slot_events = [*events.tolist(), *(e for _, e in extra)]
    counted = _binning(slot_rows, slot_events, totals, trend, rules)
    return replace(counted, edges=tuple(chosen.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class _Ordered:
    """All values in order, and those of events; counting between edges then touches no row again."""

    all: Floats
    events: Floats
    values: Floats
    y: Ints
    periods: Ints | None

    @classmethod
    def of(cls, values: Floats, y: Ints, periods: Ints | None) -> _Ordered:
        return cls(np.sort(values), np.sort(values[y == 1]), values, y, periods)

    def counted(self, edges: Floats) -> tuple[Ints, Ints]:
        """Rows and events of every slot between ``edges``."""
        rows, events = (
            np.diff(np.concatenate([[0], np.searchsorted(ordered, edges, side="left"), [len(ordered)]]))
            for ordered in (self.all, self.events)
        )
        return rows, events

    def by_period(self, edges: Floats) -> tuple[Ints, Ints] | tuple[None, None]:
        """(periods, slots) rows and events; None where no period was told."""
        if self.periods is None or not len(self.values):
            return None, None
        size, count = len(edges) + 1, int(self.periods.max()) + 1
        slots = self.periods * size + np.searchsorted(edges, self.values, side="right")
        rows, events = _counted(slots, self.y, count * size)
        return rows.reshape(count, size), events.reshape(count, size)


def _best_edges(
    inside: _Ordered, totals: tuple[int, int], *, direction: Direction, rules: BinningRules, quickly: bool
) -> tuple[Floats, Shape]:
    """The edges of the best partition, and its shape."""
    finest = min(_HISTOGRAM, max(_HISTOGRAM_MIN, len(inside.all) // _ROWS_A_FINE_BIN))
    fine = fine_edges(inside.all, count=_QUICK if quickly else finest)
    keep = candidate_cuts(*inside.counted(fine), totals, rules)
    cuts, shape = _among(fine[keep], inside, totals, direction, rules)
    for _ in range(_ZOOMS):
        if len(keep) == len(fine) or not len(cuts):
            break
        keep = _nearer(keep, cuts)
        cuts, shape = _among(fine[keep], inside, totals, shape, rules)
    return fine[keep[cuts]], shape


def _among(
    edges: Floats, inside: _Ordered, totals: tuple[int, int], direction: Direction, rules: BinningRules
) -> tuple[Ints, Shape]:
    """Which of ``edges`` the best partition keeps, and its shape."""
    counts = Counts(*inside.counted(edges), totals, *inside.by_period(edges))
    return best_partition(counts, direction, rules)


def _nearer(keep: Ints, cuts: Ints) -> Ints:
    """Candidates drawn again around the cuts that were chosen, from the one before to the one after.

    The chosen are among them, so that what is found next is worth no less.
    """
    around = np.append(np.append(-1, keep), keep[-1] + 1)
    found = [
        np.linspace(around[cut] + 1, around[cut + 2] - 1, _NEAR).astype(np.int64) for cut in cuts.tolist()
    ]
    return np.unique(np.concatenate([keep[cuts], *found]))


def _counted(slots: Ints, y: Ints, size: int) -> tuple[Ints, Ints]:
    """Rows and events of every slot."""
    rows = np.bincount(slots, minlength=size).astype(np.int64)
    return rows, np.bincount(slots, weights=y, minlength=size).astype(np.int64)


def bin_categories(values: Sequence[str | None], y: Ints, *, rules: BinningRules | None = None) -> Binning:
    """Bin categories (None is missing): ordered by event rate, then partitioned like numbers.

    Categories too rare to tell apart are pooled first; what was never seen joins them.
    """
    rules = rules or BinningRules()
    names, codes, missing = coded(values)
    totals = (int(y.sum()), len(y) - int(y.sum()))
    rows, events = _counted(codes[~missing], y[~missing], len(names))
    base = totals[0] / len(y)
    pools, pooled = _pools(rows, len(y))
    pool_rows = np.array([rows[pool].sum() for pool in pools])
    pool_events = np.array([events[pool].sum() for pool in pools])
    rates = (pool_events + rules.smoothing * base) / (pool_rows + rules.smoothing)
    order = np.lexsort((np.arange(len(pools)), rates))
    cuts, _ = best_partition(Counts(pool_rows[order], pool_events[order], totals), 0, rules)
    parts = np.split(order, cuts + 1)
    groups = tuple(tuple(sorted(names[i] for pool in part for i in pools[pool])) for part in parts)
    where = next((i for i, part in enumerate(parts) if pooled is not None and pooled in part), None)
    slot_rows = [int(pool_rows[part].sum()) for part in parts] + [int(missing.sum()), 0]
    slot_events = [int(pool_events[part].sum()) for part in parts] + [int(y[missing].sum()), 0]
    return replace(_binning(slot_rows, slot_events, totals, 0, rules), groups=groups, pooled=where)


def category_slots(values: Sequence[str | None], binning: Binning) -> Ints:
    """The slot of every category in ``binning``, which was made from these; None has its own."""
    places: dict[str | None, int] = {name: i for i, group in enumerate(binning.groups) for name in group}
    places[None] = len(binning.groups)
    return np.array([places[value] for value in values], dtype=np.int64)


def category_groups(values: Sequence[str | None]) -> tuple[tuple[tuple[str, ...], ...], int | None]:
    """Each common category as a group of its own, then the rare ones pooled, and which group that is."""
    names, codes, missing = coded(values)
    rows = np.bincount(codes[~missing], minlength=len(names)).astype(np.int64)
    pools, pooled = _pools(rows, len(codes))
    return tuple(tuple(names[code] for code in pool) for pool in pools), pooled


def coded(values: Sequence[str | None]) -> tuple[list[str], Ints, npt.NDArray[np.bool_]]:
    """Sorted names, the code of every value (0 where missing), and where it is missing."""
    names = sorted({value for value in values if value is not None})
    codes = {name: code for code, name in enumerate(names)}
    missing = np.array([value is None for value in values], dtype=np.bool_)
    return names, np.array([0 if v is None else codes[v] for v in values], dtype=np.int64), missing


def iv_interval(binning: Binning, *, seed: int, draws: int = 200) -> tuple[float, float]:
    """95 % interval of the information value: the bins' counts drawn again ``draws`` times."""
    rng = np.random.default_rng(seed)
    events = np.asarray(binning.events, dtype=np.float64)
    others = np.asarray(binning.rows, dtype=np.float64) - events
    drawn_e = rng.multinomial(int(events.sum()), events / events.sum(), draws)
    drawn_n = rng.multinomial(int(others.sum()), others / others.sum(), draws)
    totals = (int(events.sum()), int(others.sum()))
    woe = woe_of(drawn_e + drawn_n, drawn_e, totals, SMOOTHING)
    iv = ((drawn_e / totals[0] - drawn_n / totals[1]) * woe).sum(axis=1)
    low, high = np.percentile(iv, (2.5, 97.5)).tolist()
    return float(low), float(high)


def _pools(rows: Ints, total: int) -> tuple[list[list[int]], int | None]:
    """Each common category by itself, the rare ones together, and the index of the rare pool."""
    smallest = max(_RARE_ROWS, int(total * _RARE_SHARE))
    common = [code for code in np.argsort(-rows, kind="stable").tolist() if rows[code] >= smallest]
    common = sorted(common[:_CATEGORIES_MAX])
    rare = sorted(set(range(len(rows))) - set(common))
    pools = [[code] for code in common] + ([rare] if rare else [])
    return pools, len(common) if rare else None


def _binning(
    rows: list[int], events: list[int], totals: tuple[int, int], trend: Shape, rules: BinningRules
) -> Binning:
    """The counts, said once; edges and groups are added by the caller."""
    woe = np.where(np.asarray(rows) > 0, woe_of(rows, events, totals, rules.smoothing), 0.0)
    shares = np.asarray(events) / totals[0] - (np.asarray(rows) - np.asarray(events)) / totals[1]
    iv = float((shares * woe).sum())
    return Binning((), (), None, tuple(rows), tuple(events), tuple(woe.tolist()), iv, trend)
