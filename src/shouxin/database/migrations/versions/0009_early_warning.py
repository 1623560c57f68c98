"""The schema of `early_warning`."""

from alembic import op

from shouxin.database.grants import append_only_sql, schema_sql, updatable_sql

revision = "0009"
down_revision = "0008"

_TABLES = """
CREATE TABLE early_warning.alert (
    alert_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL,
    indicator text NOT NULL,
    severity smallint NOT NULL CHECK (severity IN (1, 2, 4, 8)),
    measured double precision NOT NULL,
    threshold double precision NOT NULL,
    confidence double precision NOT NULL CHECK (confidence > 0 AND confidence <= 1),
    exposure_minor bigint NOT NULL,
    currency char(3) NOT NULL,
    days_past_due integer NOT NULL,
    grade text,
    priority bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('new', 'triaged', 'actioned', 'dismissed', 'outcome_known')),
    assignee text,
    outcome text CHECK (outcome IN ('confirmed_risk', 'valuable_alert', 'false_positive', 'no_action')),
    raised_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CHECK ((state = 'outcome_known') = (outcome IS NOT NULL))
);
-- The database keeps the promise too: one open alert for each customer and indicator.
CREATE UNIQUE INDEX alert_open_once ON early_warning.alert (customer_id, indicator)
    WHERE state IN ('new', 'triaged');
CREATE INDEX alert_of_customer ON early_warning.alert (customer_id, indicator, alert_no DESC);
CREATE INDEX alert_open_queue ON early_warning.alert (priority DESC, alert_no DESC)
    WHERE state IN ('new', 'triaged');
CREATE INDEX alert_by_priority ON early_warning.alert (priority DESC, alert_no DESC);
CREATE INDEX alert_by_time ON early_warning.alert (raised_at DESC, alert_no DESC);

CREATE TABLE early_warning.signal (
    signal_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_no bigint NOT NULL REFERENCES early_warning.alert,
    customer_id text NOT NULL,
    indicator text NOT NULL,
    severity smallint NOT NULL CHECK (severity IN (1, 2, 4, 8)),
    measured double precision NOT NULL,
    threshold double precision NOT NULL,
    confidence double precision NOT NULL,
    detected_at timestamptz NOT NULL
);
CREATE INDEX signal_of_alert ON early_warning.signal (alert_no);

CREATE TABLE early_warning.alert_event (
    alert_event_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_no bigint NOT NULL REFERENCES early_warning.alert,
    at timestamptz NOT NULL,
    who text NOT NULL,
    what text NOT NULL,
    why text NOT NULL,
    from_state text,
    to_state text NOT NULL
);
CREATE INDEX event_of_alert ON early_warning.alert_event (alert_no, alert_event_no);
"""


def upgrade() -> None:
    """Signals and what happened to alerts are append-only; an alert's row is where it stands now."""
    op.execute(schema_sql("early_warning"))
    op.execute(_TABLES)
    op.execute(append_only_sql("early_warning.signal", "early_warning.alert_event"))
    op.execute(
        updatable_sql(
            "early_warning.alert",
            columns=(
                "severity", "measured", "threshold", "confidence", "exposure_minor", "days_past_due", "grade",
                "priority", "state", "assignee", "outcome", "changed_at",
            ),
            why="the row is where the alert stands now; how it got there is in signal and alert_event",
        )
    )  # fmt: skip
