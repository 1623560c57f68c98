"""The worker: procrastinate on our own database, with the house open beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time

import procrastinate
import psycopg
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from shouxin import credit, features, scoring
from shouxin.entrypoints.house import House
from shouxin.entrypoints.jobs.nightly import (
    absorb_events,
    check_skew,
    close_days,
    grade_everyone,
    keep_shopwide,
    monitor_models,
    refresh_external,
    retrain_when_due,
    shadow_challengers,
    watch_everyone,
)
from shouxin.entrypoints.providers import UnableToReadProviders
from shouxin.features import SkewReport, shopwide
from shouxin.ingestion import UnableToSettle

_log = logging.getLogger("shouxin.jobs")

# One for the nightly work, one to absorb a long load, one so that holds expire meanwhile.
_CONCURRENCY = 3
_RETRY_SECONDS = 1.0
# What is done at night is done one after the other, whichever worker does it.
_NIGHT = "night"


def create_worker(house: House) -> procrastinate.App:
    """The job application of an open house: its tasks and their schedule (times in UTC)."""
    worker = procrastinate.App(connector=_connector(house))
    _schedule_minutes(worker, house)
    _schedule_nights(worker, house)
    return worker


def _schedule_minutes(worker: procrastinate.App, house: House) -> None:
    """What is done all day long."""

    @worker.periodic(cron="* * * * *")
    @worker.task(queueing_lock="expire_holds", name="expire_holds")
    def expire_holds(timestamp: int) -> int:
        with house.database.begin() as db:
            return credit.expire_holds(db, now=house.clock())

    @worker.periodic(cron="* * * * *")
    @worker.task(queueing_lock="absorb_events", name="absorb_events")
    def absorb(timestamp: int) -> None:
        _try_to_absorb(house)

    # A worker that was killed leaves its job half done; every job may be done again.
    @worker.periodic(cron="*/5 * * * *")
    @worker.task(queueing_lock="take_up_stalled", name="take_up_stalled")
    async def take_up_stalled(timestamp: int) -> None:
        for job in await worker.job_manager.get_stalled_jobs():
            await worker.job_manager.retry_job(job)


def _schedule_nights(worker: procrastinate.App, house: House) -> None:
    """What is done once a day, one after the other."""

    # 16:05 UTC is five past midnight in Shanghai, the zone of the business date.
    @worker.periodic(cron="5 16 * * *")
    @worker.task(queueing_lock="close_day", name="close_day", lock=_NIGHT, retry=3)
    def close_day(timestamp: int) -> None:
        close_days(house)

    @worker.periodic(cron="10 16 * * *")
    @worker.task(queueing_lock="refresh_external", name="refresh_external", lock=_NIGHT, retry=3)
    def refresh_external_data(timestamp: int) -> None:
        _try_to_refresh(house)

    @worker.periodic(cron="30 16 * * *")
    @worker.task(queueing_lock="grade_and_watch", name="grade_and_watch", lock=_NIGHT, retry=3)
    def grade_and_watch(timestamp: int) -> None:
        grade_everyone(house)
        watch_everyone(house)
        _tell_of_skew(check_skew(house))

    # Shop-wide features stand for midnight UTC and are read from two hours after it.
    @worker.periodic(cron="5 0 * * *")
    @worker.task(queueing_lock="keep_shopwide", name="keep_shopwide", lock=_NIGHT, retry=3)
    def keep_shopwide_features(timestamp: int) -> None:
        _try_to_keep(house)

    @worker.periodic(cron="15 17 * * *")
    @worker.task(queueing_lock="watch_models", name="watch_models", lock=_NIGHT, retry=3)
    def watch_models(timestamp: int) -> None:
        shadow_challengers(house)
        for look in monitor_models(house):
            _log.info("model %s: %s", look.model_hash[:19], look.verdict.value)
        _try_to_retrain(house)


def _try_to_absorb(house: House) -> None:
    """Nothing waits for it: until then whoever asks reads what is newer in the log."""
    try:
        absorb_events(house)
    except UnableToSettle as error:
        _log.info("nothing was absorbed this minute: %s", error)


def _tell_of_skew(report: SkewReport) -> None:
    level = logging.INFO if report.is_good else logging.ERROR
    told = "skew: %d values of %d decisions, %d unequal, %d of them unexplained"
    _log.log(level, told, report.compared, report.decisions, report.unequal, report.unexplained)


def _try_to_refresh(house: House) -> None:
    """The house works without what others know: settings that are not right must not stop the night."""
    try:
        for product, ended in refresh_external(house).items():
            counts = ", ".join(f"{outcome.value} {number}" for outcome, number in sorted(ended.items()))
            _log.info("%s: %s", product, counts)
    except UnableToReadProviders as error:
        _log.error("external data was not refreshed: %s", error)


def _try_to_keep(house: House) -> None:
    """A shop without events yet has nothing to keep; a night that was missed is told, and stays missing."""
    try:
        keep_shopwide(house)
    except features.UnableToReadHistory as error:
        _log.warning("shop-wide features were not kept: %s", error)
    with house.database.begin() as db:
        missed = shopwide.nights_missing(db, as_of=house.clock())
    if missed:
        _log.error("shop-wide features are missing for the nights of %s", ", ".join(map(str, missed)))


def _try_to_retrain(house: House) -> None:
    """A history that can not give a model is news for the log, not a reason to do the night again."""
    try:
        candidate = retrain_when_due(house)
    except (features.UnableToLabel, features.UnableToReadHistory, scoring.UnableToTrain) as error:
        _log.error("no model was trained: %s", error)
        return
    if candidate:
        _log.info("trained %s; gates %s", candidate.artefact.hash, "open" if candidate.passed else "shut")


class _OneLine(logging.Filter):
    """A lost connection is told in one line: the traceback of a library says nothing more."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], ConnectorException):
            record.exc_info = None
        return True


def run_worker(house: House) -> None:
    """Work until interrupted (Ctrl-C or SIGTERM): the job in hand is finished first."""
    for name in ("manager", "periodic", "utils", "worker", "worker.worker"):
        logging.getLogger(f"procrastinate.{name}").addFilter(_OneLine())
    asyncio.run(_work_until_interrupted(house))


async def _work_until_interrupted(house: House) -> None:
    working = asyncio.create_task(_work(house))
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wanted, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _work(house: House) -> None:
    """Work, and start again when the database was away: a worker ends when it loses its connection."""
    while True:
        worker = create_worker(house)
        try:
            async with worker.open_async():
                await _catch_up(worker)
                await worker.run_worker_async(
                    concurrency=_CONCURRENCY, install_signal_handlers=False, delete_jobs="successful"
                )
        except (ConnectorException, psycopg.Error) as error:
            _log.warning("the database does not answer (%s); trying again", type(error).__name__)
        await asyncio.sleep(_RETRY_SECONDS)


async def _catch_up(worker: procrastinate.App) -> None:
    """Midnight may have passed while nobody worked."""
    for name in ("close_day", "keep_shopwide"):
        with contextlib.suppress(AlreadyEnqueued):
            await worker.configure_task(name).defer_async(timestamp=int(time.time()))


def _connector(house: House) -> procrastinate.PsycopgConnector:
    url = house.database.url.set(drivername="postgresql")
    return procrastinate.PsycopgConnector(
        conninfo=url.render_as_string(hide_password=False),
        kwargs={"options": "-c search_path=jobs -c role=shouxin_app"},
    )
