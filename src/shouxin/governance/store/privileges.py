"""What the role of this connection can really do, as the database tells it."""

from __future__ import annotations

from sqlalchemy import Connection, text


def append_only(db: Connection) -> frozenset[str]:
    """``schema.table`` of all that this role can add to and can neither change, delete nor empty."""
    rows = db.execute(
        text(
            """
            SELECT n.nspname || '.' || c.relname AS name
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p')
              AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
              AND pg_get_userbyid(c.relowner) <> current_user
              AND has_table_privilege(current_user, c.oid, 'INSERT')
              AND NOT has_table_privilege(current_user, c.oid, 'UPDATE, DELETE, TRUNCATE')
              AND NOT has_any_column_privilege(current_user, c.oid, 'UPDATE')
            """
        )
    )
    return frozenset(row.name for row in rows)
