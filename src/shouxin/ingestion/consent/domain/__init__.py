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
    withdrawn_purposes,
)
from shouxin.ingestion.consent.domain.policy import (
    NO_POLICY,
    PERSONAL_FIELDS,
    STANDARD_POLICY,
    ConsentPolicy,
    Requirement,
    UnableToReadConsentPolicy,
    Without,
    purposes_of_use,
    read_policy,
)
from shouxin.ingestion.consent.domain.screening import LeftOut, needs_of, said_by, screened
from shouxin.ingestion.consent.domain.texts import (
    ConsentRefusal,
    ConsentRefusalReason,
    ConsentText,
    agreed_text,
    text_in_force,
)

__all__ = [
    "GIVEN",
    "NO_POLICY",
    "PERSONAL_FIELDS",
    "PURPOSES",
    "STANDARD_POLICY",
    "WITHDRAWN",
    "WORD_KINDS",
    "ConsentPolicy",
    "ConsentRefusal",
    "ConsentRefusalReason",
    "ConsentStanding",
    "ConsentState",
    "ConsentText",
    "ConsentWord",
    "LeftOut",
    "Requirement",
    "UnableToReadConsentPolicy",
    "Without",
    "agreed_text",
    "in_order",
    "needs_of",
    "purposes_of_use",
    "read_policy",
    "said_by",
    "screened",
    "standing_of",
    "text_in_force",
    "withdrawn_purposes",
]
