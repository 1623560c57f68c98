"""Runs of the skew monitor: SQL in, values out."""

from __future__ import annotations

from sqlalchemy import Connection, text

from shouxin.features.skew.domain import SkewReport, report_from
from shouxin.kernel import canonical_json


def insert_run(db: Connection, report: SkewReport) -> None:
    """Keep a run for ever."""
    db.execute(
        text(
            """
            INSERT INTO features.skew_run (checked_at, since, until, features_hash, decisions, compared,
                                           unequal, unexplained, body)
            VALUES (:checked_at, :since, :until, :features_hash, :decisions, :compared, :unequal,
                    :unexplained, CAST(:body AS jsonb))
            """
        ),
        {
            "checked_at": report.checked_at,
            "since": report.since,
            "until": report.until,
            "features_hash": report.features_hash,
            "decisions": report.decisions,
            "compared": report.compared,
            "unequal": report.unequal,
            "unexplained": report.unexplained,
            "body": canonical_json(report.as_data()).decode(),
        },
    )


def latest_run(db: Connection) -> SkewReport | None:
    """The newest run, if there was any."""
    body = db.scalar(
        text("SELECT body FROM features.skew_run ORDER BY checked_at DESC, skew_run_no DESC LIMIT 1")
    )
    return None if body is None else report_from(body)
