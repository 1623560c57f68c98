"""External credit data: calls that went out, how every enquiry ended, the breakers, and lift reports."""

from alembic import op

from shouxin.database.grants import append_only_sql, updatable_sql

revision = "0019"
down_revision = "0018"

_TABLES = """
CREATE TABLE ingestion.external_call (
    enquiry_id     text PRIMARY KEY,
    provider       text        NOT NULL,
    product        text        NOT NULL,
    source         text        NOT NULL,
    customer_ref   text        NOT NULL,
    reserved_minor bigint      NOT NULL CHECK (reserved_minor >= 0),
    currency       char(3)     NOT NULL,
    called_at      timestamptz NOT NULL
);
CREATE INDEX ON ingestion.external_call (provider, called_at);
CREATE INDEX ON ingestion.external_call (source, customer_ref, called_at);
CREATE TABLE ingestion.external_enquiry (
    enquiry_id     text PRIMARY KEY,
    provider       text        NOT NULL,
    product        text        NOT NULL,
    source         text        NOT NULL,
    customer_ref   text        NOT NULL,
    outcome        text        NOT NULL,
    cost_minor     bigint      NOT NULL CHECK (cost_minor >= 0),
    disputed_minor bigint      NOT NULL CHECK (disputed_minor >= 0),
    currency       char(3)     NOT NULL,
    attempts       smallint    NOT NULL,
    latency_ms     integer,
    answer_event   text,
    asked_at       timestamptz NOT NULL,
    ended_at       timestamptz NOT NULL
);
CREATE INDEX ON ingestion.external_enquiry (provider, asked_at);
CREATE TABLE ingestion.external_breaker (
    provider   text PRIMARY KEY,
    state      text        NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
    failures   integer     NOT NULL CHECK (failures >= 0),
    since      timestamptz NOT NULL,
    trial      text
);
CREATE TABLE reporting.lift_report (
    report_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    as_of     timestamptz NOT NULL,
    body      jsonb       NOT NULL,
    made_at   timestamptz NOT NULL
)
"""


def upgrade() -> None:
    """A call is written down before it goes out, so that money spent by a process that died is known."""
    op.execute(_TABLES)
    op.execute(
        append_only_sql("ingestion.external_call", "ingestion.external_enquiry", "reporting.lift_report")
    )
    op.execute(
        updatable_sql(
            "ingestion.external_breaker",
            columns=("state", "failures", "since", "trial"),
            why="where a breaker stands now; what moved it is in external_enquiry",
        )
    )
