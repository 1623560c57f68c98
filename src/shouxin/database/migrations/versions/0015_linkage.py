"""Linkage: encoded records, keys and pairs; rulings of operators; who was whom on any day."""

from alembic import op

from shouxin.database.grants import append_only_sql, removable_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Tables to compare people by codes, to rule about them, and to remember whom they led to."""
    _matching()
    _findings()
    _rulings()
    op.execute(
        append_only_sql(
            "identity.match_model", "identity.match_merge", "identity.ruling", "identity.membership"
        )
    )
    derived = "follows from the events under the keys; it goes when the person is forgotten"
    for table in ("match_record", "match_key", "match_pair", "possible_match"):
        op.execute(removable_sql(f"identity.{table}", why=derived))


def _matching() -> None:
    op.execute(
        """
        CREATE TABLE identity.match_model (
            model_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            model_hash text NOT NULL,
            content jsonb NOT NULL,
            records int NOT NULL,
            trained_by text NOT NULL,
            trained_at timestamptz NOT NULL
        );
        CREATE TABLE identity.match_record (
            customer_no bigint PRIMARY KEY REFERENCES identity.customer (customer_no),
            -- How many values the codes were made of: when it grew, they are made anew.
            facts int NOT NULL,
            fields int NOT NULL,
            codes bigint[] NOT NULL
        );
        CREATE TABLE identity.match_key (
            key bigint NOT NULL,
            customer_no bigint NOT NULL,
            PRIMARY KEY (key, customer_no)
        );
        CREATE INDEX ON identity.match_key (customer_no);
        CREATE TABLE identity.match_pair (
            one_no bigint NOT NULL,
            other_no bigint NOT NULL,
            micro_bits int NOT NULL,
            PRIMARY KEY (one_no, other_no),
            CHECK (one_no < other_no)
        );
        CREATE INDEX ON identity.match_pair (other_no)
        """
    )


def _findings() -> None:
    op.execute(
        """
        -- Pairs of customers who may be one person; somebody must look.
        CREATE TABLE identity.possible_match (
            one_id text NOT NULL REFERENCES identity.customer,
            other_id text NOT NULL REFERENCES identity.customer,
            micro_bits int NOT NULL,
            evidence jsonb NOT NULL,
            found_at timestamptz NOT NULL,
            PRIMARY KEY (one_id, other_id),
            CHECK (one_id < other_id)
        );
        CREATE INDEX ON identity.possible_match (other_id);
        CREATE TABLE identity.match_merge (
            merge_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            absorbed_id text NOT NULL REFERENCES identity.customer,
            customer_id text NOT NULL REFERENCES identity.customer,
            micro_bits int NOT NULL,
            evidence jsonb NOT NULL,
            model_hash text NOT NULL,
            merged_at timestamptz NOT NULL
        );
        CREATE INDEX ON identity.match_merge (absorbed_id)
        """
    )


def _rulings() -> None:
    op.execute(
        """
        CREATE TABLE identity.ruling (
            ruling_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            verdict text NOT NULL CHECK (verdict IN ('same', 'different', 'undone')),
            customer_ids text[] NOT NULL,
            other_ids text[] NOT NULL,
            -- The ruling that this row takes back; once.
            undoes bigint UNIQUE REFERENCES identity.ruling,
            reason text NOT NULL,
            ruled_by text NOT NULL,
            ruled_at timestamptz NOT NULL,
            CHECK ((verdict = 'undone') = (undoes IS NOT NULL))
        );
        CREATE INDEX ON identity.ruling USING gin (customer_ids);
        CREATE INDEX ON identity.ruling USING gin (other_ids);
        CREATE TABLE identity.membership (
            membership_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer_id text NOT NULL REFERENCES identity.customer,
            -- NULL: the customer stands alone from here on.
            merged_into text REFERENCES identity.customer,
            since timestamptz NOT NULL
        );
        CREATE INDEX ON identity.membership (customer_id, since);
        CREATE INDEX ON identity.membership (merged_into, since);
        -- Those merged before there was a history: the first merge is what is known.
        INSERT INTO identity.membership (customer_id, merged_into, since)
            SELECT c.customer_id, c.merged_into, coalesce(m.merged_at, c.known_since)
            FROM identity.customer c LEFT JOIN identity.merge m ON m.absorbed_id = c.customer_id
            WHERE c.merged_into IS NOT NULL
        """
    )
