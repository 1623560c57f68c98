"""Proof from the database itself that what is written once stays as it was written."""

from __future__ import annotations

from sqlalchemy import Connection

from shouxin.governance.store import privileges


def append_only_tables(db: Connection) -> frozenset[str]:
    """``schema.table`` of every table that the application can add to and never change or empty."""
    return privileges.append_only(db)
