"""Registrations and one-time codes."""

from alembic import op

from shouxin.database.grants import append_only_sql, removable_sql, updatable_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Codes that were sent (hashed), registers that were asked, challenges that were used."""
    op.execute(
        """
        CREATE TABLE ingestion.verification_code (
            verification_id text PRIMARY KEY,
            source text NOT NULL,
            customer_ref text NOT NULL,
            field text NOT NULL CHECK (field IN ('phone', 'email')),
            token text NOT NULL,
            code_hash text NOT NULL,
            sent_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            attempts int NOT NULL DEFAULT 0,
            closed_at timestamptz
        );
        CREATE INDEX ON ingestion.verification_code (token, sent_at);
        CREATE TABLE ingestion.real_name_check (
            check_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            source text NOT NULL,
            customer_ref text NOT NULL,
            provider text NOT NULL,
            answer text NOT NULL CHECK (answer IN ('agrees', 'differs', 'unknown')),
            asked_at timestamptz NOT NULL
        );
        CREATE INDEX ON ingestion.real_name_check (source, customer_ref, asked_at);
        CREATE TABLE ingestion.challenge_spent (
            challenge_hash text PRIMARY KEY,
            spent_at timestamptz NOT NULL
        );
        CREATE INDEX ON ingestion.challenge_spent (spent_at)
        """
    )
    op.execute(append_only_sql("ingestion.real_name_check"))
    op.execute(
        updatable_sql(
            "ingestion.verification_code",
            columns=("attempts", "closed_at"),
            why="each try is counted and a code ends; what was proved is an event of the customer",
        )
    )
    op.execute(removable_sql("ingestion.challenge_spent", why="a challenge ends by itself after ten minutes"))
