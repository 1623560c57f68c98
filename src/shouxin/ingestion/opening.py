"""Opening: the clear values of sealed facts, for the rooms that may show or search them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from shouxin.governance import Keyring, sealer
from shouxin.ingestion.domain import PersonalFact


def opened_values(db: Connection, keyring: Keyring, facts: Iterable[PersonalFact]) -> dict[PersonalFact, str]:
    """The clear values of those facts that are sealed, the data keys loaded at once; raises UnableToOpen."""
    sealed = [(fact, fact.sealed) for fact in facts if fact.sealed is not None]
    opener = sealer(db, keyring)
    opener.load({_subject(fact) for fact, _ in sealed})
    return {fact: opener.open(_subject(fact), fact.field, value) for fact, value in sealed}


def _subject(fact: PersonalFact) -> str:
    return f"{fact.source}:{fact.customer_ref}"
