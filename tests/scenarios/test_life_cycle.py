"""The life of models in a simulated shop: gates, shadow, monitor, feedback, retraining."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest

from shouxin import decisions, features, grading, identity, reporting, scoring
from shouxin.entrypoints.jobs.nightly import RETRAIN_AGE, RETRAIN_REST, retraining_reason
from shouxin.kernel import parse_instant
from shouxin.scoring import FeedbackKind, Passed, Verdict

OUTCOME = features.OUTCOMES["defaults-next-180d"]


@contextmanager
def passing(shop):
    """A transaction that is rolled back: nothing here disturbs another test."""
    with shop.database.engine.connect() as db:
        transaction = db.begin()
        yield db
        transaction.rollback()


@pytest.fixture(scope="module")
def history_end(shop_journal):
    return parse_instant(shop_journal.kept("simulate", "history_ends_at"))


def looked(db, shop, artefact, as_of):
    return scoring.monitor(
        db,
        artefact,
        history=shop.home.history,
        links=identity.links(db),
        outcome=OUTCOME,
        as_of=as_of,
        now=as_of,
    )


def test_the_champion_of_the_chain_went_through_its_gates(shop):
    with passing(shop) as db:
        champion = scoring.champion(db)
        gates, _ = scoring.find_gates(db, champion.hash)
    assert scoring.open_gates(gates)
    tested = {gate.code for gate in gates if gate.passed is Passed.YES}
    assert {"directions", "parity", "reasons", "calibration", "events", "meanings"} <= tested
    assert next(gate for gate in gates if gate.code == "not_worse").passed is Passed.UNTESTED


def test_the_monitor_finds_a_month_later_what_there_is_to_find(shop, history_end):
    with passing(shop) as db:
        champion = scoring.champion(db)
        look = looked(db, shop, champion, history_end + timedelta(days=30))
        kept = scoring.latest_monitoring(db, champion.hash)[0]
    assert kept == look.as_data()
    assert look.rows > 300
    assert {shift.name for shift in look.shifts} == {"score", *champion.names}
    assert look.matured is None and "matured" in look.why_not
    assert 0.5 < look.foretold.auc < 1
    assert look.verdict in set(Verdict)


def test_a_model_that_learnt_long_ago_is_held_against_what_happened(shop, history_end):
    with passing(shop) as db:
        early = grading.train_candidate(
            db,
            shop.home.history,
            identity.links(db),
            as_of=history_end - timedelta(days=185),
            outcome=OUTCOME,
            model="scorecard",
            now=history_end,
        )
        look = looked(db, shop, early.artefact, history_end)
    assert look.matured is not None and look.early is not None, look.why_not
    assert look.matured.events > 5
    # The same shop half a year later: what was promised is within a factor of two and a half.
    assert 0.4 < look.matured.observed.value < 2.5


def test_a_challenger_speaks_of_the_decisions_afterwards(shop, history_end):
    with passing(shop) as db:
        now = shop.clock()
        champion = scoring.champion(db)
        import msgspec

        milder = msgspec.structs.replace(champion, intercept=champion.intercept - 500_000)
        scoring.register(db, milder, name="milder", report={}, now=history_end)
        scoring.challenge(db, milder.hash, by="op_1", reason="watch it beside", now=history_end)
        (first,) = decisions.shadow(db, now=now)
        (second,) = decisions.shadow(db, now=now)
        document = reporting.model_document(db, milder.hash)
    assert first.scored > 50 and first.unread == 0
    assert second.scored == 0, "what was spoken of once is not counted again"
    told = next(section for section in document.sections if section.code == "monitoring")
    assert any(f"{first.scored:,} decisions" in line.en for line in told.lines)


def test_people_change_what_the_next_model_learns(shop, history_end):
    with passing(shop) as db:
        at, links = history_end, identity.links(db)

        def trained():
            return grading.train_candidate(
                db, shop.home.history, links, as_of=at, outcome=OUTCOME, model="scorecard", now=at
            )

        plain = trained()
        events = [row for row in plain.table.to_pylist() if row["event"]]
        wrong = events[0]
        scoring.tell(
            db,
            wrong["customer_id"],
            kind=FeedbackKind.APPEAL,
            said="upheld",
            as_of=wrong["as_of"] + timedelta(days=1),
            reason="the bank booked the repayment late",
            by="customer service",
            now=at,
        )
        after = trained()
        assert after.corrections["voided"] >= 1
        assert after.table.num_rows == plain.table.num_rows - after.corrections["voided"]
        assert scoring.find_report(db, after.artefact.hash) is not None


def test_an_override_is_held_against_what_followed(shop):
    with passing(shop) as db:
        now = shop.clock()
        customer = next(iter(grading.standings(db)))
        scoring.tell(
            db,
            str(customer),
            kind=FeedbackKind.OVERRIDE,
            said="A",
            as_of=now,
            reason="known well",
            by="op_1",
            now=now,
        )
        (line,) = reporting.override_report(db)
    assert (line.said, line.overrides) == ("A", 1)
    assert line.mean_pd is not None and 0 < line.mean_pd < 1


def test_retraining_is_due_when_the_champion_is_old_and_never_sooner(shop):
    with passing(shop) as db:
        born = max(row.registered_at for row in scoring.list_models(db))
        assert retraining_reason(db, now=born + RETRAIN_REST - timedelta(days=1)) is None
        assert "days old" in retraining_reason(db, now=born + RETRAIN_AGE)
