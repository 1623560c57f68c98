"""The schema of `features`: what is kept of each reference, so that a checkout need not read its history."""

from alembic import op

from shouxin.database.grants import append_only_sql, removable_sql, updatable_sql
from shouxin.database.supervisor import APP_ROLE

revision = "0020"
down_revision = "0019"

# Newer events of one reference are found by their number, whenever they happened.
_EVENT_INDEX = "CREATE INDEX event_of_customer_by_no ON ingestion.event (source, customer_ref, event_no)"

_STATE = """
CREATE TABLE features.state (
    source       text   NOT NULL,
    customer_ref text   NOT NULL,
    layout_hash  text   NOT NULL,
    position     bigint NOT NULL CHECK (position > 0),
    facts        bytea  NOT NULL,
    PRIMARY KEY (source, customer_ref)
);
CREATE TABLE features.state_progress (
    layout_hash text PRIMARY KEY,
    position    bigint NOT NULL CHECK (position >= 0)
)
"""

_SKEW = """
CREATE TABLE features.skew_run (
    skew_run_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checked_at   timestamptz NOT NULL,
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL CHECK (until > since),
    features_hash text        NOT NULL,
    decisions    bigint      NOT NULL CHECK (decisions >= 0),
    compared     bigint      NOT NULL CHECK (compared >= 0),
    unequal      bigint      NOT NULL CHECK (unequal BETWEEN 0 AND compared),
    unexplained  bigint      NOT NULL CHECK (unexplained BETWEEN 0 AND unequal),
    body         jsonb       NOT NULL
);
CREATE INDEX skew_run_by_time ON features.skew_run (checked_at DESC)
"""


def upgrade() -> None:
    """State is derived from the log and made anew from it; a run of the skew monitor stands for ever."""
    op.execute(f"CREATE SCHEMA IF NOT EXISTS features; GRANT USAGE ON SCHEMA features TO {APP_ROLE}")
    op.execute(_EVENT_INDEX)
    op.execute(_STATE)
    op.execute(_SKEW)
    op.execute(
        removable_sql(
            "features.state",
            why="derived from the event log: grows with it, is made anew from it, and goes with an erasure",
        )
    )
    op.execute(
        updatable_sql("features.state_progress", columns=["position"], why="how far the log was absorbed")
    )
    op.execute(append_only_sql("features.skew_run"))
