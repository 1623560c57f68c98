"""The jobs: what the house does by itself, on a schedule, in a worker (``shouxin work``).

Holds expire every minute; after midnight in the shop's zone the business day is closed, scores of
providers are refreshed where some are set up, and everyone is graded afresh by the champion and
watched; after midnight UTC the shop-wide features of the night are kept. Jobs lie in PostgreSQL, so a job
is never lost with a process.
"""

from shouxin.entrypoints.jobs.nightly import (
    close_days,
    grade_everyone,
    keep_shopwide,
    refresh_external,
    watch_everyone,
)
from shouxin.entrypoints.jobs.worker import create_worker, run_worker

__all__ = [
    "close_days",
    "create_worker",
    "grade_everyone",
    "keep_shopwide",
    "refresh_external",
    "run_worker",
    "watch_everyone",
]
