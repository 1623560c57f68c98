"""The vault: wrapping keys that can be destroyed, and what goes when a customer is erased."""

from alembic import op

from shouxin.database.grants import append_only_sql, erasable_sql, updatable_sql

revision = "0014"
down_revision = "0013"

_ERASABLE = "with an erased customer what was personal of them goes; nothing else removes a row"


def upgrade() -> None:
    """Slots and generations of data keys; erasures; a refused row says whose it is."""
    _keys()
    _quarantine()
    _erasures()
    op.execute(erasable_sql("ingestion.personal", why=_ERASABLE))
    op.execute(erasable_sql("identity.identifier", why=_ERASABLE))
    op.execute("GRANT DELETE ON ingestion.verification_code TO shouxin_app")
    op.execute(
        "COMMENT ON TABLE ingestion.verification_code IS 'updatable: each try is counted and a code ends; "
        "what was proved is an event of the customer. erasable: codes go with an erased customer'"
    )


def _keys() -> None:
    op.execute(
        """
        CREATE TABLE governance.key_slot (
            slot smallint PRIMARY KEY CHECK (slot BETWEEN 0 AND 1023),
            generation int NOT NULL
        );
        INSERT INTO governance.key_slot SELECT n, 1 FROM generate_series(0, 1023) AS n;
        ALTER TABLE governance.data_key
            ALTER COLUMN wrapped DROP NOT NULL,
            ADD COLUMN slot smallint,
            ADD COLUMN generation int,
            ADD COLUMN erased_at timestamptz;
        -- Keys of before lie under the master key itself, which is generation 0 of every slot.
        UPDATE governance.data_key SET generation = 0, slot =
            get_byte(sha256(convert_to(subject, 'UTF8')), 0) * 4
            + get_byte(sha256(convert_to(subject, 'UTF8')), 1) / 64;
        ALTER TABLE governance.data_key
            ALTER COLUMN slot SET NOT NULL,
            ADD CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL)),
            ADD CHECK (wrapped IS NULL OR generation IS NOT NULL);
        CREATE INDEX ON governance.data_key (slot);
        CREATE INDEX ON governance.data_key (slot, generation) WHERE wrapped IS NULL
        """
    )
    op.execute(
        updatable_sql(
            "governance.key_slot",
            columns=("generation",),
            why="a slot turns to its next wrapping key when somebody is erased and when keys rotate",
        )
    )
    op.execute(
        updatable_sql(
            "governance.data_key",
            columns=("wrapped", "generation", "erased_at"),
            why="the same key is wrapped anew when its slot turns, and forgotten when its subject is erased",
        )
    )


def _quarantine() -> None:
    op.execute(
        """
        ALTER TABLE ingestion.quarantine
            ALTER COLUMN sealed DROP NOT NULL,
            ADD COLUMN customer_ref text;
        CREATE INDEX ON ingestion.quarantine (source, customer_ref)
        """
    )
    op.execute(
        updatable_sql(
            "ingestion.quarantine",
            columns=("sealed",),
            why="what a row held is forgotten when its customer is erased; that it was refused is kept",
        )
    )


def _erasures() -> None:
    op.execute(
        """
        CREATE TABLE identity.erasure (
            customer_id text PRIMARY KEY REFERENCES identity.customer,
            erased_at timestamptz NOT NULL,
            erased_by text NOT NULL,
            approved_by text NOT NULL CHECK (approved_by <> erased_by),
            approval_id text NOT NULL UNIQUE
        )
        """
    )
    op.execute(append_only_sql("identity.erasure"))
