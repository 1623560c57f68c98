"""Selection: each column is left out for the first reason that holds, and the figures are the textbook's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from shouxin.entrypoints.cli.features_select import select
from shouxin.kernel import Bilingual
from shouxin.reporting.domain.model_document.facts import ModelFacts
from shouxin.reporting.domain.model_document.variables import features as section_of_variables
from shouxin.scoring import Table, select_features, train, train_columns


@pytest.fixture(scope="module")
def people() -> Table:
    rng = np.random.default_rng(2)
    rows = 3_000
    month = rng.integers(1, 7, rows)
    strong, noise, pair = rng.normal(size=(3, rows))
    y = (rng.random(rows) < 1 / (1 + np.exp(1.2 - 0.9 * strong - 0.6 * (pair > 0)))).astype(float)
    turning = np.where(month == 1, -1, 1) * y + rng.normal(size=rows)
    drifting = strong + rng.normal(size=rows) + 2.5 * (month == 6)
    columns = {
        "strong": strong,
        "twin": strong**3 + 0.01 * rng.normal(size=rows),
        "pair": np.where(rng.random(rows) < 0.1, np.nan, pair),
        "noise": noise,
        "turning": turning,
        "drifting": drifting,
        "leak": y + 0.1 * rng.normal(size=rows),
        "same": np.ones(rows),
        "day": np.array([f"2026-{m:02d}-10" for m in month], dtype=object),
        "bad": y,
    }
    return Table(columns)


def test_every_column_is_kept_or_told_why_not(people):
    told = {each["name"]: each for each in select_features(people, target="bad", time_column="day")}
    why = {name: each["dropped"] for name, each in told.items()}
    assert why["strong"] is None and why["pair"] is None
    assert why["twin"] == "ranks rows as strong does, which is stronger"
    assert why["noise"].startswith("IV 0.0")
    assert why["leak"].endswith("a leak")
    assert why["same"] == "the same value in every row"
    assert why["drifting"].startswith("PSI ") and "in a month" in why["drifting"]
    assert [month["flipped"] for month in told["turning"]["months"]] == [True] + [False] * 5
    assert told["pair"]["missing"] == pytest.approx(0.1, abs=0.02)
    assert "day" not in told and "bad" not in told


def test_the_figures_are_the_textbooks(people):
    told = {each["name"]: each for each in select_features(people, target="bad")}
    y, values = people.columns["bad"], people.columns["strong"]
    groups = [values[y == outcome] for outcome in (0, 1)]
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / (len(y) - 2)
    between = sum(len(group) * (group.mean() - values.mean()) ** 2 for group in groups)
    assert told["strong"]["f"]["value"] == pytest.approx(between / within, abs=0.01)
    assert told["strong"]["f"]["p"] < 1e-6 and told["noise"]["f"]["p"] > 0.01
    assert told["strong"]["mutual_information"] > told["noise"]["mutual_information"] >= 0
    assert told["strong"]["iv"]["low"] <= told["strong"]["iv"]["value"] <= told["strong"]["iv"]["high"]
    shares = [each["importance"] for each in told.values() if "importance" in each]
    assert sum(shares) == pytest.approx(1.0, abs=0.001)
    assert told["strong"]["months"] == []


def test_the_command_tells_it_as_json(people, tmp_path):
    path = tmp_path / "people.csv"
    names = ["strong", "noise", "day", "bad"]
    lines = zip(*(people.columns[name].tolist() for name in names), strict=True)
    path.write_text("\n".join([",".join(names), *(",".join(map(str, line)) for line in lines)]))
    app = typer.Typer()
    app.command()(select)
    done = CliRunner().invoke(app, ["--csv", str(path), "--target", "bad", "--time", "day", "--json"])
    assert done.exit_code == 0
    assert [each["name"] for each in json.loads(done.stdout)["variables"]] == ["strong", "noise"]
    failed = CliRunner().invoke(app, ["--csv", str(path), "--target", "worse"])
    assert failed.exit_code == 1 and "there is no column 'worse'" in failed.stderr


def test_each_fold_of_a_cross_fitting_tells_its_own_selection(people):
    columns = {name: values for name, values in people.columns.items() if name != "leak"}
    report = train(Table(columns), target="bad", time_column="day", model="decision_tree").report
    found = report["selection"]
    assert len(found["folds"]) == 5 and found["months"] and json.loads(json.dumps(found)) == found
    assert sum(fold["rows"] for fold in found["folds"]) == 4 * report["rows"]
    assert sum(fold["events"] for fold in found["folds"]) == 4 * report["events"]
    told = {each["name"]: each for each in found["variables"]}
    assert set(told) == {"strong", "twin", "pair", "noise", "turning", "drifting"}
    assert told["strong"]["kept"] == 5 and told["strong"]["why"] == [None] * 5
    assert told["strong"]["used"] == 5 and 0 <= told["noise"]["used"] <= 5
    assert told["twin"]["why"] == ["twin"] * 5 and told["twin"]["kept"] == 0
    assert told["noise"]["why"] == ["weak"] * 5 and "is below 0.02" in told["noise"]["dropped"][0]
    for name, each in told.items():
        assert all(len(each[key]) == 5 for key in ("iv", "f", "mutual_information", "psi", "dropped")), name
        assert each["kept"] == each["why"].count(None) == each["dropped"].count(None)
        # Each fold has other rows: what it found is its own.
        assert len({one["value"] for one in each["f"]}) > 1 and all(
            one["low"] <= one["high"] for one in each["iv"]
        ), name


def test_a_learner_that_does_without_folds_has_their_selection_told(people):
    columns = {name: people.columns[name] for name in ("strong", "noise", "bad")}
    report = train(Table(columns), target="bad").report
    found = report["selection"]
    told = {each["name"]: each for each in found["variables"]}
    assert len(found["folds"]) == 5 and not found["months"] and told["strong"]["used"] is None
    assert (told["strong"]["kept"], told["noise"]["kept"]) == (5, 0) and told["noise"]["psi"] == [0.0] * 5
    y = columns.pop("bad")
    assert train_columns(columns, y).report["selection"] is None


def test_the_document_of_a_model_tells_the_selection_by_fold(people):
    columns = {name: people.columns[name] for name in ("strong", "twin", "noise", "pair", "bad", "day")}
    trained = train(Table(columns), target="bad", time_column="day")
    nobody: Any = None
    facts = ModelFacts(nobody, trained.artefact, trained.report, (), None, (), (), {}, nobody, 0, {}, nobody)
    table = section_of_variables(facts).tables[-1]
    assert table.title.en == "Selection by fold (5)"
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["strong"][:2] == ("5 / 5", "\N{EN DASH}") and rows["strong"][-1] == "\N{EN DASH}"
    assert Bilingual("其余2个变量", "2 other variables") in rows
    unfitted = replace(facts, report={**trained.report, "selection": None})
    assert len(section_of_variables(unfitted).tables) == 2
