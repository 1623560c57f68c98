"""A candidate with plenty of events is made true on the latest dates, on customers who taught it nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from shouxin.features import CATALOGUE, OUTCOMES
from shouxin.grading.domain import calibrates, is_held_out
from shouxin.grading.service.candidates import _parted, _train, columns_of
from shouxin.scoring import score_columns

DATES = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=30 * number) for number in range(6)]
PERIOD = (DATES[0], DATES[-1])


def table(customers: int) -> pa.Table:
    rng = np.random.default_rng(3)
    rows = customers * len(DATES)
    columns = {item.name: np.full(rows, np.nan) for item in CATALOGUE}
    late = columns["late_repayments_180d"] = rng.poisson(0.6, rows).astype(float)
    date = np.repeat(np.arange(len(DATES)), customers)
    y = rng.random(rows) < 1 / (1 + np.exp(2.6 - 0.9 * late - 0.25 * date))
    return pa.table(
        {
            "customer_id": [f"cus_{row % customers}" for row in range(rows)],
            "as_of": pa.array([DATES[place] for place in date], pa.timestamp("us", "UTC")),
            "event": y.astype(int),
            **columns,
        }
    )


@pytest.fixture(scope="module")
def many() -> pa.Table:
    return table(5000)


def test_the_window_is_later_and_of_other_customers(many):
    rows, window = _parted(many)
    assert max(rows["as_of"].to_pylist()) < min(window["as_of"].to_pylist())
    assert len(set(window["as_of"].to_pylist())) == 2
    assert not {*rows["customer_id"].to_pylist()} & {*window["customer_id"].to_pylist()}
    assert all(calibrates(customer) for customer in window["customer_id"].to_pylist())
    assert _parted(table(200))[1] is None


def test_the_model_is_true_on_later_dates_of_strangers(many):
    trained, _ = _train(many, outcome=OUTCOMES["defaults-next-180d"], model="scorecard", period=PERIOD)
    told = trained.report["calibration"]
    assert told["period"][0] == DATES[4].isoformat()
    late = many.filter(
        pa.array(
            [
                is_held_out(customer) and as_of >= DATES[4]
                for customer, as_of in zip(
                    many["customer_id"].to_pylist(), many["as_of"].to_pylist(), strict=True
                )
            ]
        )
    )
    pd, rate = (
        score_columns(trained.artefact, columns_of(late)).pd.mean(),
        np.mean(late["event"].to_pylist()),
    )
    assert pd == pytest.approx(rate, rel=0.06)
    few, _ = _train(table(900), outcome=OUTCOMES["defaults-next-180d"], model="scorecard", period=PERIOD)
    assert "calibration" not in few.report
