"""The schema of `grading`."""

from alembic import op

from shouxin.database.grants import append_only_sql, schema_sql, updatable_sql

revision = "0006"
down_revision = "0005"

_FACTS = """
    pd double precision NOT NULL CHECK (pd BETWEEN 0 AND 1),
    score integer NOT NULL,
    grade text NOT NULL CHECK (grade IN ('S', 'A', 'B', 'C', 'D')),
    model_hash text NOT NULL,
    features_hash text NOT NULL,
    reasons jsonb NOT NULL CHECK (jsonb_typeof(reasons) = 'array')
"""


def upgrade() -> None:
    """Every grade ever assigned, and the one that each customer has now."""
    op.execute(schema_sql("grading"))
    op.execute(
        f"""
        CREATE TABLE grading.assignment (
            assignment_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer_id text NOT NULL,
            as_of timestamptz NOT NULL,
            {_FACTS},
            assigned_at timestamptz NOT NULL,
            UNIQUE (customer_id, as_of, model_hash, features_hash)
        )
        """
    )
    op.execute(append_only_sql("grading.assignment"))
    op.execute(
        f"""
        CREATE TABLE grading.standing (
            customer_id text PRIMARY KEY,
            as_of timestamptz NOT NULL,
            {_FACTS},
            since timestamptz NOT NULL CHECK (since <= as_of)
        )
        """
    )
    op.execute("CREATE INDEX standing_by_risk ON grading.standing (pd DESC, customer_id)")
    op.execute("CREATE INDEX standing_by_grade ON grading.standing (grade, pd DESC, customer_id)")
    columns = ("as_of", "pd", "score", "grade", "model_hash", "features_hash", "reasons", "since")
    op.execute(
        updatable_sql(
            "grading.standing",
            columns=columns,
            why="it follows the newest assignment, and the assignments are append-only",
        )
    )
