"""The master scales and what they promise, as drawn tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.grading import (
    CANCELLATION_SCALE,
    SERVICE_POLICY,
    STANDARD_SCALE,
    Grade,
    GradeLine,
    MasterScale,
    grade_of,
    inversions,
    is_held_out,
    scale_for,
)

# probability of default, grade: a PD at a bound belongs to the worse grade
BANDS = [
    (0.0, "S"), (0.004999999, "S"),
    (0.005, "A"), (0.014999999, "A"),
    (0.015, "B"), (0.039999999, "B"),
    (0.04, "C"), (0.099999999, "C"),
    (0.10, "D"), (1.0, "D"),
]  # fmt: skip


@pytest.mark.parametrize(("pd", "grade"), BANDS)
def test_a_grade_is_a_band_of_pd(pd, grade):
    assert grade_of(pd) == grade


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_risk_never_gives_a_better_grade(one, other):
    order = list(Grade)
    for scale in (STANDARD_SCALE, CANCELLATION_SCALE):
        low, high = (order.index(grade_of(pd, scale)) for pd in sorted((one, other)))
        assert low <= high


def test_an_outcome_that_is_no_default_has_a_scale_of_its_own():
    assert scale_for("defaults-next-180d") is STANDARD_SCALE
    assert scale_for("cancels-next-90d") is CANCELLATION_SCALE
    assert scale_for("anything else") is STANDARD_SCALE


def test_a_scale_whose_bounds_do_not_rise_is_a_bug():
    with pytest.raises(AssertionError):
        MasterScale("odd", tuple(zip(list(Grade)[:-1], (0.1, 0.1, 0.2, 0.3), strict=True)))


def test_every_grade_says_how_its_customers_are_served():
    assert list(SERVICE_POLICY) == list(Grade)


def line(grade, observed, events):
    return GradeLine(Grade(grade), observed * 2, 0.01, observed, events)


# observed rates by grade, the neighbouring pairs that stand the wrong way round
ORDERS = [
    ([("S", 100, 0), ("A", 100, 1), ("B", 100, 3), ("C", 100, 8), ("D", 100, 20)], []),
    ([("S", 100, 2), ("A", 100, 1), ("B", 100, 3)], [("S", "A")]),
    ([("S", 100, 1), ("A", 0, 0), ("B", 100, 0)], [("S", "B")]),
    ([("D", 100, 20), ("S", 100, 0)], []),
    ([("S", 100, 1), ("A", 100, 1)], []),
    ([], []),
]


@pytest.mark.parametrize(("lines", "pairs"), ORDERS)
def test_worse_grades_must_default_more(lines, pairs):
    assert [(item.better, item.worse) for item in inversions([line(*one) for one in lines])] == pairs


def test_four_customers_in_ten_are_held_out_and_always_the_same_ones():
    names = [f"cus_{number:026d}" for number in range(5000)]
    held = [name for name in names if is_held_out(name)]
    assert 0.37 < len(held) / len(names) < 0.43
    assert held == [name for name in names if is_held_out(name)]


# mean PD foretold, interval of what was seen, whether it bears the PD out
BORNE_OUT = [
    (0.010, (0.006, 0.014), True), (0.010, (0.010, 0.020), True),
    (0.010, (0.011, 0.020), False), (0.010, (0.002, 0.009), False), (None, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("foretold", "interval", "true"), BORNE_OUT)
def test_a_grade_is_true_to_its_pd_where_the_interval_holds_it(foretold, interval, true):
    told = GradeLine(Grade.A, 10, 0.01, 100, 1, foretold, interval)
    assert told.true_to_its_pd is true
    assert told.as_data()["interval"] == (None if interval is None else list(interval))
