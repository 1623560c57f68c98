"""The schema of `identity`."""

from alembic import op

from shouxin.database.grants import append_only_sql, schema_sql, updatable_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Customers, the references that lead to them, and how we know that two of them are one."""
    op.execute(schema_sql("identity"))
    _customers()
    _evidence()
    op.execute(append_only_sql("identity.link", "identity.identifier", "identity.merge", "identity.conflict"))
    op.execute("GRANT SELECT ON identity.member TO shouxin_app")
    op.execute(
        updatable_sql(
            "identity.customer",
            columns=("merged_into",),
            why="a customer proven to be another points to that one; each merge is kept in identity.merge",
        )
    )
    op.execute(
        updatable_sql(
            "identity.progress",
            columns=("event_no",),
            why="how far into the event log customers have been looked for",
        )
    )


def _customers() -> None:
    op.execute(
        """
        CREATE TABLE identity.customer (
            customer_id text PRIMARY KEY,
            customer_no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
            known_since timestamptz NOT NULL,
            -- Always the last customer of the chain, so one step is enough.
            merged_into text REFERENCES identity.customer CHECK (merged_into <> customer_id)
        );
        CREATE INDEX ON identity.customer (coalesce(merged_into, customer_id));
        CREATE TABLE identity.link (
            source text NOT NULL,
            customer_ref text NOT NULL,
            link_no bigint GENERATED ALWAYS AS IDENTITY,
            customer_id text NOT NULL REFERENCES identity.customer,
            linked_at timestamptz NOT NULL,
            PRIMARY KEY (source, customer_ref)
        );
        CREATE INDEX ON identity.link (customer_id);
        -- Who every reference belongs to today. What our own credit room reports about a customer
        -- carries the customer's id as its reference, so that reference needs no row.
        CREATE VIEW identity.member AS
            SELECT l.source, l.customer_ref, coalesce(c.merged_into, c.customer_id) AS customer_id,
                   l.link_no
            FROM identity.link l JOIN identity.customer c USING (customer_id)
            UNION ALL
            SELECT 'credit', c.customer_id, coalesce(c.merged_into, c.customer_id), NULL
            FROM identity.customer c
        """
    )


def _evidence() -> None:
    op.execute(
        """
        CREATE TABLE identity.identifier (
            source text NOT NULL,
            customer_ref text NOT NULL,
            field text NOT NULL,
            token text NOT NULL,
            verified_at timestamptz NOT NULL,
            PRIMARY KEY (source, customer_ref, field, token),
            FOREIGN KEY (source, customer_ref) REFERENCES identity.link
        );
        CREATE INDEX ON identity.identifier (token, field);
        CREATE TABLE identity.merge (
            absorbed_id text NOT NULL REFERENCES identity.customer,
            customer_id text NOT NULL REFERENCES identity.customer,
            field text NOT NULL,
            token text NOT NULL,
            merged_at timestamptz NOT NULL,
            PRIMARY KEY (absorbed_id)
        );
        CREATE TABLE identity.conflict (
            field text NOT NULL,
            token text NOT NULL,
            customer_ids text[] NOT NULL,
            found_at timestamptz NOT NULL,
            PRIMARY KEY (field, token, customer_ids)
        );
        CREATE TABLE identity.progress (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            event_no bigint NOT NULL
        );
        INSERT INTO identity.progress (event_no) VALUES (0)
        """
    )
