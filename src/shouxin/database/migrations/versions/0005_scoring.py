"""The schema of `scoring`: which models there are, and what became of each."""

from alembic import op

from shouxin.database.grants import append_only_sql, schema_sql
from shouxin.database.supervisor import APP_ROLE

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Models and their stages, both append-only; `standing` shows the newest stage of each."""
    op.execute(schema_sql("scoring"))
    op.execute(
        """
        CREATE TABLE scoring.model (
            model_hash text PRIMARY KEY CHECK (model_hash ~ '^sha256:[0-9a-f]{64}$'),
            name text NOT NULL CHECK (name <> ''),
            model text NOT NULL,
            outcome text NOT NULL,
            document bytea NOT NULL,
            report jsonb NOT NULL,
            registered_at timestamptz NOT NULL
        );
        CREATE TABLE scoring.stage (
            stage_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            model_hash text NOT NULL REFERENCES scoring.model,
            stage text NOT NULL CHECK (stage IN ('candidate', 'champion', 'retired')),
            approval_id text,
            maker text,
            checker text,
            reason text,
            at timestamptz NOT NULL,
            -- Author is not approver, and only a candidate comes without an approval.
            CHECK (maker <> checker),
            CHECK (
                (stage = 'candidate') = (num_nonnulls(approval_id, maker, checker, reason) = 0)
                AND num_nonnulls(approval_id, maker, checker, reason) IN (0, 4)
            )
        );
        CREATE INDEX stage_of_model ON scoring.stage (model_hash, stage_no DESC);
        CREATE UNIQUE INDEX stage_one_use ON scoring.stage (approval_id) WHERE stage = 'champion';
        CREATE VIEW scoring.standing AS
            SELECT DISTINCT ON (model_hash) model_hash, stage_no, stage, at, maker, checker
            FROM scoring.stage ORDER BY model_hash, stage_no DESC;
        """
    )
    op.execute(append_only_sql("scoring.model", "scoring.stage"))
    op.execute(f"GRANT SELECT ON scoring.standing TO {APP_ROLE}")
