"""The schema of `governance`."""

from alembic import op

from shouxin.database.grants import append_only_sql, removable_sql, schema_sql, updatable_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Keys, operators and their ways in, approvals, and the audit chain."""
    op.execute(schema_sql("governance"))
    _keys()
    _operators()
    _ways_in()
    _approvals()
    _audit()


def _keys() -> None:
    op.execute(
        """
        CREATE TABLE governance.data_key (
            subject text PRIMARY KEY,
            wrapped bytea NOT NULL
        )
        """
    )
    op.execute(append_only_sql("governance.data_key"))


def _operators() -> None:
    op.execute(
        """
        CREATE TABLE governance.operator (
            operator_id text PRIMARY KEY,
            name text NOT NULL UNIQUE,
            display_name text NOT NULL,
            -- Admin stands alone: who runs the house decides nothing in it.
            roles text[] NOT NULL CHECK (
                cardinality(roles) > 0 AND (NOT 'admin' = ANY (roles) OR cardinality(roles) = 1)
            ),
            language text NOT NULL CHECK (language IN ('zh', 'en')),
            invited_at timestamptz NOT NULL
        );
        CREATE TABLE governance.invitation (
            token_hash text PRIMARY KEY,
            operator_id text NOT NULL REFERENCES governance.operator,
            invited_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            totp_sealed bytea,
            closed_at timestamptz
        );
        CREATE INDEX ON governance.invitation (operator_id);
        CREATE TABLE governance.credential (
            operator_id text PRIMARY KEY REFERENCES governance.operator,
            password_hash text NOT NULL,
            totp_sealed bytea NOT NULL,
            totp_step_used bigint NOT NULL,
            set_at timestamptz NOT NULL
        )
        """
    )
    op.execute(append_only_sql("governance.operator"))
    op.execute(
        updatable_sql(
            "governance.invitation",
            columns=("totp_sealed", "closed_at"),
            why="the code secret is made when the invitation is opened; an invitation is used once",
        )
    )
    op.execute(
        updatable_sql(
            "governance.credential",
            columns=("password_hash", "totp_sealed", "totp_step_used", "set_at"),
            why="each code moves the last used step on; a renewed invitation sets new credentials",
        )
    )


def _ways_in() -> None:
    op.execute(
        """
        CREATE TABLE governance.sign_in_guard (
            name_token text PRIMARY KEY,
            failures int NOT NULL,
            last_failed_at timestamptz,
            locked_until timestamptz
        );
        CREATE TABLE governance.session (
            token_hash text PRIMARY KEY,
            operator_id text NOT NULL REFERENCES governance.operator,
            signed_in_at timestamptz NOT NULL,
            last_seen_at timestamptz NOT NULL
        );
        CREATE INDEX ON governance.session (operator_id);
        CREATE TABLE governance.api_key (
            key_id text PRIMARY KEY,
            name text NOT NULL UNIQUE,
            secret_hash text NOT NULL UNIQUE,
            scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
            source text NOT NULL,
            made_at timestamptz NOT NULL
        );
        CREATE TABLE governance.api_key_revocation (
            key_id text PRIMARY KEY REFERENCES governance.api_key,
            revoked_at timestamptz NOT NULL
        )
        """
    )
    op.execute(
        updatable_sql(
            "governance.sign_in_guard",
            columns=("failures", "last_failed_at", "locked_until"),
            why="a running count of failures a name; the failures themselves are in the audit",
        )
    )
    op.execute(removable_sql("governance.session", why="sessions end; who signed in is in the audit"))
    op.execute(append_only_sql("governance.api_key", "governance.api_key_revocation"))


def _approvals() -> None:
    op.execute(
        """
        CREATE TABLE governance.approval_request (
            request_id text PRIMARY KEY,
            subject text NOT NULL,
            permission text NOT NULL,
            maker text NOT NULL,
            reason text NOT NULL CHECK (btrim(reason) <> ''),
            detail json NOT NULL,
            requested_at timestamptz NOT NULL,
            UNIQUE (request_id, maker)
        );
        CREATE INDEX ON governance.approval_request (requested_at);
        CREATE TABLE governance.approval_decision (
            request_id text PRIMARY KEY,
            maker text NOT NULL,
            checker text NOT NULL REFERENCES governance.operator,
            outcome text NOT NULL CHECK (outcome IN ('approved', 'rejected')),
            reason text NOT NULL CHECK (btrim(reason) <> ''),
            decided_at timestamptz NOT NULL,
            -- The maker is the request's own, so the check below can not be talked out of it.
            FOREIGN KEY (request_id, maker) REFERENCES governance.approval_request (request_id, maker),
            CONSTRAINT author_is_not_approver CHECK (maker <> checker)
        );
        CREATE FUNCTION governance.refuse_admin_checker() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM governance.operator
                WHERE operator_id = NEW.checker AND 'admin' = ANY (roles)
            ) THEN
                RAISE EXCEPTION 'admin is not approver' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER admin_is_not_approver BEFORE INSERT ON governance.approval_decision
            FOR EACH ROW EXECUTE FUNCTION governance.refuse_admin_checker()
        """
    )
    op.execute(append_only_sql("governance.approval_request", "governance.approval_decision"))


def _audit() -> None:
    op.execute(
        """
        CREATE TABLE governance.audit (
            -- Given under a lock, so numbers have no gaps and a removed row leaves one.
            entry_no bigint PRIMARY KEY,
            at timestamptz NOT NULL,
            actor text NOT NULL,
            action text NOT NULL,
            subject text NOT NULL,
            -- json keeps the text as it was hashed; jsonb would rewrite it.
            detail json NOT NULL,
            previous_hash text NOT NULL,
            hash text NOT NULL UNIQUE
        );
        CREATE INDEX ON governance.audit (action, entry_no);
        CREATE INDEX ON governance.audit (subject, entry_no)
        """
    )
    op.execute(append_only_sql("governance.audit"))
