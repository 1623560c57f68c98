"""What a customer agreed to, and what may be done without. Pure."""

from shouxin.ingestion.consent.domain.ledger import (
    GIVEN,
    PURPOSES,
    WITHDRAWN,
    WORD_KINDS,
    ConsentStanding,
    ConsentState,
    ConsentWord,
    in_order,
    standing_of,
)

__all__ = [
    "GIVEN",
    "PURPOSES",
    "WITHDRAWN",
    "WORD_KINDS",
    "ConsentStanding",
    "ConsentState",
    "ConsentWord",
    "in_order",
    "standing_of",
]
