"""Whatever the model and the row: one row, many rows and the sum of the reasons are the same number."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shouxin.scoring import (
    Artefact,
    BinningRules,
    bin_categories,
    bin_numbers,
    reasons,
    score_columns,
    score_one,
)
from shouxin.scoring.domain.artefact import Trained
from shouxin.scoring.domain.families import Tables, Term
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.scaling import SCALINGS

ENTRIES = st.integers(-5_000_000, 5_000_000)
NUMBERS = st.sampled_from([-9.0, -8.0, -1.5, 0.0, 0.5, 1.0, 2.0, 1e300, math.inf, -math.inf, math.nan])
TEXTS = st.sampled_from(["a", "b", "rare", "new", "", None])


@st.composite
def artefacts(draw) -> Artefact:
    numbers = [
        Feature(
            name=f"n{i}",
            type="numeric",
            rows=(1,) * (len(edges) + 2 + len(special)),
            edges=edges,
            pair_edges=(0.5,),
            special=special,
            typical=0.0,
        )
        for i, (edges, special) in enumerate([((), ()), ((0.0, 1.0), (-9.0, -8.0))])
    ]
    text = Feature(
        name="c",
        type="category",
        rows=(1,) * 4,
        categories=(("a",), ("b", "rare")),
        unseen=draw(st.none() | st.just(1)),
    )
    features = (*numbers, text)
    sizes = [((i,), f.slots) for i, f in enumerate(features)]
    sizes += [((1, 2), features[1].pair_slots * features[2].pair_slots), ((2, 0), 4 * features[0].pair_slots)]
    terms = tuple(
        Term(places, tuple(draw(st.lists(ENTRIES, min_size=size, max_size=size))), draw(ENTRIES))
        for places, size in sizes
    )
    scaling = SCALINGS[draw(st.sampled_from(sorted(SCALINGS)))]
    trained = Trained(10, 2, 7, {})
    return Artefact(2, "ebm", "y", features, Tables(terms), draw(ENTRIES), scaling, trained)


@settings(max_examples=60)
@given(artefacts(), st.lists(st.tuples(NUMBERS, NUMBERS, TEXTS), min_size=1, max_size=8))
def test_one_row_is_the_batch_is_the_sum_of_its_reasons(artefact, rows):
    assert Artefact.from_json(artefact.to_json()) == artefact
    columns = {
        "n0": np.array([row[0] for row in rows]),
        "n1": np.array([row[1] for row in rows]),
        "c": np.array([row[2] for row in rows], dtype=object),
    }
    scored = score_columns(artefact, columns)
    for index, row in enumerate(rows):
        one = score_one(artefact, dict(zip(("n0", "n1", "c"), row, strict=True)))
        assert (one.log_odds, one.points, one.pd) == (
            scored.log_odds[index],
            scored.points[index],
            scored.pd[index],
        )
        assert one.log_odds == one.reference_log_odds + sum(c.log_odds for c in one.contributions)
        assert one.points == one.reference_points + sum(c.points for c in one.contributions)
        assert [c.points for c in one.contributions] == scored.feature_points[index].tolist()
        assert [c.log_odds for c in one.contributions] == scored.contributions[index].tolist()
        # Points never contradict the risk that they stand for.
        assert all(c.points * c.log_odds <= 0 for c in one.contributions)
        assert one.points == artefact.scaling.points_at(one.log_odds)
        told = reasons(artefact, one)
        assert len(told) <= 4
        assert all(reason.points <= 0 for reason in told)
        assert told or one.log_odds <= one.reference_log_odds


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.sampled_from([None, -1, 0, 1]),
    st.sampled_from([0.02, 0.1, 0.3]),
    st.integers(2, 8),
)
def test_bins_keep_their_rules(seed, direction, share, bins_max):
    rng = np.random.default_rng(seed)
    values = rng.choice([rng.normal(size=600), rng.integers(0, 5, 600), rng.exponential(size=600)])
    y = (rng.random(600) < 1 / (1 + np.exp(1 - rng.normal() * values))).astype(np.int64)
    y[:2] = (0, 1)
    values = np.where(rng.random(600) < 0.1, np.nan, values)
    values = np.where(rng.random(600) < 0.1, -99.0, values)
    binning = bin_numbers(
        values,
        y,
        special=(-99.0,),
        direction=direction,
        rules=BinningRules(bins_max=bins_max, share_min=share),
    )
    regular = len(binning.edges) + 1
    assert sum(binning.rows) == 600 and sum(binning.events) == y.sum()
    assert (
        binning.rows[regular] == np.isnan(values).sum() and binning.rows[regular + 1] == (values == -99).sum()
    )
    assert regular <= bins_max
    assert regular == 1 or min(binning.rows[:regular]) >= share * sum(binning.rows[:regular])
    woe = binning.woe[:regular]
    if binning.trend:
        assert all(binning.trend * (b - a) > 0 for a, b in itertools.pairwise(woe))
    if direction:
        assert binning.trend == direction
    assert binning.iv >= -1e-9


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_every_category_is_in_one_group_and_rates_rise_with_the_groups(seed):
    rng = np.random.default_rng(seed)
    names = [f"k{i}" for i in range(30)] + [None]
    weights = rng.dirichlet(np.full(31, 0.4))
    values = [names[i] for i in rng.choice(31, 800, p=weights)]
    y = (rng.random(800) < 0.3).astype(np.int64)
    binning = bin_categories(values, y)
    told = [name for group in binning.groups for name in group]
    assert sorted(told) == sorted({v for v in values if v is not None})
    assert sum(binning.rows) == 800
    woe = binning.woe[: len(binning.groups)]
    assert all(a <= b for a, b in itertools.pairwise(woe))
