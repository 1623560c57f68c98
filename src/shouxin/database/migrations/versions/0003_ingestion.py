"""The schema of `ingestion`: the event log, the sealed personal values, and the quarantine."""

from alembic import op

from shouxin.database.grants import append_only_sql, schema_sql

revision = "0003"
down_revision = "0002"

_EVENT = """
CREATE TABLE ingestion.event (
    event_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text        NOT NULL,
    source_id    text        NOT NULL,
    kind         text        NOT NULL,
    version      smallint    NOT NULL,
    customer_ref text        NOT NULL,
    occurred_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    order_ref    text,
    amount_minor bigint CHECK (amount_minor >= 0),
    currency     char(3),
    payload      jsonb       NOT NULL,
    UNIQUE (source, source_id),
    CHECK ((amount_minor IS NULL) = (currency IS NULL))
);
CREATE INDEX event_of_customer ON ingestion.event (source, customer_ref, occurred_at)
"""

_PERSONAL = """
CREATE TABLE ingestion.personal (
    personal_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text        NOT NULL,
    customer_ref text        NOT NULL,
    source_id    text        NOT NULL,
    field        text        NOT NULL,
    token        text        NOT NULL,
    sealed       bytea,
    verified     boolean     NOT NULL,
    occurred_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    UNIQUE (source, source_id, field),
    FOREIGN KEY (source, source_id) REFERENCES ingestion.event (source, source_id)
);
CREATE INDEX personal_of_customer ON ingestion.personal (source, customer_ref);
CREATE INDEX personal_by_token ON ingestion.personal (field, token)
"""

# What a refused row held is sealed for `subject`; the fingerprint is keyed, so it can not be guessed back.
_QUARANTINE = """
CREATE TABLE ingestion.quarantine (
    quarantine_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source        text        NOT NULL,
    fingerprint   text        NOT NULL,
    adapter       text        NOT NULL,
    field         text        NOT NULL,
    reason        text        NOT NULL,
    place         text        NOT NULL,
    subject       text        NOT NULL,
    sealed        bytea       NOT NULL,
    received_at   timestamptz NOT NULL,
    UNIQUE (source, fingerprint)
);
CREATE TABLE ingestion.quarantine_release (
    quarantine_no bigint PRIMARY KEY REFERENCES ingestion.quarantine,
    outcome       text        NOT NULL CHECK (outcome IN ('accepted', 'duplicate')),
    released_at   timestamptz NOT NULL
)
"""


def upgrade() -> None:
    """Everything here is append-only: a refused row that is taken later gets a release beside it."""
    op.execute(schema_sql("ingestion"))
    op.execute(_EVENT)
    op.execute(_PERSONAL)
    op.execute(_QUARANTINE)
    op.execute(
        append_only_sql(
            "ingestion.event", "ingestion.personal", "ingestion.quarantine", "ingestion.quarantine_release"
        )
    )
