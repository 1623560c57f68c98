"""Partition: the best way to join neighbouring bins, found exactly by dynamic programming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Direction = Literal[-1, 0, 1] | None

SMOOTHING = 10.0
# A cut pays for itself where chi-squared on one degree of freedom would be found by chance in 1 %.
_CHARGE = 6.63
# Where no direction is declared, one is taken if it keeps this much of the information.
_MONOTONE_KEEPS = 0.95


@dataclass(frozen=True, slots=True)
class BinningRules:
    """How many bins at most, the smallest share of known rows and number of rows in one, pseudo-rows."""

    bins_max: int = 10
    share_min: float = 0.02
    rows_min: int = 30
    smoothing: float = SMOOTHING


def woe_of(rows: npt.ArrayLike, events: npt.ArrayLike, totals: tuple[int, int], smoothing: float) -> Floats:
    """Smoothed weight of evidence of bins with these counts, given all (events, non-events)."""
    e, n = np.asarray(events, dtype=np.float64), np.asarray(rows, dtype=np.float64) - np.asarray(events)
    base = totals[0] / (totals[0] + totals[1])
    woe: Floats = np.log((e + smoothing * base) / (n + smoothing * (1 - base))) - np.log(
        totals[0] / totals[1]
    )
    return woe


def best_partition(
    rows: Ints, events: Ints, totals: tuple[int, int], direction: Direction, rules: BinningRules
) -> tuple[Ints, int]:
    """Which cuts between neighbours stay (cut ``k`` is after bin ``k``), and the trend they have.

    ``direction`` 1 or -1 is kept strictly, 0 asks nothing; None takes the better direction where that
    keeps nearly all the information, else none.
    """
    if direction is not None:
        return _best_cuts(rows, events, totals, direction, rules)[0], direction
    free, free_value = _best_cuts(rows, events, totals, 0, rules)
    trends = [(trend, *_best_cuts(rows, events, totals, trend, rules)) for trend in (1, -1)]
    trend, cuts, value = max(trends, key=lambda item: item[2])
    return (cuts, trend) if len(cuts) and value >= _MONOTONE_KEEPS * free_value else (free, 0)


def _best_cuts(
    rows: Ints, events: Ints, totals: tuple[int, int], trend: int, rules: BinningRules
) -> tuple[Ints, float]:
    """The best cuts and their value.

    ``best[i, j]`` is the highest value of a partition of bins 0..j whose newest part is i..j.
    """
    gain, woe = _segments(rows, events, totals, rules)
    best = np.full(gain.shape, -np.inf)
    best[0] = gain[0]
    found, depth, start = float(best[0, -1]), 0, 0
    layers: list[Ints] = []
    while len(layers) + 1 < rules.bins_max and np.isfinite(best[:, :-1]).any():
        best, came_from = _next_layer(best, gain, woe, trend)
        layers.append(came_from)
        if (value := float(best[:, -1].max())) > found:
            found, depth, start = value, len(layers), int(best[:, -1].argmax())
    cuts, end = [], len(rows) - 1
    for came_from in reversed(layers[:depth]):
        cuts.append(start - 1)
        start, end = int(came_from[start, end]), start - 1
    return np.array(cuts[::-1], dtype=np.int64), found


def _segments(
    rows: Ints, events: Ints, totals: tuple[int, int], rules: BinningRules
) -> tuple[Floats, Floats]:
    """For every part i..j: what it adds to the value (-inf where it is too small), and its woe."""
    row_sums, event_sums = np.append(0, np.cumsum(rows)), np.append(0, np.cumsum(events))
    part_rows = row_sums[None, 1:] - row_sums[:-1, None]
    part_events = event_sums[None, 1:] - event_sums[:-1, None]
    smallest = max(rules.rows_min, rules.share_min * float(row_sums[-1]))
    allowed = part_rows >= smallest
    part_rows, part_events = np.where(allowed, part_rows, 1), np.where(allowed, part_events, 0)
    woe = woe_of(part_rows, part_events, totals, rules.smoothing)
    share = part_events / totals[0] - (part_rows - part_events) / totals[1]
    charge = _CHARGE * (1 / totals[0] + 1 / totals[1])
    return np.where(allowed, share * woe - charge, -np.inf), woe


def _next_layer(best: Floats, gain: Floats, woe: Floats, trend: int) -> tuple[Floats, Ints]:
    """The same table with one more part, and where the part before the newest one starts."""
    size = len(best)
    longer, came_from = np.full((size, size), -np.inf), np.zeros((size, size), dtype=np.int64)
    for end in range(size - 1):
        before = best[: end + 1, end]
        if not np.isfinite(before).any():
            continue
        after = woe[end + 1, end + 1 :]
        fits = trend * (after[None, :] - woe[: end + 1, end][:, None]) > 0 if trend else True
        offered = np.where(fits, before[:, None], -np.inf)
        offered = np.broadcast_to(offered, (end + 1, len(after)))
        starts = offered.argmax(axis=0)
        came_from[end + 1, end + 1 :] = starts
        longer[end + 1, end + 1 :] = gain[end + 1, end + 1 :] + offered[starts, np.arange(len(after))]
    return longer, came_from
