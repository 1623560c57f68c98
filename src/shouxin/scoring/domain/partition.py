"""Partition: the best way to join neighbouring bins, found exactly by dynamic programming.

What may be asked of a partition: how many bins, how large, how many events and non-events in each, which
shape (rising, falling, a peak, a valley, or none), how far neighbours are apart, and that neighbours keep
their ranking from period to period. Whatever is asked, no partition of the candidates that keeps it is worth
more.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shape = Literal[-1, 0, 1, "peak", "valley"]
Direction = Shape | None

SMOOTHING = 10.0
# A cut pays for itself where chi-squared on one degree of freedom would be found by chance in 1 % of tries,
# and many places were tried.
CHARGE = 12.0
# Where no shape is declared, the plainest that keeps this much of the information is taken.
_SHAPE_KEEPS = 0.95
# Each phase: which way it goes, and the phases that a part of it may follow.
_PHASES: dict[Shape, tuple[tuple[int, tuple[int, ...]], ...]] = {
    0: ((0, (0,)),),
    1: ((1, (0,)),),
    -1: ((-1, (0,)),),
    "peak": ((1, (0,)), (-1, (0, 1))),
    "valley": ((-1, (0,)), (1, (0, 1))),
}


@dataclass(frozen=True, slots=True)
class BinningRules:
    """What every bin of ordinary values must keep.

    ``share_min`` is of the known rows; ``events_min`` counts events and non-events alike; ``gap_min`` is a
    difference of woe and ``p_max`` the p-value of chi-squared, both between neighbours; ``flips_max`` is in
    how many periods two neighbours may change their ranking. ``charge`` is what a bin costs (0: nothing),
    ``smoothing`` the pseudo-rows of a woe.
    """

    bins_max: int = 10
    share_min: float = 0.02
    rows_min: int = 30
    events_min: int = 0
    gap_min: float = 0.0
    p_max: float = 1.0
    flips_max: int = 0
    charge: float = CHARGE
    smoothing: float = SMOOTHING


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """(n,) rows and events of neighbouring bins, and of all; (periods, n) where periods are told.

    ``totals`` are all events and all non-events, those of missing and special values included.
    """

    rows: Ints
    events: Ints
    totals: tuple[int, int]
    period_rows: Ints | None = None
    period_events: Ints | None = None


def woe_of(rows: npt.ArrayLike, events: npt.ArrayLike, totals: tuple[int, int], smoothing: float) -> Floats:
    """Smoothed weight of evidence of bins with these counts, given all (events, non-events)."""
    e, n = np.asarray(events, dtype=np.float64), np.asarray(rows, dtype=np.float64) - np.asarray(events)
    base = totals[0] / (totals[0] + totals[1])
    woe: Floats = np.log((e + smoothing * base) / (n + smoothing * (1 - base))) - np.log(
        totals[0] / totals[1]
    )
    return woe


def best_partition(counts: Counts, direction: Direction, rules: BinningRules) -> tuple[Ints, Shape]:
    """Which cuts between neighbours stay (cut ``k`` is after bin ``k``), and the shape they have.

    A shape that is named is kept strictly, 0 asks for none; None takes rising or falling where one keeps
    nearly all the information, else a peak or a valley that does, else none.
    """
    search = _Search.of(counts, rules)
    if direction is not None:
        return search.best(direction)[0], direction
    free, free_value = search.best(0)
    for shapes in _PLAINEST_FIRST:
        shape, cuts, value = max(((s, *search.best(s)) for s in shapes), key=lambda item: item[2])
        if len(cuts) and value >= _SHAPE_KEEPS * free_value:
            return cuts, shape
    return free, 0


_PLAINEST_FIRST: tuple[tuple[Shape, Shape], ...] = ((1, -1), ("peak", "valley"))


def free_partition(counts: Counts, rules: BinningRules) -> Ints:
    """The best cuts where no shape is asked and no neighbour looked at: quick with hundreds of bins.

    Then a part does not mind which part came before it, and one row of the table is enough.
    """
    gain = _gain(counts, rules)[0]
    best = gain[0]
    layers: list[Ints] = []
    found, depth = float(best[-1]), 0
    while len(layers) + 1 < rules.bins_max:
        offers = best[:-1, None] + gain[1:]
        layers.append(offers.argmax(axis=0))
        best = offers[layers[-1], np.arange(len(best))]
        if (value := float(best[-1])) > found:
            found, depth = value, len(layers)
    cuts, end = [], len(best) - 1
    for came_from in reversed(layers[:depth]):
        end = int(came_from[end])
        cuts.append(end)
    return np.array(cuts[::-1], dtype=np.int64)


def _gain(counts: Counts, rules: BinningRules) -> tuple[Floats, Floats]:
    """(n, n) what the part i..j is worth, -inf where it is not allowed; and its woe."""
    rows, events = _parts(counts.rows), _parts(counts.events)
    smallest = max(rules.rows_min, 1, rules.share_min * float(counts.rows.sum()))
    allowed = (rows >= smallest) & (np.minimum(events, rows - events) >= rules.events_min)
    rows, events = np.where(allowed, rows, 1), np.where(allowed, events, 0)
    smoothing = rules.smoothing or 1e-9  # a bin without events has no woe of its own
    woe = woe_of(rows, events, counts.totals, smoothing)
    share = events / counts.totals[0] - (rows - events) / counts.totals[1]
    charge = rules.charge * (1 / counts.totals[0] + 1 / counts.totals[1])
    return np.where(allowed, share * woe - charge, -np.inf), woe


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """``gain[i, j]`` is what the part i..j is worth (-inf where it is not allowed), ``woe`` its woe.

    ``apart[i, j, k]`` is 0 where i..j may stand before j+1..k, else -inf.
    """

    gain: Floats
    woe: Floats
    apart: Floats
    bins_max: int

    @classmethod
    def of(cls, counts: Counts, rules: BinningRules) -> _Search:
        """Every part and every pair of neighbours, judged once for all shapes."""
        gain, woe = _gain(counts, rules)
        return cls(gain, woe, np.where(_neighbours(counts, rules, woe), 0.0, -np.inf), rules.bins_max)

    def best(self, shape: Shape) -> tuple[Ints, float]:
        """The best cuts of this shape and their value.

        ``reached[phase][i, j]`` is the highest value of a partition of 0..j whose newest part is i..j.
        """
        phases = _PHASES[shape]
        bars = [self.apart + self._wrong_way(way) for way, _ in phases]
        reached = [np.full(self.gain.shape, -np.inf) for _ in phases]
        reached[0][0] = self.gain[0]
        layers: list[list[Ints]] = []
        found, place = float(self.gain[0, -1]), (0, 0, 0)
        while len(layers) + 1 < self.bins_max and any(np.isfinite(r[:, :-1]).any() for r in reached):
            steps = [
                self._step(reached, sources, bar) for (_, sources), bar in zip(phases, bars, strict=True)
            ]
            reached = [step[0] for step in steps]
            layers.append([step[1] for step in steps])
            for phase, table in enumerate(reached):
                if (value := float(table[:, -1].max())) > found:
                    found, place = value, (len(layers), phase, int(table[:, -1].argmax()))
        return _traced(layers, place, len(self.gain)), found

    def _wrong_way(self, way: int) -> Floats | float:
        """-inf where the later part does not go ``way``; nothing where any way will do."""
        if not way:
            return 0.0
        step = self.woe[None, 1:, :] - self.woe[:, :-1, None]
        return np.where(way * step > 0, 0.0, -np.inf)

    def _step(self, reached: list[Floats], sources: tuple[int, ...], bar: Floats) -> tuple[Floats, Ints]:
        """One more part: the new table, and where the part before it starts (and in which phase)."""
        size = len(self.gain)
        longer, came_from = np.full((size, size), -np.inf), np.zeros((size, size), dtype=np.int64)
        ends, lasts = np.ogrid[: size - 1, :size]
        for source in sources:
            offers = reached[source][:, :-1, None] + bar
            starts = offers.argmax(axis=0)
            value = self.gain[1:] + offers[starts, ends, lasts]
            better = value > longer[1:]
            longer[1:][better] = value[better]
            came_from[1:][better] = source * size + starts[better]
        return longer, came_from


def _traced(layers: list[list[Ints]], place: tuple[int, int, int], size: int) -> Ints:
    """The cuts that lead to ``place`` (how many cuts, the phase, where the newest part starts)."""
    depth, phase, start = place
    cuts, end = [], size - 1
    for came_from in reversed(layers[:depth]):
        cuts.append(start - 1)
        before, end = int(came_from[phase][start, end]), start - 1
        phase, start = divmod(before, size)
    return np.array(cuts[::-1], dtype=np.int64)


def _parts(counts: Ints) -> Ints:
    """(n, n) sums of i..j, of the last axis; below the diagonal they are zero or less."""
    sums = np.append(np.zeros((*counts.shape[:-1], 1), dtype=np.int64), np.cumsum(counts, axis=-1), axis=-1)
    parts: Ints = sums[..., None, 1:] - sums[..., :-1, None]
    return parts


def _neighbours(counts: Counts, rules: BinningRules, woe: Floats) -> npt.NDArray[np.bool_]:
    """(n, n-1, n): whether i..j may stand before j+1..k."""
    size = len(counts.rows)
    first, last = np.arange(size), np.arange(size - 1)
    fits = (first[:, None, None] <= last[None, :, None]) & (last[None, :, None] < first[None, None, :])
    if rules.gap_min > 0:
        fits &= np.abs(woe[None, 1:, :] - woe[:, :-1, None]) >= rules.gap_min
    if rules.p_max < 1:
        fits &= _chi_squared(counts) >= NormalDist().inv_cdf(1 - rules.p_max / 2) ** 2
    if counts.period_rows is not None and counts.period_events is not None:
        fits &= _flips(counts.period_rows, counts.period_events, woe, rules) <= rules.flips_max
    return fits


def _chi_squared(counts: Counts) -> Floats:
    """(n, n-1, n): chi-squared of the two by two table of neighbours."""
    rows, events = _parts(counts.rows).astype(np.float64), _parts(counts.events).astype(np.float64)
    e1, e2 = events[:, :-1, None], events[None, 1:, :]
    r1, r2 = rows[:, :-1, None], rows[None, 1:, :]
    cross = e1 * (r2 - e2) - e2 * (r1 - e1)
    margins = r1 * r2 * (e1 + e2) * (r1 + r2 - e1 - e2)
    return np.divide(cross**2 * (r1 + r2), margins, out=np.zeros_like(cross), where=margins > 0)


def _flips(rows: Ints, events: Ints, woe: Floats, rules: BinningRules) -> Ints:
    """(n, n-1, n): in how many periods neighbours stand the other way than over all.

    A period counts where both have the smallest number of rows in it.
    """
    overall = np.sign(woe[None, 1:, :] - woe[:, :-1, None])
    flips = np.zeros(overall.shape, dtype=np.int64)
    for in_period, bad in zip(_parts(rows), _parts(events), strict=True):
        enough = in_period >= max(rules.rows_min, 1)
        rate = np.divide(bad, in_period, out=np.zeros(bad.shape), where=enough)
        both = enough[:, :-1, None] & enough[None, 1:, :]
        flips += both & (np.sign(rate[None, 1:, :] - rate[:, :-1, None]) == -overall) & (overall != 0)
    return flips
