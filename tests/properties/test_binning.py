"""Binning: exact under every rule, told apart from the search by trying every partition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from shouxin.scoring import BinningRules, bin_numbers
from shouxin.scoring.domain.partition import Counts, Shape, best_partition, woe_of


def _worth(counts: Counts, cuts: tuple[int, ...], shape: Shape, rules: BinningRules) -> float:
    """What a partition is worth, -inf where it breaks a rule: told once more, plainly and slowly."""
    starts = np.append(0, np.array(cuts, dtype=np.int64) + 1)
    rows, events = np.add.reduceat(counts.rows, starts), np.add.reduceat(counts.events, starts)
    woe = woe_of(rows, events, counts.totals, rules.smoothing)
    ways = np.sign(np.diff(woe)).tolist()
    kept = {
        0: True,
        1: all(way > 0 for way in ways),
        -1: all(way < 0 for way in ways),
        "peak": 0 not in ways and ways == sorted(ways, reverse=True),
        "valley": 0 not in ways and ways == sorted(ways),
    }[shape]
    large = rows.min() >= max(rules.rows_min, rules.share_min * rows.sum())
    both = min(events.min(), (rows - events).min()) >= rules.events_min
    if not (kept and large and both and (not ways or np.abs(np.diff(woe)).min() >= rules.gap_min)):
        return -np.inf
    for i, way in enumerate(ways):
        table = np.array([[e, r - e] for e, r in zip(events[i : i + 2], rows[i : i + 2], strict=True)])
        if rules.p_max < 1 and (
            not table.sum(axis=0).all() or chi2_contingency(table, correction=False).pvalue > rules.p_max
        ):
            return -np.inf
        flips = 0
        for in_period, bad in zip(counts.period_rows, counts.period_events, strict=True):
            r, e = np.add.reduceat(in_period, starts)[i : i + 2], np.add.reduceat(bad, starts)[i : i + 2]
            flips += min(r) >= rules.rows_min and way * (e[1] / r[1] - e[0] / r[0]) < 0
        if flips > rules.flips_max:
            return -np.inf
    gain = (events / counts.totals[0] - (rows - events) / counts.totals[1]) * woe
    return float((gain - rules.charge * sum(1 / total for total in counts.totals)).sum())


@settings(max_examples=60)
@given(st.integers(0, 100_000), st.sampled_from([0, 1, -1, "peak", "valley"]))
def test_no_partition_that_keeps_the_rules_is_worth_more(seed, shape):
    rng = np.random.default_rng(seed)
    rows = rng.integers(25, 90, 7)
    events = rng.binomial(rows, 0.05 + 0.5 * rng.random(7))
    first = rng.binomial(rows, 0.5)
    first_bad = rng.hypergeometric(events, rows - events, first)
    counts = Counts(
        rows,
        events,
        (int(events.sum()), int((rows - events).sum())),
        np.stack([first, rows - first]),
        np.stack([first_bad, events - first_bad]),
    )
    rules = BinningRules(
        bins_max=int(rng.integers(2, 6)),
        share_min=0.1,
        rows_min=20,
        events_min=int(rng.integers(0, 5)),
        gap_min=float(rng.choice([0.0, 0.2])),
        p_max=float(rng.choice([1.0, 0.3])),
        flips_max=int(rng.integers(0, 2)),
        charge=float(rng.choice([0.0, 6.63])),
    )
    possible = {
        cuts: _worth(counts, cuts, shape, rules)
        for size in range(rules.bins_max)
        for cuts in itertools.combinations(range(6), size)
    }
    cuts, found = best_partition(counts, shape, rules)
    assert found == shape
    best = max(possible.values())
    assert best == -np.inf or _worth(counts, tuple(cuts.tolist()), shape, rules) == pytest.approx(best)


def test_a_shape_is_found_where_none_is_declared():
    rng = np.random.default_rng(4)
    x = rng.normal(size=20_000)
    for pull, shape in ((x, 1), (-x, -1), (-(x**2), "peak"), (x**2, "valley"), (np.sin(3 * x) * 2, 0)):
        y = (rng.random(20_000) < 1 / (1 + np.exp(2 - pull))).astype(np.int64)
        assert bin_numbers(x, y).trend == shape


def test_neighbours_that_change_places_between_periods_are_joined():
    rng = np.random.default_rng(6)
    x, period = rng.integers(0, 3, 30_000).astype(float), rng.integers(0, 2, 30_000)
    # 1 and 2 change places from the first period to the second; over all, 2 is worse.
    rate = np.select([x == 0, (x == 1) & (period == 0), (x == 2) & (period == 1)], [0.05, 0.25, 0.4], 0.15)
    y = (rng.random(30_000) < rate).astype(np.int64)
    assert bin_numbers(x, y).edges == (0.5, 1.5)
    assert bin_numbers(x, y, periods=period).edges == (0.5,)


def test_somebodys_own_edges_are_kept_as_they_are():
    rng = np.random.default_rng(7)
    x = rng.normal(size=2_000)
    y = (rng.random(2_000) < 0.2).astype(np.int64)
    binning = bin_numbers(x, y, edges=(1.0, -1.0), special=(9.0,))
    assert binning.edges == (-1.0, 1.0)
    assert binning.rows[:3] == ((x < -1).sum(), ((x >= -1) & (x < 1)).sum(), (x >= 1).sum())
    assert binning.events[:3] == (y[x < -1].sum(), y[(x >= -1) & (x < 1)].sum(), y[x >= 1].sum())
