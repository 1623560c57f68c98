"""Proving: who looks like a customer is put into one file with them, but only proof lets them spend."""

from __future__ import annotations

from sqlalchemy import Connection

from shouxin.identity import rulings, store
from shouxin.identity.domain import match, standing
from shouxin.kernel import OWN_SOURCE, CustomerId


def is_proven(db: Connection, holder: str, *, source: str, customer_ref: str) -> bool:
    """Whether a reference was proven to be ``holder``, the customer that another reference had of its own.

    Everybody can type in somebody else's name, birthday and address: records that only agree prove
    nothing here. Proof is what both verified, or an operator's word, also by way of a third file.
    """
    own = own_customer(db, source=source, customer_ref=customer_ref)
    return own is not None and are_proven_one(db, own, holder)


def own_customer(db: Connection, *, source: str, customer_ref: str) -> CustomerId | None:
    """The customer that a reference had of its own, before any merge; for ``credit`` that very customer."""
    if source == OWN_SOURCE:
        own = customer_ref if store.customer_of(db, source, customer_ref) else None
    else:
        own = store.own_id(db, source, customer_ref)
    return CustomerId(own) if own else None


def are_proven_one(db: Connection, one: str, other: str) -> bool:
    """Whether two customers, each as known before any merge, are one by proof and not by likeness alone."""
    if one == other:
        return True
    person = store.customer_of(db, OWN_SOURCE, one)
    ids = store.own_ids(db, person) if person else []
    if other not in ids:
        return False
    age = {customer_id: number for number, customer_id in enumerate(ids)}
    ruled = standing(rulings.rulings_of(db, ids)).among(ids)
    proven = match(store.identifiers_of(db, ids), age=age, rulings=ruled)
    kept = {merge.absorbed_id: merge.customer_id for merge in proven.merges}
    return kept.get(one, one) == kept.get(other, other)
