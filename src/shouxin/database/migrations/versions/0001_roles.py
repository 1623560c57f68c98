"""The application role, on a server that does not have it yet."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the role; an embedded server already has it with a password of its own."""
    # From PostgreSQL 16 on, who creates a role is its member without the right to act as it.
    op.execute(
        """
        DO $$
        DECLARE
            acts CONSTANT text := CASE WHEN current_setting('server_version_num')::int >= 160000
                                       THEN 'SET' ELSE 'MEMBER' END;
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shouxin_app') THEN
                CREATE ROLE shouxin_app NOLOGIN;
            END IF;
            IF NOT pg_has_role(current_user, 'shouxin_app', acts) THEN
                EXECUTE format('GRANT shouxin_app TO %I', current_user);
            END IF;
        END $$;
        """
    )
