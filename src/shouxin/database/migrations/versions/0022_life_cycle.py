"""The life cycle of models: challengers, gates, shadow scores, measurements of the monitor, and feedback."""

from alembic import op

from shouxin.database.grants import append_only_sql

revision = "0022"
down_revision = "0021"

_STAGES = """
ALTER TABLE scoring.stage DROP CONSTRAINT stage_stage_check;
ALTER TABLE scoring.stage DROP CONSTRAINT stage_check1;
ALTER TABLE scoring.stage ADD CONSTRAINT stage_is_known
    CHECK (stage IN ('candidate', 'challenger', 'champion', 'retired'));
-- Only what decides needs a second person: a challenger is watched, and a withdrawn model does nothing.
ALTER TABLE scoring.stage ADD CONSTRAINT stage_has_its_people CHECK (
    CASE stage
        WHEN 'candidate' THEN num_nonnulls(approval_id, maker, checker, reason) = 0
        WHEN 'challenger' THEN num_nonnulls(maker, reason) = 2 AND num_nonnulls(approval_id, checker) = 0
        WHEN 'champion' THEN num_nonnulls(approval_id, maker, checker, reason) = 4
        ELSE num_nonnulls(maker, reason) = 2 AND num_nonnulls(approval_id, checker) IN (0, 2)
    END
);
"""

_TABLES = """
CREATE TABLE scoring.gate_run (
    run_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_hash text        NOT NULL REFERENCES scoring.model,
    gates      jsonb       NOT NULL CHECK (jsonb_typeof(gates) = 'array'),
    is_open    boolean     NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX ON scoring.gate_run (model_hash, run_no DESC);
CREATE TABLE scoring.shadow (
    decision_id text        NOT NULL,
    model_hash  text        NOT NULL REFERENCES scoring.model,
    points      integer     NOT NULL,
    pd          double precision NOT NULL CHECK (pd BETWEEN 0 AND 1),
    decided_at  timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (model_hash, decision_id)
);
CREATE INDEX ON scoring.shadow (model_hash, decided_at);
CREATE TABLE scoring.monitoring (
    run_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_hash text        NOT NULL REFERENCES scoring.model,
    as_of      timestamptz NOT NULL,
    verdict    text        NOT NULL CHECK (verdict IN ('stable', 'watch', 'act', 'too_few')),
    body       jsonb       NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX ON scoring.monitoring (model_hash, as_of DESC, run_no DESC);
CREATE TABLE scoring.feedback (
    feedback_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('label', 'override', 'appeal')),
    customer_id text        NOT NULL,
    as_of       timestamptz NOT NULL,
    said        text        NOT NULL,
    decision_id text,
    reason      text        NOT NULL CHECK (reason <> ''),
    by_operator text        NOT NULL,
    at          timestamptz NOT NULL,
    CONSTRAINT said_fits_its_kind CHECK (
        CASE kind
            WHEN 'label' THEN said IN ('event', 'non_event')
            WHEN 'override' THEN said IN ('S', 'A', 'B', 'C', 'D', 'approve', 'decline')
            ELSE said IN ('upheld', 'rejected')
        END
    )
);
CREATE INDEX ON scoring.feedback (customer_id, feedback_no);
"""


def upgrade() -> None:
    """Everything is append-only: what a gate or the monitor said once stays said."""
    op.execute(_STAGES)
    op.execute(_TABLES)
    op.execute(
        append_only_sql("scoring.gate_run", "scoring.shadow", "scoring.monitoring", "scoring.feedback")
    )
