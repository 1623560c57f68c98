"""The simulated shop: what checkouts read is what batch and training read, and the skew monitor says so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf, nextafter

import pytest
from sqlalchemy import text

from doors.test_cli import run
from shouxin import features, identity, ingestion
from shouxin.entrypoints.jobs import absorb_events, check_skew
from shouxin.features import CANCELS, CATALOGUE, ServedValues
from shouxin.features.skew import Cause

CUSTOMERS = 300
SAMPLED_MAX = 40
OWN_CUSTOMERS = (
    "SELECT customer_ref FROM ingestion.event WHERE source = 'credit' GROUP BY 1 ORDER BY 1 LIMIT :n"
)
NAMES = [definition.name for definition in CATALOGUE]


@pytest.fixture
def lived(shop_journal):
    """(when the shop's history ended, when its life afterwards ended)."""
    ends = (shop_journal.kept("simulate", name) for name in ("history_ends_at", "live_ends_at"))
    return tuple(datetime.fromisoformat(instant) for instant in ends)


def by_customer(table):
    return {row["customer_id"]: {name: row[name] for name in NAMES} for row in table.to_pylist()}


def test_batch_training_and_checkout_say_the_same_of_several_hundred_customers(shop, lived):
    _, as_of = lived
    with shop.database.begin() as db:
        links = identity.links(db)
        ingestion.export_history(db, shop.home.history)
    # One read in the middle of the history, too: what is kept answers as of any instant.
    for at in (as_of, as_of - timedelta(days=200)):
        batch = by_customer(features.compute(shop.home.history, links, as_of=at))
        chosen = sorted(batch)[:: max(1, len(batch) // CUSTOMERS)]
        assert len(chosen) >= CUSTOMERS
        with shop.database.begin() as db:
            online = {customer: features.values_at(db, customer, as_of=at) for customer in chosen}
        assert online == {customer: batch[customer] for customer in chosen}
    training = by_customer(
        features.training_set(
            shop.home.history, links, as_ofs=[as_of - timedelta(days=200)], outcome=CANCELS, known_until=as_of
        )
    )
    assert len(training) > CUSTOMERS
    assert all(batch[customer] == row for customer, row in training.items())


def test_states_are_kept_of_everybody_and_no_checkout_depends_on_them(shop, lived):
    absorb_events(shop)
    with shop.database.begin() as db:
        kept, waiting = features.count_states(db)
        references = db.scalar(
            text("SELECT count(*) FROM (SELECT DISTINCT source, customer_ref FROM ingestion.event) AS r")
        )
        (customer,) = db.execute(text(OWN_CUSTOMERS), {"n": 1}).scalars()
        before = features.values_at(db, customer, as_of=lived[1])
        with db.begin_nested() as savepoint:
            assert features.forget_states(db, identity.references_of(db, customer)) >= 2
            assert features.values_at(db, customer, as_of=lived[1]) == before
            savepoint.rollback()
    assert (kept, waiting) == (references, 0)


def test_what_decided_is_what_the_history_says(shop, lived):
    begins, ends = lived
    sampled = count_sampled(shop, begins, ends)
    report = check_skew(shop, since=begins, until=ends, limit=SAMPLED_MAX)
    assert (report.decisions, report.left_out) == (min(sampled, SAMPLED_MAX), 0)
    assert report.decisions > 0
    assert report.unequal == 0, [one.as_data() for one in report.features if one.unequal]
    assert report.is_good
    with shop.database.begin() as db:
        assert features.latest_skew(db) == report


def count_sampled(shop, since, until):
    """How many decisions wrote down what they saw: ids are drawn by lot, so this is by lot, too."""
    query = "SELECT decision_id FROM decisions.decision WHERE created_at >= :since AND created_at < :until"
    with shop.database.begin() as db:
        ids = db.execute(text(query), {"since": since, "until": until}).scalars()
        return sum(features.is_sampled(decision_id) for decision_id in ids)


def test_a_value_that_is_off_by_the_last_bit_is_found(shop):
    # Read here and now: nothing came later and nobody was linked anew, so that only a fault explains it.
    now = shop.clock()
    with shop.database.begin() as db:
        refs = db.execute(text(OWN_CUSTOMERS), {"n": 3})
        served = [served_now(db, customer, as_of=now) for customer in refs.scalars()]
        name = NAMES[0]
        off = {**served[0].values, name: nextafter(served[0].values[name] or 0.0, inf)}
        other = replace(served[1], features_hash="sha256:another catalogue")
        given = [replace(served[0], values=off), other, *served[2:]]
        ingestion.export_history(db, shop.home.history)
        report = features.check_skew(
            db, shop.home.history, given, since=now - timedelta(days=1), until=now, now=now
        )
    assert (report.decisions, report.left_out) == (2, 1)
    (found,) = (one for one in report.features if one.unequal)
    assert (found.name, found.causes) == (name, {Cause.UNEXPLAINED: 1})
    assert found.examples == (served[0].decision_id,)
    assert report.unexplained == 1 and not report.is_good


def served_now(db, customer, *, as_of):
    values, witness = features.witnessed_values_at(db, customer, as_of=as_of)
    return ServedValues(f"dec_{customer}", customer, as_of, features.catalogue_hash(), values, witness)


def test_the_commands_tell_it(shop, lived):
    begins, ends = lived
    absorbed = run("features", "absorb", "--json", home=shop.home.path)
    told = json.loads(absorbed.stdout)
    assert absorbed.returncode == 0 and told["waiting"] == 0 and told["kept"] > 0
    span = ("--since", begins.isoformat(), "--until", ends.isoformat(), "--limit", "5", "--json")
    checked = run("features", "skew", *span, home=shop.home.path)
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["decisions"] == min(count_sampled(shop, begins, ends), 5)
    wrong = run(
        "features", "skew", "--since", ends.isoformat(), "--until", begins.isoformat(), home=shop.home.path
    )
    assert wrong.returncode == 2 and "--since" in wrong.stderr
