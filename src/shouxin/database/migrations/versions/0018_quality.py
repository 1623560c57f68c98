"""What every load came to, and the desk of the quarantine."""

from alembic import op

from shouxin.database.grants import append_only_sql

revision = "0018"
down_revision = "0016"

# Nobody can write a count that does not add up: this is how "nothing is silently dropped" is held.
_LOAD_COUNT = """
CREATE TABLE ingestion.load_count (
    load_count_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source        text        NOT NULL,
    adapter       text        NOT NULL,
    counted_at    timestamptz NOT NULL,
    read          bigint      NOT NULL CHECK (read > 0),
    accepted      bigint      NOT NULL CHECK (accepted >= 0),
    duplicates    bigint      NOT NULL CHECK (duplicates >= 0),
    quarantined   bigint      NOT NULL CHECK (quarantined >= 0),
    kept          bigint      NOT NULL CHECK (kept BETWEEN 0 AND quarantined),
    findings      jsonb       NOT NULL,
    flawed        jsonb       NOT NULL,
    newest_at     timestamptz,
    CHECK (read = accepted + duplicates + quarantined)
);
CREATE INDEX load_count_by_time ON ingestion.load_count (counted_at)
"""

# The row as it came is never changed; a repair stands beside it, and the last one is what is tried next.
_DESK = """
CREATE TABLE ingestion.quarantine_repair (
    repair_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quarantine_no bigint      NOT NULL REFERENCES ingestion.quarantine,
    changed       text[]      NOT NULL CHECK (cardinality(changed) > 0),
    field         text        NOT NULL,
    reason        text        NOT NULL,
    subject       text        NOT NULL,
    sealed        bytea       NOT NULL,
    repaired_by   text        NOT NULL,
    why           text        NOT NULL CHECK (why <> ''),
    repaired_at   timestamptz NOT NULL
);
CREATE INDEX quarantine_repair_of_row ON ingestion.quarantine_repair (quarantine_no, repair_no);
CREATE INDEX quarantine_by_reason ON ingestion.quarantine (reason);
CREATE INDEX quarantine_by_adapter ON ingestion.quarantine (adapter);
ALTER TABLE ingestion.quarantine_release
    DROP CONSTRAINT quarantine_release_outcome_check,
    ADD COLUMN released_by text,
    ADD COLUMN why text,
    ADD CONSTRAINT quarantine_release_outcome_check CHECK (outcome IN ('accepted', 'duplicate', 'discarded')),
    ADD CONSTRAINT discarded_for_a_reason
        CHECK (outcome <> 'discarded' OR (released_by IS NOT NULL AND why IS NOT NULL AND why <> ''));
CREATE VIEW ingestion.quarantine_today AS
    SELECT q.quarantine_no, q.source, q.adapter, q.place, q.received_at,
           -- A repair after which nothing was wrong has no reason; what was wrong is told then.
           CASE WHEN r.reason <> '' THEN r.field ELSE q.field END AS field,
           coalesce(nullif(r.reason, ''), q.reason) AS reason,
           coalesce(r.subject, q.subject) AS subject, coalesce(r.sealed, q.sealed) AS sealed,
           coalesce(r.repairs, 0) AS repairs, e.outcome, e.released_at, e.released_by, e.why
    FROM ingestion.quarantine q
    LEFT JOIN (
        SELECT DISTINCT ON (quarantine_no) quarantine_no, field, reason, subject, sealed,
               count(*) OVER (PARTITION BY quarantine_no) AS repairs
        FROM ingestion.quarantine_repair ORDER BY quarantine_no, repair_no DESC
    ) AS r USING (quarantine_no)
    LEFT JOIN ingestion.quarantine_release e USING (quarantine_no)
"""


def upgrade() -> None:
    """Append-only: what was counted, repaired or discarded stays so."""
    op.execute(_LOAD_COUNT)
    op.execute(_DESK)
    op.execute(append_only_sql("ingestion.load_count", "ingestion.quarantine_repair"))
    op.execute("GRANT SELECT ON ingestion.quarantine_today TO shouxin_app")
