"""``shouxin features shopwide | rings | patterns`` and the nightly job, on a small house of its own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from conftest import QUICK, open_folder
from rooms.test_features_links import RING, ring
from rooms.test_features_shopwide import as_sent, borrowers
from shouxin import ingestion
from shouxin.database import Home, opened
from shouxin.entrypoints.cli import app
from shouxin.entrypoints.house import House
from shouxin.entrypoints.jobs import keep_shopwide
from shouxin.features import shopwide
from shouxin.governance import load_keyring
from shouxin.kernel import frozen_clock

NOW = datetime(2026, 3, 2, 0, 5, tzinfo=UTC)


@contextmanager
def loaded(sent):
    """A house with a ring and two hundred borrowers, just loaded, standing at five past midnight."""
    with open_folder() as folder, opened(Home(folder), settings=QUICK) as database:
        house = House(database, load_keyring(Home(folder)), Home(folder), frozen_clock(NOW))
        path = sent / "events.parquet"
        pq.write_table(pa.Table.from_pylist([as_sent(one) for one in [*ring(), *borrowers()]]), path)
        with database.begin() as db:
            assert not ingestion.load_file(db, path, keyring=house.keyring, now=NOW).quarantined
        yield house


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with loaded(tmp_path_factory.mktemp("sent")) as house:
        yield house


def run(*arguments, home):
    return CliRunner().invoke(app, ["features", *arguments, "--home", str(home.path)])


def told(*arguments, home):
    answer = run(*arguments, "--json", home=home)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_what_was_just_loaded_is_read_without_another_command(tmp_path):
    out = tmp_path / "features.parquet"
    with loaded(tmp_path) as house:
        batch = told("batch", "--as-of", "2026-03-01", "--out", str(out), home=house.home)
    assert batch["customers"] == pq.read_metadata(out).num_rows == 205


def test_the_job_keeps_the_night_once(house):
    kept = keep_shopwide(house)
    assert (kept.night.isoformat(), kept.customers) == ("2026-03-02", 205)
    assert keep_shopwide(house) == kept
    with house.database.begin() as db:
        assert shopwide.nights_missing(db, as_of=NOW) == ()
    again = told("shopwide", "keep", "--day", "2026-03-02", home=house.home)
    assert (again["changed"], again["patterns"]) == (205, kept.document_hash)


def test_the_ring_is_listed_with_its_members(house):
    found = told("rings", "--day", "2026-03-01", home=house.home)
    assert found["suspected"] == 1 and len(found["rings"][0]["members"]) == len(RING)
    assert found["rings"][0]["shared"] == {"device": 1, "card": 1, "address": 1, "contact": 0}
    assert "1 suspected rings at 2026-03-01" in run("rings", "--day", "2026-03-01", home=house.home).stdout


def test_patterns_are_listed_in_both_languages(house):
    found = told("patterns", "--day", "2026-03-01", home=house.home)
    assert [pattern["items"] for pattern in found["patterns"]] == [["late_once"]]
    chinese = run("patterns", "--day", "2026-03-01", "--language", "zh", home=house.home)
    assert "近180天有逾期还款" in chinese.stdout


def test_a_young_history_is_refused_in_one_line(house):
    answer = run("patterns", "--day", "2024-06-01", home=house.home)
    assert answer.exit_code == 1 and "need a history from" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_day_is_a_day(house):
    answer = run("rings", "--day", "2026-03-01T10:00:00", home=house.home)
    assert answer.exit_code == 2 and "no day" in answer.output


def test_missing_nights_are_named(house):
    keep_shopwide(house)
    answer = run("shopwide", "missing", "--json", home=house.home)
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["missing"]


def test_the_list_tells_every_feature():
    answer = CliRunner().invoke(app, ["features", "shopwide", "list", "--json"])
    found = json.loads(answer.stdout)
    assert [item["name"] for item in found["features"]] == list(shopwide.NAMES)
    assert all(item["meaning"]["zh"] and item["meaning"]["en"] for item in found["features"])
