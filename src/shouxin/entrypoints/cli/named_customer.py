"""A customer as somebody at the terminal names them."""

from __future__ import annotations

from sqlalchemy import Connection

from shouxin.entrypoints.cli.common import fail
from shouxin.identity import find_customer
from shouxin.kernel import OWN_SOURCE, CustomerId


def named_customer(db: Connection, ref: str, *, source: str) -> CustomerId:
    """Whom a reference of ``source``, or an id of our own, leads to; ends the command when it is nobody."""
    found = find_customer(db, source=source, customer_ref=ref)
    found = found or find_customer(db, source=OWN_SOURCE, customer_ref=ref)
    if found is None:
        fail(f"no customer is known by the reference {ref} of {source}")
    return found
