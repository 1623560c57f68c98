"""Consent: the words of customers, the texts they agreed to, and what a source may send without."""

from alembic import op

from shouxin.database.grants import append_only_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """The ledger is a view of the event log, so there is one truth and nothing to keep in step."""
    op.execute(
        """
        CREATE INDEX event_of_consent ON ingestion.event (source, customer_ref)
            WHERE kind IN ('consent_given', 'consent_withdrawn');
        CREATE VIEW ingestion.consent_word AS
            SELECT source, source_id, customer_ref, payload ->> 'purpose' AS purpose,
                   CASE kind WHEN 'consent_given' THEN 'granted' ELSE 'withdrawn' END AS state,
                   payload ->> 'text_version' AS text_version, payload ->> 'channel' AS channel,
                   occurred_at, received_at, event_no
            FROM ingestion.event WHERE kind IN ('consent_given', 'consent_withdrawn');
        GRANT SELECT ON ingestion.consent_word TO shouxin_app;
        CREATE TABLE ingestion.consent_text (
            purpose text NOT NULL,
            text_version text NOT NULL,
            zh text NOT NULL,
            en text NOT NULL,
            valid_from timestamptz NOT NULL,
            published_by text NOT NULL,
            published_at timestamptz NOT NULL,
            PRIMARY KEY (purpose, text_version)
        );
        CREATE TABLE ingestion.consent_policy (
            policy_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            source text NOT NULL,
            body jsonb NOT NULL,
            set_by text NOT NULL,
            set_at timestamptz NOT NULL
        );
        CREATE INDEX ON ingestion.consent_policy (source, policy_no);
        -- What was left out of events for want of consent: how often, never what it was.
        CREATE TABLE ingestion.consent_left_out (
            left_out_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            source text NOT NULL,
            field text NOT NULL,
            purpose text NOT NULL,
            times int NOT NULL CHECK (times > 0),
            left_out_at timestamptz NOT NULL
        )
        """
    )
    op.execute(
        append_only_sql("ingestion.consent_text", "ingestion.consent_policy", "ingestion.consent_left_out")
    )
