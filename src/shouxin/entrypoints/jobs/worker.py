"""The worker: procrastinate on our own database, with the house open beside it."""

from __future__ import annotations

import asyncio
import logging

import procrastinate
from sqlalchemy.engine import make_url

from shouxin import credit
from shouxin.entrypoints.house import House
from shouxin.entrypoints.jobs.nightly import close_days, grade_everyone, watch_everyone

_log = logging.getLogger("shouxin.jobs")


def create_worker(house: House) -> procrastinate.App:
    """The job application of an open house: its tasks and their schedule (times in UTC)."""
    url = make_url(house.database.engine.url)
    connector = procrastinate.PsycopgConnector(
        host=url.host,
        port=url.port,
        user=url.username,
        password=url.password,
        dbname=url.database,
        options="-c search_path=jobs -c role=shouxin_app",
    )
    worker = procrastinate.App(connector=connector)

    @worker.periodic(cron="* * * * *")
    @worker.task(queueing_lock="expire_holds", name="expire_holds")
    def expire_holds(timestamp: int) -> int:
        with house.database.begin() as db:
            return credit.expire_holds(db, now=house.clock())

    # 16:05 UTC is five past midnight in Shanghai, the zone of the business date.
    @worker.periodic(cron="5 16 * * *")
    @worker.task(queueing_lock="close_day", name="close_day", retry=3)
    def close_day(timestamp: int) -> None:
        close_days(house)

    @worker.periodic(cron="30 16 * * *")
    @worker.task(queueing_lock="nightly", name="grade_and_watch", retry=3)
    def grade_and_watch(timestamp: int) -> None:
        grade_everyone(house)
        watch_everyone(house)

    return worker


def run_worker(house: House) -> None:
    """Work until interrupted."""
    worker = create_worker(house)

    async def work() -> None:
        async with worker.open_async():
            _log.info("working")
            await worker.run_worker_async(install_signal_handlers=True)

    asyncio.run(work())
