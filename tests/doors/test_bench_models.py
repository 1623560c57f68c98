"""`shouxin bench models`: the same folds for everybody, a winner by rule, and a leak that stops the run."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from shouxin import scoring
from shouxin.entrypoints.bench import credit_sets
from shouxin.entrypoints.bench.models import ModelResult, _winner
from shouxin.entrypoints.cli import app

ROWS = 1_200


@pytest.fixture
def sets(tmp_path, monkeypatch):
    """A set of our own in a folder: one honest column, one that tells too much, and noise."""
    random = np.random.default_rng(4)
    y = (random.random(ROWS) < 0.25).astype(int)
    columns = {
        "bad": y,
        "late": random.poisson(0.5 + 0.9 * y),
        "age_of_file": np.round(random.normal(10 - 2 * y, 3), 2),
        "noise": np.round(random.normal(size=ROWS), 3),
    }
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    (tmp_path / "own.csv").write_text("\n".join(lines))

    def known(ceiling):
        one = credit_sets.CreditSet("own", "own.csv", "bad", ceiling, goals={"best": 0.5, "scorecard": 0.99})
        monkeypatch.setattr(credit_sets, "SETS", {"own": one})
        return [
            "--set",
            "own",
            "--data",
            str(tmp_path),
            "--models",
            "scorecard",
            "--home",
            str(tmp_path / "home"),
        ]

    return known


def run(*options):
    return CliRunner().invoke(app, ["bench", "models", *options])


def test_the_table_has_every_figure_with_its_interval_and_says_which_goal_is_missed(sets):
    result = run(*sets(0.99), "--json")
    assert result.exit_code == 1, result.output
    told = json.loads(result.stdout)
    (row,) = told["models"]
    assert row["name"] == "scorecard" and row["tier"] == "Scorecard"
    assert row["auc"]["low"] < row["auc"]["value"] < row["auc"]["high"]
    assert 0.6 < row["auc"]["value"] < 0.95 and row["seconds"] > 0
    assert {line["name"]: line["met"] for line in told["lines"]} == {
        "best of the bench (scorecard)": True,
        "glass box behind the best": None,
        "scorecard": False,
    }
    assert (told["set"], told["rows"], told["folds"], told["winner"]) == ("own", ROWS, 5, "scorecard")


def test_the_table_is_kept_where_the_console_looks(sets, tmp_path):
    run(*sets(0.99))
    kept = json.loads((tmp_path / "home/bench/models-own.json").read_text())
    assert kept["models"][0]["name"] == "scorecard"


def test_a_figure_beyond_all_honest_work_stops_the_run(sets):
    result = run(*sets(0.55))
    assert result.exit_code == 1
    assert "leak" in result.stderr and "0.55" in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "nowhere", "--data", "."], "there is no set"),
        (["--set", "taiwan", "--data", "."], "is not at"),
        (["--set", "taiwan"], "--data"),
    ],
)
def test_what_is_missing_is_said(options, said):
    result = run(*options)
    assert result.exit_code == 1
    assert said in result.stderr


def test_inside_three_thousandths_the_simpler_one_is_taken():
    random = np.random.default_rng(1)
    y = (random.random(4_000) < 0.3).astype(int)
    pd = np.clip(0.3 + 0.1 * (y - 0.3) + random.normal(0, 0.1, 4_000), 0.01, 0.99)

    def result(name, risk):
        return ModelResult(name, name, scoring.evaluate(y, risk), risk, 1.0, 3)

    near, far = pd + random.normal(0, 0.001, 4_000).clip(-0.005, 0.005), np.clip(random.permutation(pd), 0, 1)
    assert _winner([result("ebm", pd), result("scorecard", np.clip(near, 0, 1))]) == "scorecard"
    assert _winner([result("ebm", pd), result("scorecard", far)]) == "ebm"


def test_an_interrupted_run_goes_on_where_it_was(sets, tmp_path, monkeypatch):
    options, done = sets(0.99), []
    train_columns = scoring.train_columns

    def interrupted(columns, y, **how):
        done.append(how["model"])
        if len(done) == 4:
            raise KeyboardInterrupt
        return train_columns(columns, y, **how)

    monkeypatch.setattr(scoring, "train_columns", interrupted)
    assert run(*options).exit_code != 0
    unfinished = tmp_path / "home/bench/models-own-unfinished"
    assert len(list(unfinished.glob("*.json"))) == 3
    told = json.loads(run(*options, "--json").stdout)
    assert len(done) == 4 + 2  # the fourth was interrupted, the first three were not done again
    assert len(told["models"][0]["auc_by_fold"]) == 5
    assert not unfinished.exists()


def test_a_learner_that_can_not_be_trained_is_left_out_with_its_reason(sets, monkeypatch):
    options = sets(0.99)
    options[options.index("scorecard")] = "decision_tree,scorecard"
    train_columns = scoring.train_columns

    def refusing(columns, y, **how):
        if how["model"] == "decision_tree":
            raise scoring.UnableToTrain("the extra is missing")
        return train_columns(columns, y, **how)

    monkeypatch.setattr(scoring, "train_columns", refusing)
    told = json.loads(run(*options, "--json").stdout)
    assert told["left_out"] == {"decision_tree": "the extra is missing"}
    assert [one["name"] for one in told["models"]] == ["scorecard"]


def test_every_learner_is_tuned_with_as_many_trials(sets):
    options = sets(0.99)
    options[options.index("scorecard")] = "decision_tree"
    told = json.loads(run(*options, "--json", "--trials", "3", "--folds", "2").stdout)
    assert told["trials"] == 3
    assert [set(settings) for settings in told["models"][0]["settings"]] == [{"depth", "leaf_share"}] * 2
