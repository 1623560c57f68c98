"""Whether a customer lets us ask others about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from shouxin.ingestion.external.domain import PURPOSE
from shouxin.ingestion.service import list_events


def consented(db: Connection, references: Sequence[tuple[str, str]], *, as_of: datetime) -> bool:
    """Whether the customer agreed under some reference and, as far as known, did not take it back under any.

    Asking a provider of credit data without the person's agreement is not allowed (Regulation on the Credit
    Reporting Industry, art. 18), so a customer who was never asked has not agreed.
    """
    latest: dict[tuple[str, str], tuple[datetime, bool]] = {}
    for event in list_events(db, references, as_of=as_of, kinds=["consent_given", "consent_withdrawn"]):
        if event.payload.get("purpose") != PURPOSE:
            continue
        word = (event.occurred_at, event.kind == "consent_given")
        reference = (event.source, event.customer_ref)
        # Of two words of the same instant the withdrawal counts.
        if reference not in latest or word[0] > latest[reference][0] or not word[1]:
            latest[reference] = word
    return bool(latest) and all(given for _, given in latest.values())
