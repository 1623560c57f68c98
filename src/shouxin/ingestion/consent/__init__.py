"""Consent: what each customer agreed to, on which text, since when, and what they took back.

A word is an event like any other (``consent_given``, ``consent_withdrawn``), however it came: by API, by
file or at the terminal. The ledger is read from the event log, so there is nothing to keep in step with
it, and what held on any day can be told for ever. Who was never asked has not agreed; where a customer
said different things under different references, the "no" holds. What a source may send without consent
is its policy: data, in versions, and off until somebody sets one.
"""

from shouxin.ingestion.consent.domain import (
    NO_POLICY,
    PURPOSES,
    STANDARD_POLICY,
    ConsentPolicy,
    ConsentRefusal,
    ConsentRefusalReason,
    ConsentStanding,
    ConsentState,
    ConsentText,
    ConsentWord,
    LeftOut,
    UnableToReadConsentPolicy,
    purposes_of_use,
    read_policy,
    text_in_force,
)
from shouxin.ingestion.consent.door import screen, screen_rows
from shouxin.ingestion.consent.service import (
    ConsentCount,
    SourcePolicy,
    allows,
    counts,
    history,
    left_out,
    policies,
    policy_of,
    publish_text,
    set_policy,
    standing,
    standings,
    texts,
)

__all__ = [
    "NO_POLICY",
    "PURPOSES",
    "STANDARD_POLICY",
    "ConsentCount",
    "ConsentPolicy",
    "ConsentRefusal",
    "ConsentRefusalReason",
    "ConsentStanding",
    "ConsentState",
    "ConsentText",
    "ConsentWord",
    "LeftOut",
    "SourcePolicy",
    "UnableToReadConsentPolicy",
    "allows",
    "counts",
    "history",
    "left_out",
    "policies",
    "policy_of",
    "publish_text",
    "purposes_of_use",
    "read_policy",
    "screen",
    "screen_rows",
    "set_policy",
    "standing",
    "standings",
    "text_in_force",
    "texts",
]
