"""The schema of `credit`: ledger, lines, holds, plans, repayments and arrears."""

from alembic import op

from shouxin.database.grants import append_only_sql, schema_sql, updatable_sql

revision = "0008"
down_revision = "0007"

_LINES = """
CREATE TABLE credit.line (
    line_id text PRIMARY KEY,
    customer_id text NOT NULL UNIQUE,
    currency char(3) NOT NULL,
    limit_minor bigint NOT NULL CHECK (limit_minor >= 0),
    held_minor bigint NOT NULL DEFAULT 0 CHECK (held_minor >= 0),
    outstanding_minor bigint NOT NULL DEFAULT 0 CHECK (outstanding_minor >= 0),
    days_past_due integer NOT NULL DEFAULT 0 CHECK (days_past_due >= 0),
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    UNIQUE (line_id, currency)
);
CREATE INDEX ON credit.line (days_past_due) WHERE days_past_due > 0;
CREATE TABLE credit.freeze (
    freeze_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line_id text NOT NULL REFERENCES credit.line,
    reason text NOT NULL CHECK (reason <> ''),
    by_operator text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX ON credit.freeze (line_id);
CREATE TABLE credit.unfreeze (
    freeze_no bigint PRIMARY KEY REFERENCES credit.freeze,
    reason text NOT NULL CHECK (reason <> ''),
    by_operator text NOT NULL,
    at timestamptz NOT NULL
);
"""

_LEDGER = """
CREATE TABLE credit.entry (
    entry_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    reference text NOT NULL UNIQUE,
    business_date date NOT NULL,
    posted_at timestamptz NOT NULL
);
CREATE TABLE credit.posting (
    posting_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_no bigint NOT NULL REFERENCES credit.entry,
    source text NOT NULL,
    destination text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency char(3) NOT NULL,
    CHECK (source <> destination)
);
CREATE INDEX ON credit.posting (entry_no);
CREATE INDEX ON credit.posting (source);
CREATE INDEX ON credit.posting (destination);

-- At commit: what the ledger says a customer owes is what the line says. No program error can part them.
CREATE FUNCTION credit.line_agrees_with_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account text;
    owed bigint;
    stated bigint;
BEGIN
    FOREACH account IN ARRAY ARRAY[NEW.source, NEW.destination] LOOP
        IF account LIKE 'receivable:%' THEN
            SELECT outstanding_minor INTO stated FROM credit.line
             WHERE line_id = substr(account, 12) AND currency = NEW.currency;
            SELECT coalesce((SELECT sum(amount_minor) FROM credit.posting WHERE destination = account), 0)
                 - coalesce((SELECT sum(amount_minor) FROM credit.posting WHERE source = account), 0)
              INTO owed;
            IF stated IS DISTINCT FROM owed THEN
                RAISE EXCEPTION 'ledger: % holds % and its line says %', account, owed, stated
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER line_agrees_with_ledger AFTER INSERT ON credit.posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION credit.line_agrees_with_ledger();
"""

_HOLDS = """
CREATE TABLE credit.hold (
    hold_id text PRIMARY KEY,
    line_id text NOT NULL REFERENCES credit.line,
    decision_id text NOT NULL,
    order_ref text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency char(3) NOT NULL,
    plan text NOT NULL,
    due_days integer[] NOT NULL,
    state text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'captured', 'voided', 'expired')),
    captured_minor bigint NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
    held_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    settled_at timestamptz,
    FOREIGN KEY (line_id, currency) REFERENCES credit.line (line_id, currency),
    CHECK ((state = 'captured') = (captured_minor > 0)),
    CHECK ((state = 'held') = (settled_at IS NULL))
);
CREATE INDEX ON credit.hold (line_id);
CREATE INDEX ON credit.hold (expires_at) WHERE state = 'held';
"""

_PLANS = """
CREATE TABLE credit.plan (
    plan_id text PRIMARY KEY,
    line_id text NOT NULL,
    customer_id text NOT NULL,
    hold_id text NOT NULL UNIQUE REFERENCES credit.hold,
    order_ref text NOT NULL,
    terms text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency char(3) NOT NULL,
    started_on date NOT NULL,
    opened_at timestamptz NOT NULL,
    FOREIGN KEY (line_id, currency) REFERENCES credit.line (line_id, currency)
);
CREATE INDEX ON credit.plan (customer_id);
CREATE INDEX ON credit.plan (line_id);
CREATE TABLE credit.instalment (
    plan_id text NOT NULL REFERENCES credit.plan,
    number integer NOT NULL CHECK (number >= 1),
    line_id text NOT NULL,
    due_on date NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    paid_minor bigint NOT NULL DEFAULT 0 CHECK (paid_minor BETWEEN 0 AND amount_minor),
    paid_on date,
    PRIMARY KEY (plan_id, number),
    CHECK ((paid_minor = amount_minor) = (paid_on IS NOT NULL))
);
CREATE INDEX ON credit.instalment (line_id, due_on) WHERE paid_on IS NULL;
CREATE INDEX ON credit.instalment (due_on) WHERE paid_on IS NULL;
CREATE TABLE credit.repayment (
    repayment_id text PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    plan_id text NOT NULL REFERENCES credit.plan,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency char(3) NOT NULL,
    paid_on date NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX ON credit.repayment (plan_id);
CREATE TABLE credit.allocation (
    repayment_id text NOT NULL REFERENCES credit.repayment,
    plan_id text NOT NULL,
    number integer NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    days_past_due integer NOT NULL CHECK (days_past_due >= 0),
    PRIMARY KEY (repayment_id, number),
    FOREIGN KEY (plan_id, number) REFERENCES credit.instalment (plan_id, number)
);
"""

_ARREARS = """
CREATE TABLE credit.business_date (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    business_date date NOT NULL
);
INSERT INTO credit.business_date (business_date) VALUES ((now() AT TIME ZONE 'Asia/Shanghai')::date);
CREATE TABLE credit.day_close (
    business_date date PRIMARY KEY,
    due integer NOT NULL,
    overdue integer NOT NULL,
    lines_past_due integer NOT NULL,
    closed_at timestamptz NOT NULL
);
CREATE TABLE credit.notice (
    plan_id text NOT NULL,
    number integer NOT NULL,
    milestone integer NOT NULL CHECK (milestone >= 0),
    reached_on date NOT NULL,
    noted_at timestamptz NOT NULL,
    PRIMARY KEY (plan_id, number, milestone),
    FOREIGN KEY (plan_id, number) REFERENCES credit.instalment (plan_id, number)
);
CREATE TABLE credit.bucket (
    line_id text NOT NULL REFERENCES credit.line,
    effective_on date NOT NULL,
    bucket text NOT NULL CHECK (bucket IN ('M0', 'M1', 'M2', 'M3', 'M3+')),
    days_past_due integer NOT NULL,
    PRIMARY KEY (line_id, effective_on)
);
"""


def upgrade() -> None:
    """The ledger and every history are append-only; lines, holds and instalments carry running figures."""
    op.execute(schema_sql("credit"))
    for tables in (_LINES, _LEDGER, _HOLDS, _PLANS, _ARREARS):
        op.execute(tables)
    op.execute(
        append_only_sql(
            "credit.entry",
            "credit.posting",
            "credit.freeze",
            "credit.unfreeze",
            "credit.plan",
            "credit.repayment",
            "credit.allocation",
            "credit.day_close",
            "credit.notice",
            "credit.bucket",
        )
    )
    op.execute(
        updatable_sql(
            "credit.line",
            columns=["held_minor", "outstanding_minor", "days_past_due"],
            why="running figures that a checkout reads under a lock; check_ledger proves them from the rows",
        )
    )
    op.execute(
        updatable_sql(
            "credit.hold",
            columns=["state", "captured_minor", "settled_at"],
            why="a hold ends once: captured, voided or expired",
        )
    )
    op.execute(
        updatable_sql(
            "credit.instalment",
            columns=["paid_minor", "paid_on"],
            why="what has been repaid so far; the allocations prove it",
        )
    )
    op.execute(
        updatable_sql(
            "credit.business_date", columns=["business_date"], why="close_day moves the business on"
        )
    )
