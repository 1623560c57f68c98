"""``shouxin features``: the catalogue at the terminal, as SQL, and over everybody on either engine."""

from __future__ import annotations

import json
import sys
from datetime import date

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from shouxin.entrypoints.cli import app
from shouxin.features import CATALOGUE, UnableToRunSpark, catalogue_hash
from shouxin.features.spark import _started
from shouxin.simulation import simulate


def run(*arguments, home=None):
    environment = {"SHOUXIN_HOME": str(home.path)} if home else {}
    return CliRunner().invoke(app, ["features", *arguments], env=environment)


def test_bare_and_list_tell_the_catalogue():
    for arguments in (("--json",), ("list", "--json")):
        told = json.loads(run(*arguments).stdout)
        assert told["hash"] == catalogue_hash()
        assert [feature["name"] for feature in told["features"]] == [item.name for item in CATALOGUE]
    some = json.loads(run("list", "--topic", "repayments", "--json").stdout)["features"]
    assert some and {feature["topic"] for feature in some} == {"repayments"}
    assert CATALOGUE[0].meaning.zh in run("list", "--language", "zh").stdout


def test_show_tells_how_a_feature_is_computed():
    name = "cancelled_share_180d"
    told = json.loads(run("show", name, "--json").stdout)
    assert told["name"] == name and told["purposes"] == ["credit_assessment"]
    assert "count_distinct(order) of order_cancelled" in run("show", name).stdout
    refused = run("show", "nonsense")
    assert refused.exit_code == 1 and refused.stdout == ""
    assert refused.stderr == "shouxin: there is no feature 'nonsense'; `shouxin features list` names them\n"


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark"])
def test_compile_prints_sql_and_nothing_else(dialect):
    told = run("compile", "--dialect", dialect, "orders_90d", "spend_365d")
    assert told.exit_code == 0 and told.stdout.startswith("WITH fact AS (")
    assert "AS orders_90d" in told.stdout and "AS tenure_days" not in told.stdout
    assert json.loads(run("compile", "--dialect", dialect, "--json").stdout)["dialect"] == dialect


def test_compiled_sql_runs_as_it_stands(tmp_path):
    simulate(tmp_path, customers=30, months=3, start=date(2025, 12, 1), seed=3, live_days=1)
    sql = run("compile", "orders_90d").stdout
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.read_parquet(f"{tmp_path}/events/*.parquet").create_view("history")
        engine.execute(
            "CREATE TABLE link AS"
            " SELECT DISTINCT source, customer_ref, customer_ref AS customer_id FROM history"
        )
        rows = engine.execute(sql, {"as_of": 1_772_323_200_000_000}).fetchall()
    assert len(rows) == 30 and max(orders for _, orders in rows) > 0


@pytest.fixture
def loaded(own_home, tmp_path):
    """A home that has taken the events of a very small shop and knows its customers."""
    simulate(tmp_path, customers=40, months=4, start=date(2025, 11, 1), seed=3, live_days=1)
    for arguments in (["ingest", "events", str(tmp_path / "events")], ["unify"]):
        done = CliRunner().invoke(app, arguments, env={"SHOUXIN_HOME": str(own_home.path)})
        assert done.exit_code == 0, done.output
    return own_home


def test_batch_writes_everybody(loaded, tmp_path):
    out = tmp_path / "features.parquet"
    told = run("batch", "--as-of", "2026-03-01", "--out", str(out), "--json", home=loaded)
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["customers"] == pq.read_table(out).num_rows == 40


def test_batch_on_spark_says_what_is_not_there(loaded, tmp_path, monkeypatch):
    options = ("--as-of", "2026-03-01", "--out", str(tmp_path / "out"), "--engine", "spark")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pyspark.sql", None)
        told = run("batch", *options, home=loaded)
    assert told.exit_code == 1 and told.stdout == "" and not (tmp_path / "out").exists()
    assert "pyspark is not installed" in told.stderr and "pip install 'shouxin[spark]'" in told.stderr
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (extra spark)")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UnableToRunSpark, match=r"there is no Java.* install Java 17 or later"):
        _started(sql.SparkSession, "local[1]")
    assert run("batch", *options[:-1], "hadoop", home=loaded).exit_code == 2


def test_batch_of_an_empty_house_is_refused(own_home, tmp_path):
    told = run("batch", "--as-of", "2026-03-01", "--out", str(tmp_path / "f.parquet"), home=own_home)
    assert told.exit_code == 1 and told.stdout == ""
    assert "there are no events" in told.stderr
