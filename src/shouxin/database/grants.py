"""Grants: what the application role may do with a table. Used by migrations only.

A table is *append-only* unless its migration says why rows of it change. Law: events, ledger
postings, decisions and audit entries are append-only.
"""

from __future__ import annotations

from collections.abc import Sequence

from shouxin.database.supervisor import APP_ROLE


def schema_sql(name: str) -> str:
    """SQL that makes the schema of a room and lets the application in."""
    return f"CREATE SCHEMA {name}; GRANT USAGE ON SCHEMA {name} TO {APP_ROLE}"


def append_only_sql(*tables: str) -> str:
    """SQL that lets the application read and add, never change or remove."""
    return "; ".join(f"GRANT SELECT, INSERT ON {table} TO {APP_ROLE}" for table in tables)


def updatable_sql(table: str, *, columns: Sequence[str], why: str) -> str:
    """SQL that also lets the application change some columns; ``why`` is kept as the table's comment."""
    assert columns and why, "say which columns change, and why"
    quoted = why.replace("'", "''")
    return (
        f"GRANT SELECT, INSERT ON {table} TO {APP_ROLE}; "
        f"GRANT UPDATE ({', '.join(columns)}) ON {table} TO {APP_ROLE}; "
        f"COMMENT ON TABLE {table} IS 'updatable: {quoted}'"
    )


def erasable_sql(table: str, *, why: str) -> str:
    """SQL that also lets the application delete rows and never change one; for personal values."""
    quoted = why.replace("'", "''")
    grant = f"GRANT SELECT, INSERT, DELETE ON {table} TO {APP_ROLE}"
    return f"{grant}; COMMENT ON TABLE {table} IS 'erasable: {quoted}'"


def removable_sql(table: str, *, why: str) -> str:
    """SQL that also lets the application delete rows; for what expires (sessions, staging)."""
    quoted = why.replace("'", "''")
    return (
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}; "
        f"COMMENT ON TABLE {table} IS 'removable: {quoted}'"
    )
