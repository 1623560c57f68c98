"""A grading run on a small made-up shop: nothing leaks, strangers stay strangers, grades keep their order."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from rooms.test_features_history import AS_OF, event, links_of, write_history
from shouxin import features, grading, scoring
from shouxin.features import CANCELS, UnableToLabel, compute
from shouxin.grading import Grade, is_held_out
from shouxin.kernel import CustomerId, Event

CUSTOMERS = 900
GRADED_AT = AS_OF - timedelta(days=90)


def shop_life(reference: str, *, fickle: float, random: np.random.Generator) -> list[Event]:
    """A year and a half of orders of which a share, the customer's own, is cancelled."""
    events = [event("customer_registered", 540, ref=reference, channel="app")]
    for number, days_ago in enumerate(sorted(random.uniform(0, 530, size=14), reverse=True)):
        order = f"{reference}-{number}"
        events.append(event("order_placed", days_ago, ref=reference, order=order, amount="80.00", items=1))
        if random.random() < fickle:
            events.append(event("order_cancelled", days_ago - 0.001, ref=reference, order=order))
    return events


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event], list[str]]:
    random = np.random.default_rng(11)
    references = [f"C{number:04d}" for number in range(CUSTOMERS)]
    events = [
        fact
        for reference in references
        for fact in shop_life(reference, fickle=float(random.beta(0.4, 3.0)), random=random)
    ]
    return write_history(tmp_path_factory.mktemp("history"), events), events, references


@pytest.fixture
def run(db, shop, now):
    history, _, references = shop
    return grading.train_and_grade(
        db, history, links_of(*references), as_of=GRADED_AT, outcome=CANCELS, now=now
    )


def test_everyone_known_at_the_date_has_a_grade_from_the_registered_model(db, shop, run):
    assert run.customers == CUSTOMERS == sum(grading.distribution(db).values())
    assert sum(line.customers for line in run.grades) == CUSTOMERS
    standing = grading.standing(db, CustomerId("cus_C0007"))
    assert (standing.as_of, standing.model_hash) == (GRADED_AT, run.model_hash)
    assert standing.features_hash == run.features_hash == features.catalogue_hash()
    assert [row.model_hash for row in scoring.list_models(db)] == [run.model_hash]


def test_the_number_in_the_report_is_the_number_that_one_row_scores(db, shop, run):
    _, events, references = shop
    artefact = scoring.find_model(db, run.model_hash)
    for reference in references[:20]:
        own = [fact for fact in events if fact.customer_ref == reference]
        score = scoring.score_one(artefact, features.evaluate(features.CATALOGUE, own, as_of=GRADED_AT))
        standing = grading.standing(db, CustomerId(f"cus_{reference}"))
        assert (standing.pd, standing.score) == (score.pd, score.points)
        told = [reason.as_data() for reason in scoring.reasons(artefact, score)]
        assert list(standing.reasons) == told
        assert len(told) <= 4


def test_worse_grades_had_the_event_more_often_among_strangers(run):
    assert run.inversions == ()
    assert run.evidence.why_not is None
    assert run.evidence.held_out.auc.low > 0.65
    assert run.evidence.held_out.n < sum(line.observed for line in run.grades)
    assert run.watched_from == (*run.training_points, GRADED_AT)
    assert run.evidence.everyone.n > run.evidence.held_out.n
    data = run.as_data()
    assert data["monotone"] is True
    assert [row["grade"] for row in data["grades"]] == list(Grade)
    assert set(data["evaluation"]["held_out"]) >= {"n", "event_rate", "auc", "ks"}


def test_training_ends_before_the_date_and_knows_no_stranger(run, shop):
    _, _, references = shop
    assert all(CANCELS.matures_at(point) <= GRADED_AT for point in run.training_points)
    friends = sum(not is_held_out(f"cus_{reference}") for reference in references)
    assert 0 < run.training_rows <= friends * len(run.training_points)


def test_what_happens_after_the_date_changes_no_grade(db, shop, run, tmp_path, now):
    _, events, references = shop
    past = [fact for fact in events if fact.known_at(GRADED_AT)]
    again = grading.train_and_grade(
        db,
        write_history(tmp_path / "past", past),
        links_of(*references),
        as_of=GRADED_AT,
        outcome=CANCELS,
        now=now,
    )
    assert again.model_hash == run.model_hash
    assert [line.mean_pd for line in again.grades] == [line.mean_pd for line in run.grades]
    assert "choose an earlier as_of" in again.evidence.why_not
    assert again.watched_from == run.training_points
    assert 0 < sum(line.observed for line in again.grades) < sum(line.observed for line in run.grades)
    assert again.as_data()["evaluation"]["held_out"] is None


def test_a_history_that_is_too_short_is_refused(db, shop, now):
    history, _, references = shop
    with pytest.raises(UnableToLabel, match="the history must begin by"):
        grading.train_and_grade(
            db, history, links_of(*references), as_of=AS_OF - timedelta(days=500), outcome=CANCELS, now=now
        )


def test_an_online_value_is_the_batch_value(db, now, tmp_path):
    from shouxin.identity import ensure_customer, links
    from shouxin.ingestion import export_history, record

    customer = ensure_customer(db, source="shop", customer_ref="C1", now=now)
    life = [
        event("order_placed", 12, order="O1", amount="80.00", items=1, payment_method="credit"),
        event("order_cancelled", 11, order="O1", late_days=20),
        event("line_opened", 50, amount="1000.00"),
    ]
    paid = event("repayment_received", 3, ref=str(customer), amount="10.00", plan_id="P", days_past_due=4)
    own = Event(**{name: getattr(paid, name) for name in Event.__slots__} | {"source": "credit"})
    record(db, [*life, own])
    export_history(db, tmp_path)
    for as_of in (AS_OF, AS_OF + timedelta(days=20)):
        online = features.values_at(db, customer, as_of=as_of)
        (batch,) = compute(tmp_path, links(db), as_of=as_of).to_pylist()
        assert {name: batch[name] for name in online} == online
    assert (online["cancelled_share_180d"], online["late_repayments_180d"]) == (1.0, 1.0)
