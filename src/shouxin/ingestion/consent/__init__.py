"""Consent: what each customer agreed to, on which text, since when, and what they took back.

A word is an event like any other (``consent_given``, ``consent_withdrawn``), however it came: by API, by
file or at the console. The ledger is read from the event log, so there is nothing to keep in step with
it, and what held on any day can be told for ever. Who was never asked has not agreed; where a customer
said different things under different references, the "no" holds.
"""

from shouxin.ingestion.consent.domain import PURPOSES, ConsentStanding, ConsentState, ConsentWord
from shouxin.ingestion.consent.service import allows, history, standing, standings

__all__ = [
    "PURPOSES",
    "ConsentStanding",
    "ConsentState",
    "ConsentWord",
    "allows",
    "history",
    "standing",
    "standings",
]
