"""On a real, public set: 30,000 credit-card customers of Taiwan (CR-only line ends, two header lines)."""

from __future__ import annotations

import pytest

from shouxin.scoring import read_table, score_columns, score_one, train

pytestmark = pytest.mark.public_data
TARGET = "default payment next month"


@pytest.fixture(scope="module")
def taiwan(public_data):
    path = public_data / "taiwan" / "default of credit card clients.csv"
    if not path.is_file():
        pytest.skip(f"the Taiwan set is not at {path}")
    return read_table(path)


def test_the_file_reads(taiwan):
    assert len(taiwan) == 30_000
    assert list(taiwan.columns)[:3] == ["ID", "LIMIT_BAL", "SEX"]
    assert taiwan.name("Y") == TARGET
    assert taiwan.column("Y").mean() == pytest.approx(0.2212)


# One bag of the EBM takes a few seconds; more do better.
@pytest.mark.parametrize(
    ("model", "settings", "auc"), [("scorecard", {}, 0.765), ("ebm", {"bags": 1}, 0.775)]
)
def test_the_models_reach_their_marks(taiwan, model, settings, auc):
    trained = train(taiwan, target="Y", id_column="ID", model=model, settings=settings)
    held = trained.report["holdout"]
    assert held["n"] == 9_000
    assert held["auc"]["value"] >= auc
    assert 0.9 <= held["slope"]["value"] <= 1.1
    columns = taiwan.select(trained.artefact.names)
    scored = score_columns(trained.artefact, columns)
    for row in range(0, 30_000, 997):
        one = score_one(trained.artefact, {name: float(values[row]) for name, values in columns.items()})
        assert (one.log_odds, one.points, one.pd) == (
            scored.log_odds[row],
            scored.points[row],
            scored.pd[row],
        )
