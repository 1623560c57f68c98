"""The worker: each job done for real, days caught up after an absence, an end without a word."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from conftest import NOW
from scenarios.furnished import furnish, own_house
from shouxin import credit, identity
from shouxin.credit import CheckoutRequest
from shouxin.entrypoints.jobs import close_days, create_worker
from shouxin.features import shopwide
from shouxin.kernel import Money, frozen_clock

DAY = date(2026, 3, 2)  # NOW in Shanghai
TASKS = {
    "absorb_events",
    "expire_holds",
    "close_day",
    "refresh_external",
    "grade_and_watch",
    "watch_models",
    "keep_shopwide",
    "take_up_stalled",
}


@pytest.fixture(scope="module")
def furnished(database):
    with own_house(database, "worked") as house:
        with house.database.begin() as db:
            furnish(db, now=NOW, day=DAY)
        yield house


def later(house, **more):
    return replace(house, clock=frozen_clock(NOW + timedelta(**more)))


def one_round(house, *names):
    """Defer jobs and work until none is left; returns the names of jobs that did not succeed.

    The schedule is out: whatever the clock on the wall says, only what is named here is done.
    """

    async def work():
        worker = create_worker(house)
        worker.periodic_registry.periodic_tasks.clear()
        async with worker.open_async():
            for name in names:
                await worker.configure_task(name).defer_async(timestamp=0)
            await worker.run_worker_async(wait=False, install_signal_handlers=False)
            jobs = await worker.job_manager.list_jobs_async()
            return {job.task_name for job in jobs if job.status != "succeeded"}

    return asyncio.run(work())


def test_the_schedule_names_every_task(furnished):
    worker = create_worker(furnished)
    scheduled = {task.task.name for task in worker.periodic_registry.periodic_tasks.values()}
    assert scheduled == TASKS


def test_a_hold_expires_by_itself_and_its_amount_is_free_again(furnished):
    house = later(furnished, days=8)
    with house.database.begin() as db:
        request = CheckoutRequest(customer_ref="C000", order_id="O1", amount=Money(9_000, "CNY"))
        answer = credit.decide(db, request, now=NOW, business_date=DAY)
    assert answer.hold_id is not None
    assert one_round(house, "expire_holds") == set()
    with house.database.begin() as db:
        assert credit.find_hold(db, answer.hold_id).state == "expired"
        assert credit.line_of(db, answer.customer_id).held == Money.zero("CNY")


def test_days_that_nobody_closed_are_caught_up_one_by_one(furnished):
    house = later(furnished, days=10)
    with house.database.begin() as db:
        before = credit.current_business_date(db)
    assert one_round(house, "close_day") == set()
    with house.database.begin() as db:
        assert credit.current_business_date(db) == DAY + timedelta(days=10) > before
        closed = db.execute(text("SELECT business_date FROM credit.day_close ORDER BY 1")).scalars().all()
        recorded = db.execute(text("SELECT count(*) FROM reporting.day_metrics")).scalar_one()
    assert closed[-10:] == [DAY + timedelta(days=n) for n in range(10)]
    assert recorded >= 10
    assert close_days(house) == 0


def test_everyone_is_graded_and_watched_at_night(furnished):
    house = later(furnished, days=10, hours=1)
    assert one_round(house, "grade_and_watch") == set()
    with house.database.begin() as db:
        assert db.execute(text("SELECT count(*) FROM grading.standing")).scalar_one() == 8


def test_the_night_goes_on_without_providers_and_with_settings_that_are_not_right(furnished):
    house = later(furnished, days=10, hours=1)
    assert one_round(house, "refresh_external") == set()
    settings = house.home.path / "providers.toml"
    settings.write_text("provider = 7")
    try:
        assert one_round(house, "refresh_external", "grade_and_watch") == set()
    finally:
        settings.unlink()


def test_the_job_of_a_killed_worker_is_taken_up_again(furnished):
    house = later(furnished, days=11)

    async def half_done():
        worker = create_worker(house)
        async with worker.open_async():
            await worker.configure_task("expire_holds").defer_async(timestamp=0)

    asyncio.run(half_done())
    # What a kill -9 leaves: the job is being done by a worker whose heart stopped an hour ago.
    with house.database.begin() as db:
        db.execute(text("SET LOCAL search_path TO jobs"))
        dead = db.execute(
            text(
                "INSERT INTO jobs.procrastinate_workers (last_heartbeat) "
                "VALUES (now() - interval '1 hour') RETURNING id"
            )
        ).scalar_one()
        job = db.execute(
            text(
                "UPDATE jobs.procrastinate_jobs SET status = 'doing', worker_id = :dead "
                "WHERE task_name = 'expire_holds' AND status = 'todo' RETURNING id"
            ),
            {"dead": dead},
        ).scalar_one()
    assert one_round(house, "take_up_stalled") == set()
    with house.database.begin() as db:
        sql = text("SELECT status::text FROM jobs.procrastinate_jobs WHERE id = :id")
        assert db.execute(sql, {"id": job}).scalar_one() == "succeeded"


def test_the_shopwide_features_of_the_night_are_kept(furnished):
    house = later(furnished, days=12)
    assert one_round(house, "keep_shopwide") == set()
    night = house.clock().date()
    with house.database.begin() as db:
        kept = db.execute(text("SELECT night, customers FROM features.shopwide_night")).all()
        customer = identity.find_customer(db, source="shop", customer_ref="C001")
        told = shopwide.shopwide_at(db, customer, as_of=house.clock())
    assert kept == [(night, 8)]
    assert told["component_customers"] == 1 and told["linked_customers"] == 0
