"""Unify references into customers, find them, and show as much of a person as somebody may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow as pa
from sqlalchemy import Connection

from shouxin import ingestion
from shouxin.governance import Keyring, Operator, record_audit
from shouxin.identity import online, store
from shouxin.identity.domain import (
    MATCHING_FIELDS,
    ConflictRow,
    MaskedProfile,
    ReferenceIdentifier,
    RevealRefusal,
    RevealRefusalReason,
    UnifyCount,
    masked,
    reveal_refusal,
    verified_fields,
)
from shouxin.identity.erasure import erased_at
from shouxin.identity.merging import rematch
from shouxin.identity.proving import own_customer
from shouxin.identity.reasons import reason_tells
from shouxin.ingestion import PersonalFact
from shouxin.ingestion.domain import present_values
from shouxin.kernel import OWN_SOURCE, CustomerId, Progress, derived_id, silent

_CHUNK = 5_000
# A profile is everything known; its reader stands after every event.
_ALWAYS = datetime.max.replace(tzinfo=UTC)

Reference = tuple[str, str]


class UnableToLink(LookupError):
    """Our own credit room spoke of a customer who does not exist."""


def unify(
    db: Connection,
    *,
    keyring: Keyring,
    now: datetime,
    progress: Progress = silent,
) -> UnifyCount:
    """Give every reference in new events a customer, and make those one who are one person.

    Proof is an identifier that was verified under both references, an operator's ruling, or records that
    agree enough (docs/linkage.md). Runs one at a time and goes on where the last run ended; an id follows
    from the first reference of its customer. Who is one follows from the evidence alone, not from the order
    or the portions in which it came.
    """
    after = store.held_progress(db)
    seen, last = ingestion.new_references(db, after_event_no=after)
    refs = [ref for ref in seen if ref[0] != OWN_SOURCE]
    weights = online.weights_in_use(db)
    references = customers = 0
    tokens: Counter[str] = Counter()
    touched: set[str] = set()
    for start in range(0, len(refs), _CHUNK):
        chunk = refs[start : start + _CHUNK]
        new = store.unlinked(db, chunk)
        references += len(new)
        customers += store.add_customers(db, new, [_first_id(ref) for ref in new], now=now) if new else 0
        facts = ingestion.personal_facts(db, chunk)
        tokens.update(_new_tokens(db, facts))
        touched |= online.keep_records(db, keyring, facts, weights=weights)
        progress(start + len(chunk), len(refs))
    found = rematch(db, tokens=tokens, customers=touched, weights=weights, now=now)
    store.set_progress(db, last)
    return UnifyCount(references, customers, len(found.merges), len(found.conflicts))


def find_customer(db: Connection, *, source: str, customer_ref: str) -> CustomerId | None:
    """Whom a reference leads to; for ``credit`` the reference is a customer's id, of before a merge too."""
    return store.customer_of(db, source, customer_ref)


def customer_as_of(db: Connection, *, source: str, customer_ref: str, as_of: datetime) -> CustomerId | None:
    """Whom a reference led to at an instant, as the house saw it then."""
    own = own_customer(db, source=source, customer_ref=customer_ref)
    return None if own is None else CustomerId(store.member_as_of(db, own, as_of=as_of))


def memberships(db: Connection, customer_id: CustomerId) -> list[tuple[str, str | None, datetime]]:
    """Who led to whom since when, of all that were ever this customer; None: stood alone from then on."""
    return store.memberships(db, store.own_ids(db, customer_id))


def ensure_customer(db: Connection, *, source: str, customer_ref: str, now: datetime) -> CustomerId:
    """Whom a reference leads to, made now if it leads to nobody; raises UnableToLink for ``credit``."""
    found = store.customer_of(db, source, customer_ref)
    if found is None and source != OWN_SOURCE:
        ref = (source, customer_ref)
        store.add_customers(db, [ref], [_first_id(ref)], now=now)
        found = store.customer_of(db, source, customer_ref)
    if found is None:
        raise UnableToLink(f"{customer_ref} is not a customer")
    return found


def references_of(db: Connection, customer_id: CustomerId) -> list[Reference]:
    """The references of a customer, the oldest first; what ``credit`` calls them comes last."""
    return [(source, ref) for _, source, ref in store.members(db, [customer_id])]


def names_of(db: Connection, customer_id: CustomerId) -> list[CustomerId]:
    """The ids that our own books may know a customer by: today's, and those of before a merge."""
    names = {CustomerId(ref) for source, ref in references_of(db, customer_id) if source == OWN_SOURCE}
    return sorted(names | {customer_id})


def links(db: Connection) -> pa.Table:
    """Every reference and its customer: columns source, customer_ref, customer_id."""
    rows = store.all_members(db)
    names = ("source", "customer_ref", "customer_id")
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table(
        {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}
    )


def list_conflicts(db: Connection, *, limit: int = 100) -> list[ConflictRow]:
    """Identifiers that should make customers one and must not, newest first."""
    return store.conflicts(db, limit=limit)


def masked_profile(
    db: Connection, keyring: Keyring, customer_id: CustomerId, *, as_of: datetime = _ALWAYS
) -> MaskedProfile:
    """The person behind a customer, masked; of an unknown customer nothing is known.

    ``as_of``: as it was known then, by when values were told and when we learnt them; which references
    are this customer is what we know today. By default everything known counts.
    """
    refs = references_of(db, customer_id)
    told = ingestion.personal_facts(db, refs) if refs else []
    facts = [fact for fact in told if fact.occurred_at <= as_of and fact.received_at <= as_of]
    present = present_values(facts)
    opened = ingestion.opened_values(db, keyring, present.values())
    shown = {field: masked(field, opened[fact]) for field, fact in present.items()}
    registered = ingestion.list_events(db, refs, as_of=as_of, kinds=["customer_registered"]) if refs else []
    first = registered[0] if registered else None
    return MaskedProfile(
        name=shown.get("name"),
        phone=shown.get("phone"),
        email=shown.get("email"),
        national_id=shown.get("national_id"),
        birth_date=shown.get("birth_date"),
        address=shown.get("address"),
        region=first.payload.get("region") if first else None,
        channel=first.payload.get("channel") if first else None,
        registered_at=first.occurred_at if first else None,
        verified=verified_fields(facts, present),
        erased_at=erased_at(db, customer_id),
    )


def masked_names(
    db: Connection, keyring: Keyring, customer_ids: Iterable[CustomerId]
) -> dict[CustomerId, str]:
    """The masked names of a page of customers; whose name is unknown is not in it."""
    owner = {(source, ref): asked for asked, source, ref in store.members(db, list(customer_ids))}
    names: dict[str, list[PersonalFact]] = {}
    for fact in ingestion.personal_facts(db, list(owner)) if owner else []:
        if fact.field == "name":
            names.setdefault(owner[fact.source, fact.customer_ref], []).append(fact)
    present = {asked: present_values(facts).get("name") for asked, facts in names.items()}
    opened = ingestion.opened_values(db, keyring, [fact for fact in present.values() if fact is not None])
    return {CustomerId(asked): masked("name", opened[fact]) for asked, fact in present.items() if fact}


def reveal(
    db: Connection,
    keyring: Keyring,
    customer_id: CustomerId,
    field: str,
    *,
    operator: Operator,
    reason: str,
    now: datetime,
) -> str | RevealRefusal:
    """The clear value of one field, for an operator with the permission and a reason. Audited here.

    A refusal for want of permission is audited as well.
    """
    refusal = reveal_refusal(field, operator=operator, reason=reason)
    fact = None
    refs = references_of(db, customer_id)
    tells = reason_tells(db, keyring, refs, reason)
    if refusal is None and tells:
        refusal = RevealRefusalReason.REASON_TELLS
    if refusal is None:
        fact = present_values(ingestion.personal_facts(db, refs)).get(field)
        refusal = None if fact else RevealRefusalReason.NOTHING_KNOWN
    if refusal in {None, RevealRefusalReason.NOT_PERMITTED}:
        record_audit(
            db,
            actor=operator.operator_id,
            action="customer.revealed" if refusal is None else "customer.reveal_refused",
            subject=f"customer:{customer_id}",
            detail={"field": field[:20], "reason": "" if tells else reason.strip()},
            now=now,
        )
    if refusal is not None:
        return RevealRefusal(refusal)
    assert fact is not None
    return ingestion.opened_values(db, keyring, [fact])[fact]


def _first_id(ref: Reference) -> str:
    return derived_id("cus", *ref)


def _new_tokens(db: Connection, facts: Iterable[PersonalFact]) -> Counter[str]:
    """Tokens of identifiers that were verified and that we did not know of."""
    verified = [
        ReferenceIdentifier(fact.source, fact.customer_ref, fact.field, fact.token, fact.occurred_at)
        for fact in facts
        if fact.verified and fact.field in MATCHING_FIELDS
    ]
    return store.add_identifiers(db, verified) if verified else Counter()
