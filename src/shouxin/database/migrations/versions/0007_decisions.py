"""The schema of `decisions`: policy versions and their stages, decisions, and stored answers."""

from alembic import op

from shouxin.database.grants import append_only_sql, schema_sql

revision = "0007"
down_revision = "0006"

_POLICIES = """
CREATE TABLE decisions.policy (
    policy_hash text PRIMARY KEY,
    name text NOT NULL,
    decision_point text NOT NULL,
    body text NOT NULL,
    author text NOT NULL,
    drafted_at timestamptz NOT NULL,
    UNIQUE (policy_hash, author)
);
CREATE TABLE decisions.policy_stage (
    stage_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy_hash text NOT NULL,
    author text NOT NULL,
    stage text NOT NULL CHECK (stage IN ('draft', 'in_review', 'approved', 'live', 'retired')),
    by_operator text NOT NULL,
    approval_id text,
    maker text,
    checker text,
    at timestamptz NOT NULL,
    FOREIGN KEY (policy_hash, author) REFERENCES decisions.policy (policy_hash, author),
    CONSTRAINT approved_by_somebody CHECK (
        stage NOT IN ('approved', 'live')
        OR (approval_id IS NOT NULL AND maker IS NOT NULL AND checker IS NOT NULL)
    ),
    CONSTRAINT maker_is_not_checker CHECK (maker <> checker),
    CONSTRAINT author_is_not_approver CHECK (author <> checker),
    CONSTRAINT approval_is_used_once UNIQUE (policy_hash, stage, approval_id)
);
CREATE INDEX ON decisions.policy_stage (policy_hash, stage_no);
"""

_DECISIONS = """
CREATE TABLE decisions.decision (
    decision_id text PRIMARY KEY,
    decision_point text NOT NULL,
    customer_id text NOT NULL,
    order_ref text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('approve', 'review', 'counter_offer', 'decline')),
    amount_minor bigint NOT NULL,
    currency char(3) NOT NULL,
    score integer NOT NULL,
    pd double precision NOT NULL,
    grade text NOT NULL,
    policy_hash text NOT NULL REFERENCES decisions.policy,
    model_hash text NOT NULL,
    features_hash text NOT NULL,
    facts text NOT NULL,
    answer bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ON decisions.decision (customer_id, created_at DESC);
CREATE INDEX ON decisions.decision (created_at, outcome);
CREATE TABLE decisions.answer (
    scope text NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    status integer NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);
"""


def upgrade() -> None:
    """Everything here is append-only: a stage is a new row, a decision stands for ever."""
    op.execute(schema_sql("decisions"))
    op.execute(_POLICIES)
    op.execute(_DECISIONS)
    op.execute(
        append_only_sql(
            "decisions.policy", "decisions.policy_stage", "decisions.decision", "decisions.answer"
        )
    )
