"""The verbs of sequences: of many customers from the history, of one from the event log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Connection

from shouxin.features.sequences import store
from shouxin.features.sequences.domain import RECENT_EVENTS, SequenceDefinition, encode
from shouxin.features.store import known_customers, opened_history
from shouxin.identity import references_of
from shouxin.ingestion import list_events
from shouxin.ingestion.consent.domain import WORD_KINDS
from shouxin.kernel import OWN_SOURCE, CustomerId


def sequences(
    history: Path,
    links: pa.Table,
    *,
    as_of: datetime,
    definition: SequenceDefinition = RECENT_EVENTS,
    customers: Sequence[str] | None = None,
) -> pa.Table:
    """``customer_id, as_of, recent_events`` (a text, see ``domain.layout``) as known at ``as_of``.

    For the ``customers`` given, else for everyone of whom at least one event was known. Raises
    UnableToReadHistory.
    """
    with opened_history(history, links, ()) as opened:
        wanted = (
            known_customers(opened, as_of=as_of)
            if customers is None
            else pa.table({"customer_id": pa.array(list(customers), pa.string())})
        )
        return store.sequence_table(opened, definition, customers=wanted, as_of=as_of)


def sequence_at(
    db: Connection,
    customer_id: CustomerId,
    *,
    as_of: datetime,
    definition: SequenceDefinition = RECENT_EVENTS,
) -> str:
    """The sequence of one customer as known at ``as_of``, read fresh from the event log."""
    # Our own credit room names the customer by its id, whether or not identity has linked that yet.
    references = {*references_of(db, customer_id), (OWN_SOURCE, str(customer_id))}
    kinds = (*definition.kinds, *WORD_KINDS)
    return encode(definition, list_events(db, sorted(references), as_of=as_of, kinds=kinds), as_of=as_of)
