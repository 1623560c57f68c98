"""The schema of `cases`."""

from alembic import op

from shouxin.database.grants import append_only_sql, schema_sql, updatable_sql

revision = "0010"
down_revision = "0009"

_TABLES = """
CREATE TABLE cases.case_file (
    case_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL,
    origin text NOT NULL CHECK (origin ~ '^(manual|alert:[0-9]+|decision:.+)$'),
    title text NOT NULL CHECK (title <> ''),
    severity smallint NOT NULL CHECK (severity IN (1, 2, 4, 8)),
    state text NOT NULL CHECK (state IN ('open', 'investigating', 'waiting', 'closed')),
    assignee text,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    outcome text CHECK (outcome IN ('confirmed_risk', 'false_positive', 'valuable_alert', 'no_action')),
    closed_at timestamptz,
    CHECK ((state = 'closed') = (outcome IS NOT NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);
-- One unfinished case for each alert or decision; cases opened by hand may be many.
CREATE UNIQUE INDEX case_of_origin ON cases.case_file (origin) WHERE state <> 'closed' AND origin <> 'manual';
CREATE INDEX case_of_customer ON cases.case_file (customer_id, case_no DESC);
CREATE INDEX case_queue ON cases.case_file (due_at, case_no) WHERE state <> 'closed';
CREATE INDEX case_by_time ON cases.case_file (opened_at DESC, case_no DESC);

CREATE TABLE cases.case_event (
    case_event_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_no bigint NOT NULL REFERENCES cases.case_file,
    at timestamptz NOT NULL,
    who text NOT NULL,
    what text NOT NULL CHECK (what IN ('opened', 'assigned', 'noted', 'moved', 'closed', 'reopened')),
    detail text NOT NULL,
    from_state text,
    to_state text NOT NULL
);
CREATE INDEX event_of_case ON cases.case_event (case_no, case_event_no);
"""


def upgrade() -> None:
    """The timeline is append-only; a case's row is where it stands now."""
    op.execute(schema_sql("cases"))
    op.execute(_TABLES)
    op.execute(append_only_sql("cases.case_event"))
    op.execute(
        updatable_sql(
            "cases.case_file",
            columns=("state", "assignee", "due_at", "outcome", "closed_at"),
            why="the row is where the case stands now; how it got there is in case_event",
        )
    )
