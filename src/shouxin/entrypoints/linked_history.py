"""The history that features are computed from and whose it is, both up to the event log."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from sqlalchemy import Connection

from shouxin import identity, ingestion
from shouxin.entrypoints.house import House
from shouxin.kernel import Bar, silent_bar


def linked_history(house: House, db: Connection, *, now: datetime, bar: Bar = silent_bar) -> pa.Table:
    """Unify who is new and export what is new; returns the links of every reference (``identity.links``).

    Without the one before the other the newest references are nobody's, and nothing is computed for them.
    """
    with bar("unifying customers") as progress:
        identity.unify(db, keyring=house.keyring, now=now, progress=progress)
    with bar("exporting history") as progress:
        ingestion.export_history(db, house.home.history, progress=progress)
    return identity.links(db)
