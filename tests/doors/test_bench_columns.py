"""What the bench derives from public sets: each column by its meaning, of its own row alone."""

from __future__ import annotations

import numpy as np
import pytest

from shouxin.entrypoints.bench.credit_columns import gmsc_columns, taiwan_columns
from shouxin.entrypoints.bench.credit_sets import SETS

STATES = ("PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")


def holder(*, limit, states, bills, paid):
    row = {"LIMIT_BAL": limit, **dict(zip(STATES, states, strict=True))}
    row |= {f"BILL_AMT{month}": bill for month, bill in enumerate(bills, 1)}
    return row | {f"PAY_AMT{month}": amount for month, amount in enumerate(paid, 1)}


def columns(*rows):
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}


LATE = holder(
    limit=1000, states=(2, 1, 0, -1, -2, 0), bills=(500, 400, 0, 0, 0, 100), paid=(100, 0, 0, 0, 0, 50)
)
GOOD = holder(limit=2000, states=(-1,) * 6, bills=(200,) * 6, paid=(200,) * 6)


def test_a_holder_of_a_card_is_told_in_shares_and_months():
    told = {name: values[0] for name, values in taiwan_columns(columns(LATE, GOOD)).items()}
    assert told["use_now"] == 0.5 and told["use_most"] == 0.5 and told["limit_left"] == 500
    assert (told["late_months"], told["late_most"], told["late_sum"], told["late_sum_3_months"]) == (
        2,
        2,
        3,
        3,
    )
    assert (told["revolving_months"], told["unused_months"], told["unpaid_months"]) == (2, 1, 4)
    assert told["paid_total"] == 150 and told["paid_of_limit"] == 0.15 and told["paid_least"] == 0
    # A payment is of the bill of the month before: the newest bill has none yet.
    assert told["paid_of_last_bill"] == 0.25 and told["paid_of_bills"] == 100 / 500
    assert told["unpaid_of_limit"] == 0.3


@pytest.mark.parametrize("name", ["taiwan", "gmsc"])
def test_a_row_is_told_from_itself_alone(name):
    rows = {"taiwan": (LATE, GOOD), "gmsc": (DEBTOR, UNTOLD)}[name]
    both, alone = SETS[name].derive(columns(*rows)), SETS[name].derive(columns(rows[0]))
    assert both.keys() == alone.keys() and not both.keys() & rows[0].keys()
    for column, values in both.items():
        assert values.shape == (2,) and np.array_equal(values[:1], alone[column], equal_nan=True), column
    assert SETS[name].directions.keys() <= both.keys() | rows[0].keys()


DEBTOR = {
    "RevolvingUtilizationOfUnsecuredLines": 0.5, "age": 40, "NumberOfTime30-59DaysPastDueNotWorse": 2,
    "DebtRatio": 0.25, "MonthlyIncome": 4000, "NumberOfOpenCreditLinesAndLoans": 7,
    "NumberOfTimes90DaysLate": 1, "NumberRealEstateLoansOrLines": 3,
    "NumberOfTime60-89DaysPastDueNotWorse": 0, "NumberOfDependents": 1,
}  # fmt: skip
UNTOLD = {**DEBTOR, "MonthlyIncome": np.nan, "DebtRatio": 900, "NumberOfTimes90DaysLate": 98, "age": 0}


def test_a_debtor_is_told_by_lateness_and_what_is_left_of_an_income():
    told = gmsc_columns(columns(DEBTOR, UNTOLD))
    late = {name: told[f"late_{name}"][0] for name in ("total", "weighted", "ever", "worst")}
    assert late == {"total": 3, "weighted": 5, "ever": 1, "worst": 3}
    assert np.isnan([told[name][1] for name in ("late_total", "late_worst", "late_ever")]).all()  # a code
    assert told["debt"].tolist() == [1000, 900]  # without an income the ratio is the debt itself
    assert told["income_left"][0] == 3000 and np.isnan(told["income_left"][1])
    assert (
        told["income_per_head"][0] == 2000 and told["unsecured_lines"][0] == 4 and told["used_lines"][0] == 2
    )
    assert np.isfinite(told["income_of_age"][0]) and told["use_and_late"][0] == 3.0
