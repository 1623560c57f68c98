"""Shop-wide features night by night, and the documents of risk patterns they name."""

from alembic import op

from shouxin.database.grants import append_only_sql
from shouxin.database.supervisor import APP_ROLE

revision = "0021"
down_revision = "0020"

# A row stands until the next one: most customers' numbers are the same for weeks. Values are in the order of
# the names of the night; a row without values says that nothing is known of the customer any more.
_SHOPWIDE = """
CREATE TABLE features.pattern_document (
    document_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_hash text        NOT NULL CHECK (document_hash ~ '^sha256:[0-9a-f]{64}$'),
    month         date        NOT NULL CHECK (extract(day FROM month) = 1),
    body          jsonb       NOT NULL,
    kept_at       timestamptz NOT NULL,
    UNIQUE (month, document_hash)
);
CREATE TABLE features.shopwide_night (
    night         date        NOT NULL,
    version       text        NOT NULL CHECK (version ~ '^sha256:[0-9a-f]{64}$'),
    names         text[]      NOT NULL CHECK (cardinality(names) > 0),
    document_hash text,
    customers     bigint      NOT NULL CHECK (customers >= 0),
    changed       bigint      NOT NULL CHECK (changed >= 0),
    kept_at       timestamptz NOT NULL,
    PRIMARY KEY (version, night)
);
CREATE TABLE features.shopwide (
    customer_id text NOT NULL,
    version     text NOT NULL,
    night       date NOT NULL,
    values      double precision[],
    pattern     text,
    PRIMARY KEY (customer_id, version, night),
    -- The night is written last: it says how many rows it changed.
    FOREIGN KEY (version, night) REFERENCES features.shopwide_night DEFERRABLE INITIALLY DEFERRED
)
"""


def upgrade() -> None:
    """Append-only: what a night said is what a decision of that day was made with."""
    op.execute(f"CREATE SCHEMA IF NOT EXISTS features; GRANT USAGE ON SCHEMA features TO {APP_ROLE}")
    op.execute(_SHOPWIDE)
    op.execute(append_only_sql("features.pattern_document", "features.shopwide_night", "features.shopwide"))
