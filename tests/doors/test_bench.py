"""`shouxin bench`: every benchmark runs tiny and says what it is to say. No figure of time is judged here."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from conftest import open_folder
from shouxin import features
from shouxin.entrypoints.bench import IN_ALL, Ground, Line, Report, Sizes, UnableToBench, run_bench
from shouxin.entrypoints.bench.ground import copied
from shouxin.entrypoints.bench.timing import absent
from shouxin.entrypoints.cli import app
from shouxin.kernel import silent

TINY = Sizes(
    customers=2_000, shop_customers=2_000, events=15_000, rows=2_000, binned_rows=3_000,
    variables=5, decisions=40, seconds=0.6, rate=20, callers=16, pages=2, repeats=1,
)  # fmt: skip
KEYS = {"name", "ours", "peer", "ratio", "goal", "met", "unit", "rule", "note"}


class GroundOfTests(Ground):
    """The same ground, with the small shop of the tests in place of one more."""

    shop = None


@pytest.fixture(scope="session")
def ground(shop):
    with open_folder() as folder:
        made = GroundOfTests(TINY, shop.home, lambda _text: None, folder)
        made.shop = shop
        with made.stack:
            yield made


@pytest.fixture(scope="session")
def report(ground):
    reports = {}

    def report_of(name):
        if name not in reports:
            reports[name] = run_bench(name, ground)
        return reports[name]

    return report_of


@pytest.mark.parametrize("name", IN_ALL)
def test_a_benchmark_has_lines_with_figures_that_are_numbers(report, name):
    data = report(name).as_data()
    assert set(data) == {"name", "lines", "met"} and data["name"] == name and data["lines"]
    assert json.loads(json.dumps(data)) == data
    for line in data["lines"]:
        assert set(line) == KEYS
        assert math.isfinite(line["ours"]) and line["ours"] >= 0
        assert line["ratio"] is None or (math.isfinite(line["ratio"]) and line["ratio"] > 0)
        assert (line["ratio"] is None) == (line["peer"] is None)
        assert line["met"] in {None, True, False}


@pytest.mark.parametrize("name", ["authorise", "features", "ingest"])
def test_a_benchmark_of_sql_has_a_peer_in_the_same_run(report, name):
    assert report(name).lines[0].ratio is not None


def test_the_query_written_by_hand_says_the_same(report):
    assert report("features").lines[1].ours == 0


def test_a_peer_that_does_not_load_is_told_and_left_out(tmp_path, monkeypatch):
    (tmp_path / "a_broken_peer.py").write_text("from json import nothing_of_this_name")
    monkeypatch.syspath_prepend(tmp_path)
    why = absent("a_broken_peer", "broken", replace(TINY, others=True))
    assert why is not None and why.startswith(
        "broken is installed but does not load here (cannot import name"
    )
    assert absent("no_such_peer", "lacking", replace(TINY, others=True)) == "lacking is not installed"
    assert absent("json", "there", replace(TINY, others=True)) is None


def test_copies_of_a_shop_have_customers_of_their_own(ground, tmp_path):
    history = tmp_path / "history"
    shutil.copytree(ground.world.history, history)
    links = copied(history, ground.world.links, count=3, progress=silent)
    assert links.num_rows == len(set(links["customer_id"].to_pylist())) == 3 * ground.world.links.num_rows
    told = features.compute(
        history, links, as_of=ground.world.ends_at, definitions=features.definitions_of(["orders_365d"])
    )
    ours = features.compute(
        ground.world.history, ground.world.links, as_of=ground.world.ends_at,
        definitions=features.definitions_of(["orders_365d"]),
    )  # fmt: skip
    one = np.sort(ours["orders_365d"].to_numpy())
    assert told.num_rows == 3 * len(one) and one.max() > 0
    assert np.array_equal(np.sort(np.tile(one, 3)), np.sort(told["orders_365d"].to_numpy()))


def test_a_run_on_one_line_holds_no_more_than_the_line(report):
    (run,) = [line for line in report("authorise").lines if line.name == "oversubscribed"]
    assert run.ours == 0
    assert f"{TINY.callers} callers at once" in run.note


def test_looking_at_the_console_leaves_no_operator_behind(report, shop):
    from shouxin import governance

    report("console")
    with shop.database.begin() as db:
        assert not [one for one, _ in governance.list_operators(db) if one.name.startswith("bench")]


def test_a_goal_is_of_our_figure_or_of_the_ratio():
    assert Line("time", 3.0, "s", goal=2.0).met is False
    assert Line("rate", 3.0, "rows/s", goal=2.0, keeps=">=").met is True
    assert Line("beside", 3.0, "s", peer=6.0, goal=0.5, of="ratio").met is True
    assert Line("no peer here", 3.0, "s", goal=0.5, of="ratio").met is None
    assert Line("no goal", 3.0, "s", peer=1.0).met is None


def test_a_report_is_met_until_a_line_misses():
    kept, missed = Line("a", 1.0, "s", goal=2.0), Line("b", 3.0, "s", goal=2.0)
    assert Report("x", (kept, Line("c", 1.0, "s"))).met
    assert not Report("x", (kept, missed)).met


def test_an_unknown_name_is_refused(ground):
    with pytest.raises(UnableToBench, match="core"):
        run_bench("nothing", ground)
    refused = CliRunner().invoke(app, ["bench", "nothing"])
    assert refused.exit_code == 1


def test_the_command_prints_one_object_and_leaves_by_what_is_met():
    done = CliRunner().invoke(app, ["bench", "binning", "--json"])
    told = json.loads(done.stdout)
    assert told["name"] == "binning"
    assert done.exit_code == (0 if told["met"] else 1)


def test_the_order_of_events_is_asked_of_a_tiny_shop(ground, monkeypatch):
    """Every model once, in seconds: too small a shop to say anything, so nothing is said of the figures."""
    pytest.importorskip("torch", reason="torch (the extra deep) is not installed")
    from shouxin import scoring
    from shouxin.entrypoints.bench import sequences

    quick = {"size": 4, "epochs": 1, "width": 4}
    train = scoring.train_columns

    def train_quickly(columns, y, *, model, **rest):
        settings = {"ebm": {"bags": 1}, "fused": quick | {"bags": 1}}.get(model, quick)
        return train(columns, y, model=model, settings=settings, **rest)

    monkeypatch.setattr(scoring, "train_columns", train_quickly)
    monkeypatch.setattr(
        sequences.features, "CATALOGUE", tuple(d for d in sequences.features.CATALOGUE if "late" in d.name)
    )
    data = run_bench("sequences", ground).as_data()
    names = [line["name"] for line in data["lines"]]
    assert names[:4] == ["aggregates", "embeddings", "both", "both, order shuffled"]
    for line in data["lines"]:
        assert line["low"] <= line["high"]


@pytest.mark.parametrize("name", ["credit_record", "online_retail"])
def test_a_benchmark_of_public_data_says_what_it_lacks(ground, name):
    with pytest.raises(UnableToBench, match=f"say where the public set {name} lies"):
        run_bench(name, ground)


def test_dealing_events_anew_takes_away_the_order_and_nothing_else():
    import numpy as np

    from shouxin.entrypoints.bench.sequences import shuffled
    from shouxin.features.sequences import RECENT_EVENTS

    layout = RECENT_EVENTS.layout
    events = [[kind, kind % 5, 60 - kind, kind % 24, 0, kind % 3, 0, 0, 0] for kind in range(15)]
    dealt = layout.numbers(shuffled(layout.text(events), rng=np.random.default_rng(3)))
    assert [event[1:4] for event in dealt] == [event[1:4] for event in events]
    without = [[event[0], *event[4:]] for event in dealt]
    assert without != [[event[0], *event[4:]] for event in events]
    assert sorted(without) == sorted([event[0], *event[4:]] for event in events)


def test_drift_counts_every_column():
    done = CliRunner().invoke(app, ["bench", "drift", "--json", "--rows", "2000"])
    told = json.loads(done.stdout)
    assert [line["name"] for line in told["lines"]] == ["all 200 columns", "cells a second"]
    assert told["lines"][0]["ours"] > 0
