"""What a modeller derives from the columns of a public set before any learner sees them.

A row gives its own numbers only: nothing is learnt from other rows, so folds stay apart. Each column is one
that a bank's analyst would define: use of the limit, share of a bill that was paid, months late, what is left
of an income. An additive model can not divide one column by another; a person can.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, npt.NDArray[Any]]

_MONTHS = 6
# How a share of a small bill is kept from becoming any number at all.
_SHARE_LOW, _SHARE_HIGH = -2.0, 5.0
_UTILISATION_MAX = 2.0
# 96 and 98 are codes of the lender, not times late.
_LATE_CODES_FROM = 96

TAIWAN_DIRECTIONS = {
    "LIMIT_BAL": -1,
    "late_months": 1,
    "late_most": 1,
    "late_sum": 1,
    "late_sum_3_months": 1,
    "paid_of_limit": -1,
}
GMSC_DIRECTIONS = {
    "RevolvingUtilizationOfUnsecuredLines": 1,
    "NumberOfTime30-59DaysPastDueNotWorse": 1,
    "NumberOfTime60-89DaysPastDueNotWorse": 1,
    "NumberOfTimes90DaysLate": 1,
    "late_total": 1,
    "late_weighted": 1,
    "late_ever": 1,
    "late_worst": 1,
}


def taiwan_columns(given: Columns) -> dict[str, Floats]:
    """Of six months of bills, payments and payment states (1 and more: months late; below: no delay)."""
    bills = _side_by_side(given, [f"BILL_AMT{month}" for month in range(1, _MONTHS + 1)])
    paid = _side_by_side(given, [f"PAY_AMT{month}" for month in range(1, _MONTHS + 1)])
    states = _side_by_side(given, ["PAY_0", *(f"PAY_{month}" for month in range(2, _MONTHS + 1))])
    limit = np.asarray(given["LIMIT_BAL"], dtype=np.float64)
    use = bills / limit[:, None]
    late = np.maximum(states, 0)
    return {
        "use_now": use[:, 0],
        "use_mean": use.mean(axis=1),
        "use_most": use.max(axis=1),
        "use_spread": use.std(axis=1),
        "use_rise": use[:, 0] - use[:, 3:].mean(axis=1),
        "limit_left": limit - bills[:, 0],
        "late_months": (states >= 1).sum(axis=1).astype(np.float64),
        "late_most": late.max(axis=1),
        "late_sum": late.sum(axis=1),
        "late_sum_3_months": late[:, :3].sum(axis=1),
        "revolving_months": (states == 0).sum(axis=1).astype(np.float64),
        "unused_months": (states == -2).sum(axis=1).astype(np.float64),
        "unpaid_months": (paid == 0).sum(axis=1).astype(np.float64),
        "paid_total": paid.sum(axis=1),
        "paid_least": paid.min(axis=1),
        "paid_of_limit": paid.sum(axis=1) / limit,
        # A month's payment is of the bill of the month before.
        "paid_of_bills": _share(paid[:, :-1].sum(axis=1), bills[:, 1:].sum(axis=1)),
        "paid_of_last_bill": _share(paid[:, 0], bills[:, 1]),
        "unpaid_of_limit": (bills[:, 1] - paid[:, 0]) / limit,
    }


def gmsc_columns(given: Columns) -> dict[str, Floats]:
    """Of times late by how late, debts against income, and lines of credit."""
    use = np.minimum(_number(given, "RevolvingUtilizationOfUnsecuredLines"), _UTILISATION_MAX)
    ratio, income = _number(given, "DebtRatio"), _number(given, "MonthlyIncome")
    lines = _number(given, "NumberOfOpenCreditLinesAndLoans")
    unsecured = lines - _number(given, "NumberRealEstateLoansOrLines")
    household = np.nan_to_num(_number(given, "NumberOfDependents")) + 1
    days_30, days_60, days_90 = (
        _times(given, name)
        for name in (
            "NumberOfTime30-59DaysPastDueNotWorse",
            "NumberOfTime60-89DaysPastDueNotWorse",
            "NumberOfTimes90DaysLate",
        )
    )
    total, weighted = days_30 + days_60 + days_90, days_30 + 2 * days_60 + 3 * days_90
    worst = np.select([days_90 > 0, days_60 > 0, days_30 > 0], [3.0, 2.0, 1.0], 0.0)
    # Without an income the lender wrote the debt itself where the ratio belongs.
    debt = np.where(np.isnan(income) | (income <= 1), ratio, ratio * income)
    return {
        "late_total": total,
        "late_weighted": weighted,
        "late_ever": (total > 0) + 0 * total,
        "late_worst": worst + 0 * total,
        "late_per_line": total / (lines + 1),
        "debt": debt,
        "debt_per_line": debt / (lines + 1),
        "income_left": income - debt,
        "income_per_head": income / household,
        "income_of_age": income / np.maximum(_number(given, "age"), 1),
        "unsecured_lines": unsecured,
        "used_lines": use * unsecured,
        "use_and_late": use * (1 + weighted),
    }


def _number(given: Columns, name: str) -> Floats:
    found: Floats = np.asarray(given[name], dtype=np.float64)
    return found


def _times(given: Columns, name: str) -> Floats:
    times = _number(given, name)
    return np.where(times >= _LATE_CODES_FROM, np.nan, times)


def _side_by_side(given: Columns, names: list[str]) -> Floats:
    return np.column_stack([_number(given, name) for name in names])


def _share(part: Floats, whole: Floats) -> Floats:
    return np.clip(part / np.maximum(whole, 1), _SHARE_LOW, _SHARE_HIGH)
