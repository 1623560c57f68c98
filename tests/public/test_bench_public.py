"""`shouxin bench credit_record` and `online_retail` on small samples of the real sets, as a user runs them.

A sample says little, so no figure is held to a mark; what a forecast must keep at any size is.
"""

from __future__ import annotations

import csv
import json
import lzma
from itertools import pairwise

import numpy as np
import pytest
from typer.testing import CliRunner

from shouxin import scoring
from shouxin.entrypoints.bench import credit_record, online_retail
from shouxin.entrypoints.cli import app

pytestmark = pytest.mark.public_data
QUICK = {
    "gru": {"size": 4, "epochs": 1, "width": 4},
    "dnn": {"epochs": 1, "width": 4},
    "ebm": {"bags": 1},
    "fused": {"size": 4, "epochs": 1, "width": 4, "bags": 1},
}


@pytest.fixture(scope="module")
def retail_sample(public_data, tmp_path_factory):
    """The lines of one customer in eight, a file a day as they came."""
    source = _set(public_data, "online_retail")
    folder = tmp_path_factory.mktemp("sample") / "online_retail"
    folder.mkdir()
    for path in sorted(source.glob("*.csv")):
        with path.open(encoding="cp1252", newline="") as file:
            first, *lines = csv.reader(file)
            customer = first.index("CustomerID")
            kept = [line for line in lines if line[customer] and int(float(line[customer])) % 8 == 0]
        if kept:
            with (folder / path.name).open("w", encoding="cp1252", newline="") as file:
                csv.writer(file).writerows([first, *kept])
    return folder


@pytest.fixture(scope="module")
def card_sample(public_data, tmp_path_factory):
    """One account in four, with all its months and what was said at application."""
    source = _set(public_data, "credit_record")
    folder = tmp_path_factory.mktemp("sample") / "credit_record"
    folder.mkdir()
    for name in ("credit_record.csv.xz", "application_record.csv.xz"):
        with lzma.open(source / name, "rt") as file, lzma.open(folder / name, "wt", preset=0) as sample:
            first = next(file)
            place = first.strip().split(",").index("ID")
            sample.write(first)
            sample.writelines(line for line in file if int(line.split(",")[place]) % 4 == 0)
    return folder


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Small networks for one epoch: whether the run ends and tells the truth does not depend on them."""
    pytest.importorskip("torch", reason="torch (the extra deep) is not installed")
    train = scoring.train_columns

    def train_quickly(columns, y, *, model, settings=None, **rest):
        return train(columns, y, model=model, settings=QUICK.get(model, settings), **rest)

    monkeypatch.setattr(scoring, "train_columns", train_quickly)


def _set(public_data, name):
    folder = public_data / name
    if not folder.is_dir():
        pytest.skip(f"the public set {name} is not at {folder}")
    return folder


def _lines(name, sample):
    done = CliRunner().invoke(app, ["bench", name, "--data", str(sample.parent), "--json"])
    assert done.exit_code == 0, done.stderr
    lines = {line["name"]: line for line in json.loads(done.stdout)["lines"]}
    for line in lines.values():
        assert line["low"] <= line["ours"] <= line["high"], line["name"]
    return lines, done.stderr


def test_cancellations_are_told_beside_the_naive_answers(retail_sample, monkeypatch):
    few = [d for d in online_retail.features.CATALOGUE if d.name.startswith(("spend", "orders", "cancel"))]
    monkeypatch.setattr(online_retail.features, "CATALOGUE", tuple(few))
    lines, told = _lines("online_retail", retail_sample)
    assert "computing" in told
    assert "training the gru" in told
    naive = lines["the 60 days before: mean error"]["ours"]
    ours = lines["ebm: mean error"]
    assert ours["peer"] == naive
    apart = lines["ebm less the 60 days before: mean error"]["ours"]
    assert apart == pytest.approx(ours["ours"] - naive, abs=1e-3)
    same = lines["the same for everybody: root mean square error"]["ours"]
    apart = lines["ebm less the same for everybody: root mean square error"]["ours"]
    assert apart == pytest.approx(lines["ebm: root mean square error"]["ours"] - same, abs=1e-3)


def test_no_two_windows_of_cancellations_share_a_day():
    dates = sorted((*online_retail._LEARNT, online_retail._TESTED))
    assert dates[-1] == online_retail._TESTED
    for before, after in pairwise(dates):
        assert after - before >= online_retail._AHEAD


def test_the_order_of_statuses_is_set_beside_strong_aggregates(card_sample, monkeypatch):
    monkeypatch.setattr(credit_record, "_FOLDS", 2)
    lines, told = _lines("credit_record", card_sample)
    assert "people" in told
    assert "training sequences (gru) on 1 columns in 2 folds" in told
    both = lines["both (fused)"]["ours"] - lines["aggregates (ebm)"]["ours"]
    assert lines["both (fused) less aggregates (ebm)"]["ours"] == pytest.approx(both, abs=1e-5)
    order = lines["sequences (gru)"]["ours"] - lines["counts (ebm)"]["ours"]
    assert lines["sequences (gru) less counts (ebm)"]["ours"] == pytest.approx(order, abs=1e-5)
    assert {"aggregates (scorecard)", "aggregates (dnn)", "sequences (gru)"} <= set(lines)


def test_a_person_is_never_on_both_sides_of_a_split(card_sample, monkeypatch):
    accounts = credit_record.read_accounts(card_sample)
    assert len(np.unique(accounts.whose)) < len(accounts.y), "the sample has people with several accounts"
    train, trained = scoring.train_columns, []

    def train_and_note(columns, y, *, groups, **rest):
        trained.append(groups)
        return train(columns, y, groups=groups, **rest)

    monkeypatch.setattr(scoring, "train_columns", train_and_note)
    credit_record.out_of_fold(accounts, "scorecard", accounts.counts)
    tested = [np.bincount(accounts.whose) - np.bincount(seen, minlength=accounts.whose.max() + 1)
              for seen in trained]  # fmt: skip
    for seen, left in zip(trained, tested, strict=True):
        assert not left[np.unique(seen)].any()
    assert sum(left.sum() for left in tested) == len(accounts.y)
