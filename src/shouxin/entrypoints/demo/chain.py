"""The chain of the demo, stage by stage; each stage is done once and journalled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from shouxin import credit, decisions, features, governance, grading, identity, ingestion, scoring, simulation
from shouxin.entrypoints.demo import live, people
from shouxin.entrypoints.demo.journal import Count, Journal, StageDone
from shouxin.entrypoints.demo.scene import Chain, DemoSettings
from shouxin.entrypoints.house import House
from shouxin.entrypoints.jobs.nightly import (
    absorb_events,
    business_today,
    check_skew,
    grade_everyone,
    watch_everyone,
)
from shouxin.kernel import Bar

Told = Callable[[StageDone, bool], None]


class UnableToPromote(RuntimeError):
    """The model of the demo did not pass its gates; the message names them."""


def run_demo(house: House, settings: DemoSettings, *, bar: Bar, told: Told) -> Journal:
    """Run the stages that are not done yet; ``told`` hears of each. Interrupt it and run it again at will."""
    folder = house.home.path / "demo"
    journal = Journal.opened(folder / "state.json", asdict(settings) | {"today": settings.today.isoformat()})
    kept = journal.settings | {"today": date.fromisoformat(journal.settings["today"])}
    chain = Chain(house, DemoSettings(**kept), folder, journal, bar)
    for name, work in _stages(chain):
        told(*journal.run(name, work))
    return journal


def summary_of(journal: Journal) -> dict[str, Any]:
    """What ``var/demo/summary.json`` holds: the stages, and the grades with the observed rate."""
    stages = [{"name": s.name, "count": s.count, "seconds": s.seconds} for s in journal.stages]
    return {
        "stages": stages,
        "grades": journal.kept("grade", "grades"),
        "evaluation": journal.kept("grade", "evaluation"),
    }


def _stages(chain: Chain) -> Iterator[tuple[str, Callable[[], Count]]]:
    yield "simulate", lambda: _simulate(chain)
    yield "ingest", lambda: _ingest(chain, "events")
    yield "unify", lambda: _unify(chain)
    yield "operators", lambda: _hire(chain)
    yield "grade", lambda: _grade(chain)
    yield "approve", lambda: _approve(chain)
    yield "lines", lambda: _open_lines(chain)
    yield "live events", lambda: _ingest(chain, "live/events")
    yield "checkouts", lambda: live.live_through(chain)
    yield "watch", lambda: _watch(chain)
    yield "cases", lambda: live.open_cases(chain)


def _simulate(chain: Chain) -> Count:
    wanted = chain.settings
    live_start = wanted.today - timedelta(days=wanted.live_days)
    start = _months_before(live_start, wanted.months)
    with chain.bar("simulating a shop") as progress:
        report = simulation.simulate(
            chain.shop,
            customers=wanted.customers,
            months=wanted.months,
            start=start,
            seed=wanted.seed,
            live_days=(wanted.today - _months_after(start, wanted.months)).days,
            progress=progress,
        )
    return report.events, {"history_ends_at": report.history_ends_at, "live_ends_at": report.live_ends_at}


def _ingest(chain: Chain, place: str) -> Count:
    path = chain.shop / place
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    accepted = quarantined = duplicates = 0
    with chain.bar("ingesting events") as progress:
        for number, file in enumerate(files):
            with chain.house.database.begin() as db:  # a file is a transaction: what is loaded stays loaded
                receipt = ingestion.load_file(db, file, keyring=chain.house.keyring, now=chain.house.clock())
            accepted, duplicates = accepted + receipt.accepted, duplicates + receipt.duplicates
            quarantined += receipt.quarantined
            progress(number + 1, len(files))
    return accepted, {"duplicates": duplicates, "quarantined": quarantined}


def _unify(chain: Chain) -> Count:
    with chain.bar("unifying customers") as progress, chain.house.database.begin() as db:
        count = identity.unify(db, keyring=chain.house.keyring, now=chain.house.clock(), progress=progress)
    return count.customers, {"references": count.references, "merged": count.merged}


def _hire(chain: Chain) -> Count:
    with chain.house.database.begin() as db:
        return people.hire(db, now=chain.house.clock())


def _grade(chain: Chain) -> Count:
    outcome = features.OUTCOMES["defaults-next-180d"]
    with chain.bar("training and grading") as progress, chain.house.database.begin() as db:
        ingestion.export_history(db, chain.house.home.history)
        run = grading.train_and_grade(
            db,
            chain.house.home.history,
            identity.links(db),
            as_of=chain.history_end,
            outcome=outcome,
            model="scorecard" if chain.settings.model == "scorecard" else "ebm",
            now=chain.house.clock(),
            progress=progress,
        )
    data = run.as_data()
    kept = {"model_hash": run.model_hash, "grades": data["grades"], "evaluation": data["evaluation"]}
    return run.customers, kept


def _approve(chain: Chain) -> Count:
    """The analyst asks and the manager agrees: for the model, then for the policy."""
    now = chain.house.clock()
    model_hash = chain.journal.kept("grade", "model_hash")
    policy = decisions.STANDARD_CHECKOUT
    with chain.house.database.begin() as db:
        maker, checker = people.operator_named(db, "chen.jing"), people.operator_named(db, "zhao.lei")
        keys = []
        for subject, why in (
            (f"model:{model_hash}", "trained on the shop's history"),
            (policy.subject, "standard"),
        ):
            request = governance.request_approval(
                db, subject=subject, maker=maker.operator_id, reason=why, now=now
            )
            key = governance.approve(
                db, request, checker=checker.operator_id, reason="grades rise from S to D", now=now
            )
            assert not isinstance(key, governance.ApprovalRefusal), key
            keys.append(key)
        promoted = scoring.promote(db, model_hash, approval=keys[0], now=now)
        if isinstance(promoted, scoring.PromotionRefusal):
            raise UnableToPromote(promoted.reason)
        decisions.publish(db, policy, approval=keys[1], now=now)
    return len(keys)


def _open_lines(chain: Chain) -> Count:
    """Open the lines that the policy gives to the grades of the live period's start."""
    absorb_events(chain.house)
    with chain.house.database.begin() as db:
        credit.start_books(db, business_date=business_today(chain.history_end))
        graded = [(customer, grade.value) for customer, grade in grading.standings(db).items()]
        return credit.open_lines_by_grade(db, graded, now=chain.history_end)


def _watch(chain: Chain) -> Count:
    with chain.bar("grading and watching everyone") as progress:
        as_of = datetime.fromisoformat(chain.journal.kept("simulate", "live_ends_at"))
        grade_everyone(chain.house, as_of=as_of, progress=progress)
        alerts = watch_everyone(chain.house, as_of=as_of)
    absorb_events(chain.house)
    check_skew(chain.house, since=chain.history_end, until=as_of)
    return alerts


def _months_before(day: date, months: int) -> date:
    """The first of the month ``months`` before the month of ``day``."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _months_after(day: date, months: int) -> date:
    return _months_before(day, -months)
