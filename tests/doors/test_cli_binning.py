"""``shouxin train`` told of bins: own edges, shapes and periods reach the card, and what is wrong is said."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from shouxin.entrypoints.cli import app


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A thousand rows a quarter; the risk peaks with age, and `fickle` turns round in the last."""
    rng = np.random.default_rng(5)
    rows, quarter = 4_000, np.repeat(np.arange(4), 1_000)
    age, debt, fickle = rng.uniform(18, 80, rows), rng.normal(size=rows), rng.integers(0, 2, rows)
    step = np.where(quarter == 3, -1.0, 1.0) * fickle
    odds = -2.0 + 1.5 * (abs(age - 45) < 12) + 0.8 * debt + step
    y = rng.random(rows) < 1 / (1 + np.exp(-odds))
    path = tmp_path_factory.mktemp("bins") / "t.csv"
    columns = {"age": age.round(1), "debt": debt.round(3), "fickle": fickle}
    lines = zip(*(values.tolist() for values in columns.values()), quarter, y.astype(int), strict=True)
    text = [f"{a},{d},{f},2025Q{q + 1},{'town' if d > 0 else 'land'},{e}" for a, d, f, q, e in lines]
    path.write_text("\n".join(["age,debt,fickle,quarter,where,bad", *text]), encoding="utf-8")
    return path


def trained(table, out, *options):
    told = CliRunner().invoke(
        app, ["train", "--csv", str(table), "--target", "bad", "--out", str(out), "--json", *options]
    )
    assert told.exit_code == 0, told.output
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return {variable["name"]: variable for variable in report["variables"]}


def test_own_edges_are_the_bins_and_a_shape_is_kept(table, tmp_path):
    quarter = ("--period", "quarter")
    found = trained(table, tmp_path, "--edges", "debt=-1,0,1.5", "--shape", "age=peak", *quarter)
    assert found["debt"]["edges"] == [-1, 0, 1.5]
    assert found["age"]["trend"] == "peak"
    inside = found["age"]["woe"][: len(found["age"]["edges"]) + 1]
    top = inside.index(max(inside))
    assert inside[: top + 1] == sorted(inside[: top + 1]) and inside[top:] == sorted(inside[top:])[::-1]
    assert "quarter" not in found
    artefact = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    (debt,) = (feature for feature in artefact["features"] if feature["name"] == "debt")
    assert debt["edges"] == [-1, 0, 1.5]


def test_a_direction_is_told_to_any_learner(table, tmp_path):
    trained(table, tmp_path, "--shape", "debt=rising", "--model", "decision_tree")
    artefact = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    (debt,) = (feature for feature in artefact["features"] if feature["name"] == "debt")
    assert debt["direction"] == 1


def test_bins_that_turn_round_in_a_period_are_not_kept_apart(table, tmp_path):
    plain = trained(table, tmp_path / "plain", "--shape", "fickle=rising")
    held = trained(table, tmp_path / "held", "--shape", "fickle=rising", "--period", "quarter")
    assert len(plain["fickle"]["edges"]) == 1
    assert held["fickle"]["edges"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--edges", "debt=1,0"), "the edges of 'debt' are numbers that rise"),
        (("--edges", "debt=1,nan"), "the edges of 'debt' are numbers that rise"),
        (("--edges", "debts=1,2"), "there is no column 'debts'"),
        (("--edges", "where=1,2"), "'where' holds texts, which have no order"),
        (("--shape", "where=peak"), "'where' holds texts, which have no order"),
        (("--shape", "depth=peak"), "there is no column 'depth'"),
        (("--shape", "age=peak", "--model", "ebm"), "ebm has no bins that would keep a peak or valley"),
        (("--edges", "age=30", "--model", "lightgbm"), "lightgbm has no bins that would keep own edges"),
        (("--shape", "bad=peak"), "'bad' has another part here"),
        (("--period", "age"), "'age' holds"),
        (("--period", "month"), "there is no column 'month'"),
    ],
)
def test_what_can_not_be_done_is_one_line_and_exit_one(table, tmp_path, options, said):
    told = CliRunner().invoke(
        app, ["train", "--csv", str(table), "--target", "bad", "--out", str(tmp_path), *options]
    )
    assert told.exit_code == 1 and told.stdout == "" and told.stderr.count("\n") == 1
    assert said in told.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--edges", "debt"), "COL=1,2.5,10"),
        (("--edges", "debt=a,b"), "is not a list of numbers"),
        (("--shape", "age=mountain"), "is no shape"),
        (("--shape", "age=peak", "--shape", "age=valley"), "is named twice"),
    ],
)
def test_wrong_usage_is_exit_two(table, tmp_path, options, said):
    told = CliRunner().invoke(
        app, ["train", "--csv", str(table), "--target", "bad", "--out", str(tmp_path), *options]
    )
    assert told.exit_code == 2
    assert said in " ".join(told.stderr.replace("│", " ").split())
