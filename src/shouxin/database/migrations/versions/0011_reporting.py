"""The schema of `reporting`."""

from alembic import op

from shouxin.database.grants import schema_sql, updatable_sql

revision = "0011"
down_revision = "0010"

_TABLES = """
CREATE TABLE reporting.day_metrics (
    day date NOT NULL,
    currency char(3) NOT NULL,
    exposure bigint NOT NULL,
    held bigint NOT NULL,
    credit_limit bigint NOT NULL,
    overdue_m1 bigint NOT NULL,
    overdue_m2 bigint NOT NULL,
    overdue_m3 bigint NOT NULL,
    overdue_m3_plus bigint NOT NULL,
    expected_loss bigint NOT NULL,
    open_alerts integer NOT NULL,
    open_cases integer NOT NULL,
    grades jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (day, currency)
);
-- The search box of the customer page: any source's reference, without naming the source.
CREATE INDEX link_by_reference ON identity.link (customer_ref);
"""


def upgrade() -> None:
    """One row a business day."""
    op.execute(schema_sql("reporting"))
    op.execute(_TABLES)
    op.execute(
        updatable_sql(
            "reporting.day_metrics",
            columns=(
                "exposure", "held", "credit_limit", "overdue_m1", "overdue_m2", "overdue_m3",
                "overdue_m3_plus", "expected_loss", "open_alerts", "open_cases", "grades", "recorded_at",
            ),
            why="the figures of a day that is recorded again replace the earlier ones; they are derived",
        )
    )  # fmt: skip
