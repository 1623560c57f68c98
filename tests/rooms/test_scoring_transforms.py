"""Transforms: known numbers by hand, and one row as many."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from shouxin.scoring.domain import transforms as t
from shouxin.scoring.domain.binning import bin_numbers
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import column_of, prepared

NAN = float("nan")
AMOUNT = Feature("amount", "numeric", rows=(5, 1, 1), special=(-9.0,))
CHANNEL = Feature("channel", "category", rows=(3, 2, 1, 0), categories=(("app",), ("web",)))


def through(transform: t.Transform, feature: Feature, values: list) -> list[list[float]]:
    column = column_of(feature)
    return transform.applied(column, prepared(column, np.array(values, dtype=object))).tolist()


@pytest.mark.parametrize(
    ("transform", "values", "expected"),
    [
        # mean 3, standard deviation sqrt(2)
        (t.standardised(np.array([1.0, 2, 3, 4, 5, NAN])), [3.0, NAN, -9.0], [0.0, 0.0, 0.0]),
        (t.ranged(np.array([0.0, 10.0])), [0.0, 5.0, 10.0, 99.0, float("-inf")], [-1.0, 0.0, 1.0, 1.0, -1.0]),
        (t.Linear("robust", 10.0, 2.0, 8.0), [12.0, 1e9, float("inf"), None], [1.0, 8.0, 8.0, 0.0]),
        (t.Rank((0.0, 10.0, 30.0)), [-5.0, 0.0, 5.0, 10.0, 20.0, 30.0, 31.0, NAN],
         [-1.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.0, 0.0]),
    ],
)  # fmt: skip
def test_numbers_are_transformed_as_by_hand(transform, values, expected):
    assert [row[0] for row in through(transform, AMOUNT, values)] == expected


def test_slots_are_looked_up():
    assert through(t.one_hot(CHANNEL), CHANNEL, ["web", None, "never met"]) == [
        [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]  # fmt: skip
    assert through(t.coded(CHANNEL), CHANNEL, ["app", "web"]) == [[0.0], [1.0]]
    # A number without edges: known, missing, special.
    assert through(t.one_hot(AMOUNT), AMOUNT, [7.0, NAN, -9.0]) == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_weight_of_evidence_is_the_binnings_own():
    rng = np.random.default_rng(3)
    values = rng.normal(size=2_000)
    y = (rng.random(2_000) < 1 / (1 + np.exp(2 - values))).astype(np.int64)
    binning = bin_numbers(values, y)
    feature = Feature("x", "numeric", rows=binning.rows, edges=binning.edges)
    found = through(t.evidence(binning), feature, [-10.0, 10.0, None])
    assert [row[0] for row in found] == [binning.woe[0], binning.woe[len(binning.edges)], 0.0]


def test_one_row_goes_the_way_of_many_and_the_document_comes_back():
    rng = np.random.default_rng(5)
    learnt = rng.lognormal(3.0, 2.0, 4_000)
    values = np.concatenate([learnt[:500] * rng.normal(1.0, 1.0, 500), [NAN, -9.0, np.inf, -np.inf, 0.0]])
    column = column_of(AMOUNT)
    for made in (t.standardised(learnt), t.ranged(learnt), t.robust(learnt), t.ranked(learnt)):
        many = made.applied(column, prepared(column, values))
        assert np.isfinite(many).all()
        assert [made.applied(column, values[i : i + 1])[0, 0] for i in range(len(values))] == many[
            :, 0
        ].tolist()
        again = msgspec.json.decode(msgspec.json.encode(made), type=t.Linear | t.Rank | t.Lookup)
        assert again == made and t.transform_problem(AMOUNT, again) is None
        assert t.transform_problem(CHANNEL, again) == "only a number can be shifted, scaled or ranked"


def test_a_constant_becomes_nothing():
    same = np.full(100, 7.0)
    for made in (t.standardised(same), t.ranged(same), t.robust(same), t.ranked(same)):
        assert through(made, AMOUNT, [7.0]) == [[0.0]]


def test_a_bad_transform_is_told():
    assert t.transform_problem(AMOUNT, t.Lookup("codes", ((1.0,),))) == "the table has 1 rows for 3 slots"
    assert t.transform_problem(AMOUNT, t.Rank((1.0, 1.0))) == "knots do not rise"
    assert t.transform_problem(AMOUNT, t.Linear("standard", 0.0, 0.0, 8.0)) == "scale and limit are above 0"
