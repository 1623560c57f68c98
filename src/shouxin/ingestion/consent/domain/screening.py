"""Screening: what becomes of a checked fact under the policy of its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec

from shouxin.ingestion.consent.domain.ledger import WORD_KINDS, ConsentWord, standing_of, word_of
from shouxin.ingestion.consent.domain.policy import ConsentPolicy, Requirement, Without
from shouxin.ingestion.domain import Fact, Refusal
from shouxin.kernel import Event

Reference = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A personal field that was not taken, and the purpose that nobody had agreed to."""

    source: str
    field: str
    purpose: str


def needs_of(fact: Fact, policy: ConsentPolicy) -> list[tuple[str, Requirement]]:
    """What of this fact needs consent: its kind (named ``kind``), then its personal fields."""
    of_kind = policy.kinds.get(fact.kind)
    needs = [("kind", of_kind)] if of_kind else []
    needs += [(field, policy.fields[field]) for field in fact.personal if field in policy.fields]
    return [(name, need) for name, need in needs if need.without is not Without.ACCEPT]


def screened(
    fact: Fact, policy: ConsentPolicy, words: Mapping[Reference, Iterable[ConsentWord]]
) -> tuple[Fact | Refusal, list[LeftOut]]:
    """The fact as it may be kept, or why not; and what was left out of it.

    What counts is the word that was known when the fact was learnt, under the fact's own reference: a
    fact that waited in quarantine is learnt when it is tried again.
    """
    # A shop's clock may be minutes ahead of ours; its word and its fact are ahead together.
    as_of = max(fact.received_at, fact.occurred_at)
    said = list(words.get((fact.source, fact.customer_ref), ()))
    left_out = []
    for name, need in needs_of(fact, policy):
        if standing_of(said, purpose=need.purpose, as_of=as_of).is_granted:
            continue
        if need.without is Without.REFUSE:
            place = name if name == "kind" else f"personal/{name}"
            return Refusal(place, f"no consent to {need.purpose}"), []
        left_out.append(LeftOut(fact.source, name, need.purpose))
    if not left_out:
        return fact, []
    gone = {one.field for one in left_out}
    kept = {field: value for field, value in fact.personal.items() if field not in gone}
    return replace(fact, personal=kept), left_out


def said_by(fact: Fact) -> ConsentWord | None:
    """The word that a fact is, if it is one."""
    if fact.kind not in WORD_KINDS:
        return None
    told = msgspec.json.decode(fact.payload)
    return word_of(
        Event(
            fact.source,
            fact.source_id,
            fact.kind,
            fact.version,
            fact.customer_ref,
            fact.occurred_at,
            fact.received_at,
            payload=told,
        )
    )
