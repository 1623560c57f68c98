"""The language of features as drawn tables: an aggregate, a life, and what the one makes of the other."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from rooms.test_features_history import AS_OF, event
from shouxin.features import Direction, FeatureDefinition, Missing, Topic, UnableToDefine, evaluate
from shouxin.features.domain import (
    AMOUNT,
    KIND,
    ORDER,
    Aggregate,
    Aggregation,
    Comparison,
    Condition,
    Difference,
    Field,
    Origin,
    Ratio,
)
from shouxin.features.domain.arithmetic import MICROBITS, microbits
from shouxin.kernel import Bilingual

A = Aggregation
ORDERED = ("order_placed",)
PAID = ("repayment_received",)
ZONE = "Asia/Shanghai"
DAY = Field(Origin.DAY, ZONE)
CATEGORY = Field(Origin.TEXT, "category")
LATE = Field(Origin.NUMBER, "days_past_due")
ON_TIME = (Condition(LATE, Comparison.AT_MOST, 0),)


def order(days_ago, amount="100.00", **more):
    return event("order_placed", days_ago, order=f"O{days_ago}", amount=amount, items=1, **more)


def paid(days_ago, days_past_due):
    return event("repayment_received", days_ago, amount="9.00", plan_id="P", days_past_due=days_past_due)


def feature(formula, missing=Missing.STAYS_NULL, name="f"):
    return FeatureDefinition(
        name, formula, Bilingual("值", "value"), "points", missing, None, "credit_risk", Topic.PURCHASES
    )


def value_of(formula, life, missing=Missing.STAYS_NULL):
    return evaluate([feature(formula, missing)], life, as_of=AS_OF)["f"]


SPENT = [order(70, "10.00"), order(50, "20.00"), order(10, "60.00"), order(5, "30.00")]
SHOPPED = [order(9, category="phones"), order(8, category="phones"), order(7, category="books"), order(6)]
REPAID = [paid(50, 0), paid(40, 0), paid(30, 12), paid(20, 0), paid(10, 0), paid(5, 0)]


def of_orders(aggregation, field=AMOUNT, days=90, **more):
    return Aggregate(aggregation, ORDERED, days, field, **more)


# aggregate, the customer's events, its value
TABLE = [
    (of_orders(A.COUNT, None), SPENT, 4.0),
    (of_orders(A.COUNT, None, days=60), SPENT, 3.0),
    (of_orders(A.COUNT, None, days=60, ends_days_ago=30), SPENT, 2.0),
    (of_orders(A.COUNT_DISTINCT, CATEGORY), SHOPPED, 2.0),
    (of_orders(A.COUNT_COMMONEST, CATEGORY), SHOPPED, 2.0),
    (of_orders(A.COUNT_COMMONEST, CATEGORY), SPENT, 0.0),
    (of_orders(A.SUM), SPENT, 120.0),
    (of_orders(A.SUM), [], 0.0),
    (of_orders(A.MEAN), SPENT, 30.0),
    (of_orders(A.MEAN), [], None),
    (of_orders(A.MIN), SPENT, 10.0),
    (of_orders(A.MAX), SPENT, 60.0),
    # of four values the ceil(0.5 x 4) = second, the ceil(0.51 x 4) = third
    (of_orders(A.PERCENTILE, percent=50), SPENT, 20.0),
    (of_orders(A.PERCENTILE, percent=51), SPENT, 30.0),
    (of_orders(A.PERCENTILE, percent=100), SPENT, 60.0),
    (of_orders(A.EARLIEST), SPENT, 10.0),
    (of_orders(A.LATEST), SPENT, 30.0),
    (of_orders(A.DAYS_SINCE_EARLIEST, None), SPENT, 70.0),
    (of_orders(A.DAYS_SINCE_LATEST, None), SPENT, 5.0),
    # from day -70 to day -5 in three steps
    (of_orders(A.MEAN_INTERVAL, DAY), SPENT, 65 / 3),
    (of_orders(A.MEAN_INTERVAL, DAY), [order(5), order(5.1)], None),
    # steps of 3 and 5 days
    (of_orders(A.INTERVAL_SPREAD, DAY), [order(10), order(7), order(2)], 1.0),
    (of_orders(A.INTERVAL_SPREAD, DAY), SPENT[:2], None),
    # 10, 20, 90 in three months: a slope of 40 a month
    (of_orders(A.TREND, periods=3), SPENT, 40.0),
    (of_orders(A.TREND, None, periods=3), SPENT, 0.5),
    (of_orders(A.TREND, periods=3), [], None),
    (Aggregate(A.LONGEST_STREAK, PAID, 90, holds=ON_TIME), REPAID, 3.0),
    (Aggregate(A.LONGEST_STREAK, PAID, 22, holds=ON_TIME), REPAID, 3.0),
    (Aggregate(A.LONGEST_STREAK, PAID, 90, holds=ON_TIME), [], None),
    (Aggregate(A.LONGEST_STREAK, PAID, 90, holds=ON_TIME), [paid(3, 1)], 0.0),
    (Aggregate(A.CURRENT_STREAK, PAID, 90, holds=ON_TIME), REPAID[:3], 0.0),
    (Aggregate(A.CURRENT_STREAK, PAID, 90, holds=ON_TIME), REPAID[:5], 2.0),
    # one half and one half is one bit; all the same is none
    (of_orders(A.ENTROPY, CATEGORY), SHOPPED[1:], 1.0),
    (of_orders(A.ENTROPY, CATEGORY), SHOPPED[:2], 0.0),
    (of_orders(A.ENTROPY, CATEGORY), SPENT, None),
    # today 1, at the half-life a half, half way there three quarters
    (of_orders(A.DECAYED_COUNT, None, half_life_days=30), [order(0)], 1.0),
    (of_orders(A.DECAYED_COUNT, None, half_life_days=30), [order(30)], 0.5),
    (of_orders(A.DECAYED_COUNT, None, half_life_days=30), [order(15), order(60)], 1.0),
    (of_orders(A.DECAYED_SUM, half_life_days=30), [order(30, "8.00"), order(60, "4.00")], 5.0),
    (of_orders(A.DECAYED_SUM, half_life_days=30), [], 0.0),
]


@pytest.mark.parametrize(("part", "life", "value"), TABLE)
def test_aggregation(part, life, value):
    assert value_of(part, life) == value


def test_the_table_has_every_aggregation_but_what_the_catalogue_shows():
    assert {part.aggregation for part, _, _ in TABLE} == set(A) - {A.LATEST_VALID}


MANUAL = (Path(__file__).resolve().parents[2] / "docs/feature-language.md").read_text()
EXAMPLES = re.findall(r"^\| `([A-Z_]+)` \| .+ \| `(.+)` \| `(\w+)` \| ([\d.]+) \|$", MANUAL, re.MULTILINE)
LIVES = {"spent": SPENT, "shopped": SHOPPED, "repaid": REPAID}


@pytest.mark.parametrize(("name", "example", "life", "gives"), EXAMPLES)
def test_the_manual_gives_what_it_says(name, example, life, gives):
    part = eval(example, globals())  # noqa: S307, our own manual
    assert part.aggregation is A[name]
    assert value_of(part, LIVES[life]) == float(gives)


def test_the_manual_has_an_example_of_each_aggregation():
    assert sorted(name for name, *_ in EXAMPLES) == sorted(which.name for which in A)


def where(field, comparison, value=None):
    return of_orders(A.COUNT, None, where=(Condition(field, comparison, value),))


BAND = Field(Origin.AMOUNT_BAND, edges=(20, 60))
# 2026-02-19 16:00 UTC is Friday the 20th in Shanghai
FRIDAY = [order(9 + 8 / 24)]
CONDITIONS = [
    (where(CATEGORY, Comparison.EQUALS, "phones"), SHOPPED, 2.0),
    (where(CATEGORY, Comparison.ONE_OF, ("phones", "books")), SHOPPED, 3.0),
    (where(CATEGORY, Comparison.NONE_OF, ("phones",)), SHOPPED, 1.0),
    (where(CATEGORY, Comparison.PRESENT), SHOPPED, 3.0),
    (where(CATEGORY, Comparison.ABSENT), SHOPPED, 1.0),
    (where(AMOUNT, Comparison.AT_LEAST, 20), SPENT, 3.0),
    (where(AMOUNT, Comparison.AT_MOST, 19.999), SPENT, 1.0),
    (where(BAND, Comparison.EQUALS, 0), SPENT, 1.0),
    (where(BAND, Comparison.EQUALS, 1), SPENT, 2.0),
    (where(BAND, Comparison.EQUALS, 2), SPENT, 1.0),
    (where(KIND, Comparison.EQUALS, "order_placed"), SPENT, 4.0),
    (where(Field(Origin.WEEKDAY, ZONE), Comparison.EQUALS, 5), FRIDAY, 1.0),
    (where(Field(Origin.WEEKDAY, "UTC"), Comparison.EQUALS, 4), FRIDAY, 1.0),
    (where(Field(Origin.HOUR, ZONE), Comparison.EQUALS, 0), FRIDAY, 1.0),
    (of_orders(A.MAX, Field(Origin.MINOR, "coupon_minor")), [order(3, coupon_minor=250)], 2.5),
    (
        Aggregate(
            A.COUNT,
            ("order_line_placed",),
            where=(Condition(Field(Origin.FLAG, "product"), Comparison.EQUALS, False),),
        ),
        [
            event("order_line_placed", 3, amount="1.00", product=False),
            event("order_line_placed", 2, amount="1.00"),
        ],
        1.0,
    ),
]


@pytest.mark.parametrize(("part", "life", "value"), CONDITIONS)
def test_condition_and_field(part, life, value):
    assert value_of(part, life) == value


def test_formulas_combine_aggregates():
    half, total = of_orders(A.SUM, days=30), of_orders(A.SUM)
    assert value_of(Ratio(half, total), SPENT) == 0.75
    assert value_of(Difference(total, half), SPENT) == 30.0
    assert value_of(Difference(Ratio(half, total), Ratio(total, total)), SPENT) == -0.25
    assert value_of(Ratio(half, total), []) is None
    assert value_of(Ratio(half, total), [], Missing.IS_ZERO) == 0.0
    assert value_of(Difference(Ratio(half, total), half), []) is None


def test_a_formula_names_each_aggregate_once():
    half, total = of_orders(A.SUM, days=30), of_orders(A.SUM, ends_days_ago=10)
    definition = feature(Difference(Ratio(half, total), half))
    assert definition.parts == (half, total)
    assert definition.window_days == 100


# how it is built, what the error says
WRONG = [
    (lambda: Aggregate(A.COUNT, ()), "count of nothing: it reads no kind of event; name one"),
    (lambda: Aggregate(A.COUNT, ("order_sent",)), "no event is of kind 'order_sent'; the kinds are cart_"),
    (lambda: of_orders(A.COUNT, None, days=0), "window_days is 0; give days above 0"),
    (lambda: of_orders(A.COUNT, None, ends_days_ago=-1), "that would be the future"),
    (lambda: of_orders(A.SUM, None), "sum of order_placed: it needs a field"),
    (lambda: of_orders(A.COUNT), "it is of events and takes no field"),
    (lambda: of_orders(A.SUM, ORDER), "order  is a text; give a number, such as amount"),
    (lambda: of_orders(A.SUM, Field(Origin.NUMBER, "item")), "their payload fields are .*, items, "),
    (lambda: of_orders(A.SUM, Field(Origin.NUMBER, "category")), "'category' of order_placed is str"),
    (lambda: of_orders(A.PERCENTILE), "it needs percent"),
    (lambda: of_orders(A.PERCENTILE, percent=0), "percent is 0; give 1 to 100"),
    (lambda: of_orders(A.SUM, percent=5), "it takes no percent"),
    (lambda: of_orders(A.TREND, periods=7), "7 periods do not part a window of 90 days"),
    (lambda: of_orders(A.TREND, days=None, periods=3), "3 periods do not part a window of None days"),
    (lambda: of_orders(A.DECAYED_SUM, half_life_days=0), "half_life_days is 0"),
    (lambda: of_orders(A.LONGEST_STREAK, None), "it needs holds"),
    (lambda: of_orders(A.MEAN_INTERVAL), "its field is the DAY of a zone"),
    (
        lambda: Aggregate(A.LATEST_VALID, ("external_score_received",), None, Field(Origin.NUMBER, "score")),
        "it needs window_days, how old a fact may be at most",
    ),
    (lambda: Field(Origin.TEXT), "needs the name of its payload field"),
    (lambda: Field(Origin.AMOUNT, "x"), "takes no name"),
    (lambda: Field(Origin.HOUR, "Shanghai"), "'Shanghai' is no time zone; name one such as Asia/Shanghai"),
    (lambda: Field(Origin.AMOUNT_BAND), "amount_band has edges"),
    (lambda: Field(Origin.AMOUNT_BAND, edges=(5, 1)), "must rise"),
    (lambda: Condition(CATEGORY, Comparison.AT_LEAST, "a"), "texts have no order"),
    (lambda: Condition(CATEGORY, Comparison.EQUALS, 3), "3 is not a text"),
    (lambda: Condition(AMOUNT, Comparison.EQUALS, "3"), "'3' is not a number"),
    (lambda: Condition(AMOUNT, Comparison.EQUALS), "needs a value"),
    (lambda: Condition(AMOUNT, Comparison.PRESENT, 3), "takes no value"),
    (lambda: Condition(AMOUNT, Comparison.ONE_OF, 3), "take a tuple of values"),
    (lambda: Condition(AMOUNT, Comparison.ONE_OF, ()), "names no value"),
    (lambda: Condition(AMOUNT, Comparison.AT_MOST, 0.0001), "thousandths at most"),
    (lambda: feature(of_orders(A.SUM), name="Spend 90"), "'Spend 90': a name is small letters"),
    (
        lambda: FeatureDefinition(
            "f", of_orders(A.SUM), Bilingual("值", "v"), "", Missing.IS_ZERO, Direction.HIGHER_IS_SAFER, "o",
            Topic.PURCHASES,
        ),
        "feature f: say its unit",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("build", "message"), WRONG)
def test_a_definition_that_makes_no_sense_says_what_where_and_how_to_mend_it(build, message):
    with pytest.raises(UnableToDefine, match=message):
        build()


def test_what_is_the_same_at_one_instant_is_told_by_definition_not_by_order():
    at_once = [paid(5, 0), paid(5, 3), paid(4, 0)]
    streaks = [Aggregate(which, PAID, 90, holds=ON_TIME) for which in (A.LONGEST_STREAK, A.CURRENT_STREAK)]
    for life in (at_once, at_once[::-1]):
        assert [value_of(streak, life) for streak in streaks] == [2.0, 2.0]
    twins = [order(5, "3.00"), order(5, "7.00")]
    for which in (A.EARLIEST, A.LATEST):
        assert value_of(of_orders(which), twins) == value_of(of_orders(which), twins[::-1]) == 7.0


def test_no_logarithm_of_a_count_lies_so_near_a_half_that_an_engine_could_round_it_otherwise():
    """ln of an engine is exact to some 2e-16 of itself, so the product to 1e-8."""
    counts = np.arange(1, 1_000_001, dtype=np.longdouble)
    exact = np.log2(counts) * MICROBITS
    assert np.finfo(np.longdouble).eps < 2e-19, "the check itself needs more digits than a double has"
    assert np.abs(exact % 1 - 0.5).min() > 1e-7
    assert [microbits(1), microbits(2), microbits(1024)] == [0, MICROBITS, 10 * MICROBITS]
