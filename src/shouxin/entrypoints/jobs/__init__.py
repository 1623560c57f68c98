"""The jobs: what the house does by itself, on a schedule, in a worker (``shouxin work``).

Every minute holds expire and events are absorbed into what checkouts read. After midnight in the shop's zone
the business day is closed, scores of providers are refreshed where some are set up, everyone is graded
afresh by the champion and watched, and what decided is held against the history; after midnight UTC the
shop-wide features of the night are kept. Jobs lie in PostgreSQL, so a job is never lost with a process.
"""

from shouxin.entrypoints.jobs.nightly import (
    absorb_events,
    check_skew,
    close_days,
    grade_everyone,
    keep_shopwide,
    refresh_external,
    watch_everyone,
)
from shouxin.entrypoints.jobs.worker import create_worker, run_worker

__all__ = [
    "absorb_events",
    "check_skew",
    "close_days",
    "create_worker",
    "grade_everyone",
    "keep_shopwide",
    "refresh_external",
    "run_worker",
    "watch_everyone",
]
