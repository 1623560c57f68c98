"""Candidate cuts: the few edges of a fine histogram among which the best partition is looked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shouxin.scoring.domain.partition import BinningRules, Counts, Floats, Ints, free_partition

_ALL_BELOW = 40  # with fewer, every one is a candidate
_QUANTILES = 8
_TREE_CUTS = 8
_COARSE = 400


def fine_edges(ordered: Floats, *, count: int) -> Floats:
    """Edges of a histogram of at most ``count`` bins of like size; where few values are, each is apart."""
    if not len(ordered):
        return np.empty(0)
    firsts = np.flatnonzero(np.append(True, np.diff(ordered) > 0))
    if len(firsts) <= count:
        return _between(ordered[firsts[1:] - 1], ordered[firsts[1:]])
    wanted = np.linspace(0, len(ordered), count + 1)[:-1].astype(np.int64)
    firsts = firsts[np.unique(np.searchsorted(firsts, wanted, side="left").clip(max=len(firsts) - 1))]
    firsts = firsts[firsts > 0]
    return _between(ordered[firsts - 1], ordered[firsts])


def _between(low: Floats, high: Floats) -> Floats:
    """Halfway between neighbours, so that a rounding of the data moves nothing; never ``low`` itself."""
    middle = low + (high - low) / 2
    edges: Floats = np.where(middle > low, middle, high)
    return edges


def candidate_cuts(rows: Ints, events: Ints, totals: tuple[int, int], rules: BinningRules) -> Ints:
    """Indices of fine edges worth a try: all where there are few; else four ways of finding some.

    Even shares of the rows; what a greedy tree would cut; the best partition without a shape; and where
    the best rising and the best falling rates step (they are flat between).
    """
    last = len(rows) - 2
    if last < _ALL_BELOW:
        return np.arange(last + 1, dtype=np.int64)
    reached = np.cumsum(rows)
    quantiles = np.searchsorted(reached, reached[-1] * np.arange(1, _QUANTILES) / _QUANTILES)
    steps = [_steps(rows, events, way, smallest=reached[-1] * rules.share_min / 2) for way in (1, -1)]
    # Twice as many bins of half the size: where the information is, before a shape is asked of it.
    finer = replace(rules, bins_max=2 * rules.bins_max, share_min=rules.share_min / 2, charge=0.0)
    free = [_free_cuts(rows, events, totals, each) for each in (rules, finer)]
    found = np.concatenate([quantiles, _tree_cuts(rows, events), *free, *steps])
    return np.unique(found.clip(max=last)).astype(np.int64)


def _free_cuts(rows: Ints, events: Ints, totals: tuple[int, int], rules: BinningRules) -> Ints:
    """The best cuts of a coarser histogram where no shape is asked and no neighbour looked at."""
    share = np.cumsum(rows) * _COARSE // (rows.sum() + 1)
    edges = np.flatnonzero(np.diff(share) > 0)
    starts = np.append(0, edges + 1)
    counts = Counts(np.add.reduceat(rows, starts), np.add.reduceat(events, starts), totals)
    return edges[free_partition(counts, rules)]


def _steps(rows: Ints, events: Ints, way: int, *, smallest: float) -> Ints:
    """Where the rates step that rise (or fall) and fit best: pooling neighbours that stand the wrong way."""
    pools: list[tuple[int, int, int]] = []
    for place, (count, bad) in enumerate(zip(rows.tolist(), events.tolist(), strict=True)):
        own = (place, count, bad)
        while pools and (
            pools[-1][1] < smallest or way * (own[2] * pools[-1][1] - pools[-1][2] * own[1]) <= 0
        ):
            before = pools.pop()
            own = (place, own[1] + before[1], own[2] + before[2])
        pools.append(own)
    return np.array([place for place, _, _ in pools[:-1]], dtype=np.int64)


def _tree_cuts(rows: Ints, events: Ints) -> Ints:
    """Greedy cuts by the fall in squared error; the segment with the best cut is split next."""
    row_sums, event_sums = np.append(0, np.cumsum(rows)), np.append(0, np.cumsum(events))
    smallest = max(1, int(row_sums[-1] * 0.01))

    def best(low: int, high: int) -> tuple[float, int]:
        inside = np.arange(low + 1, high)
        left_rows = row_sums[inside] - row_sums[low]
        right_rows = row_sums[high] - row_sums[inside]
        left, right = event_sums[inside] - event_sums[low], event_sums[high] - event_sums[inside]
        whole = (event_sums[high] - event_sums[low]) ** 2 / max(row_sums[high] - row_sums[low], 1)
        gain = left**2 / np.maximum(left_rows, 1) + right**2 / np.maximum(right_rows, 1) - whole
        gain = np.where((left_rows >= smallest) & (right_rows >= smallest), gain, 0.0)
        at = int(np.argmax(gain)) if len(gain) else 0
        return (float(gain[at]), int(inside[at])) if len(gain) else (0.0, low)

    segments = {(0, len(rows)): best(0, len(rows))}
    cuts: list[int] = []
    while len(cuts) < _TREE_CUTS:
        (low, high), (gain, at) = max(segments.items(), key=lambda item: item[1][0])
        if gain <= 0:
            break
        cuts.append(at - 1)
        del segments[(low, high)]
        segments[(low, at)], segments[(at, high)] = best(low, at), best(at, high)
    return np.array(sorted(cuts), dtype=np.int64)
