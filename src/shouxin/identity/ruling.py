"""The verbs of rulings: merge, split, undo; each is kept with its reason, audited, and works at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from shouxin.governance import record_audit
from shouxin.governance.domain.people import storable
from shouxin.identity import online, rulings, store
from shouxin.identity.domain import Ruling, RulingRefusal, RulingRefusalReason, Verdict, standing
from shouxin.identity.domain.ruling import RULING_REASON_LENGTH_MIN
from shouxin.identity.merging import rematch
from shouxin.identity.proving import are_proven_one
from shouxin.kernel import OWN_SOURCE

Reference = tuple[str, str]
_R = RulingRefusalReason


def merge_customers(
    db: Connection, customer_id: str, *, other_id: str, reason: str, by: str, now: datetime
) -> Ruling | RulingRefusal:
    """Rule that two customers are one person, and make them one; the one known longest stays.

    Of two who are one file by likeness alone, named by the ids that they had of their own, it is the proof.
    """
    ones, others = (_everybody(db, one) for one in (customer_id, other_id))
    if ones and ones == others and not are_proven_one(db, customer_id, other_id):
        ones, others = [customer_id], [other_id]
    refusal = _merge_refusal(db, ones, others, reason)
    if refusal is not None:
        return RulingRefusal(refusal)
    return _ruled(db, Verdict.SAME, ones[:1], others[:1], reason=reason, by=by, now=now)


def part_customers(
    db: Connection, customer_id: str, *, other_id: str, reason: str, by: str, now: datetime
) -> Ruling | RulingRefusal:
    """Rule that two customers, who are two today, stay two whatever their records say."""
    ones, others = (_everybody(db, one) for one in (customer_id, other_id))
    if _too_short(reason):
        return RulingRefusal(_R.REASON_TOO_SHORT)
    if not ones or not others:
        return RulingRefusal(_R.UNKNOWN_CUSTOMER)
    if ones == others:
        return RulingRefusal(_R.ONE_ALREADY)
    return _ruled(db, Verdict.DIFFERENT, ones, others, reason=reason, by=by, now=now)


def split_customer(
    db: Connection, customer_id: str, *, references: Sequence[Reference], reason: str, by: str, now: datetime
) -> Ruling | RulingRefusal:
    """Rule that these references are not the customer's, and part them from the others."""
    everybody = _everybody(db, customer_id)
    leaving = [store.own_id(db, *reference) for reference in dict.fromkeys(references)]
    chosen = [one for one in leaving if one is not None and one in everybody]
    staying = [one for one in everybody if one not in chosen]
    if _too_short(reason):
        return RulingRefusal(_R.REASON_TOO_SHORT)
    if not chosen or len(chosen) != len(leaving):
        return RulingRefusal(_R.UNKNOWN_CUSTOMER)
    if not staying:
        return RulingRefusal(_R.NOTHING_LEFT)
    return _ruled(db, Verdict.DIFFERENT, chosen, staying, reason=reason, by=by, now=now)


def undo_ruling(
    db: Connection, ruling_no: int, *, reason: str, by: str, now: datetime
) -> Ruling | RulingRefusal:
    """Take a ruling back: who is one follows from the other evidence again. The ruling stays on record."""
    found = rulings.ruling(db, ruling_no)
    if _too_short(reason):
        return RulingRefusal(_R.REASON_TOO_SHORT)
    if found is None:
        return RulingRefusal(_R.UNKNOWN_RULING)
    if found.undone_by is not None:
        return RulingRefusal(_R.UNDONE_ALREADY)
    rulings.add_undoing(db, found, reason=storable(reason.strip()), by=by, now=now)
    _take_effect(db, "customer.ruling_undone", found, reason=reason, by=by, now=now)
    undone = rulings.ruling(db, ruling_no)
    assert undone is not None
    return undone


def _ruled(
    db: Connection,
    verdict: Verdict,
    ones: Sequence[str],
    others: Sequence[str],
    *,
    reason: str,
    by: str,
    now: datetime,
) -> Ruling:
    made = rulings.add_ruling(
        db, verdict, customer_ids=ones, other_ids=others, reason=storable(reason.strip()), by=by, now=now
    )
    action = "customer.ruled_same" if verdict is Verdict.SAME else "customer.ruled_different"
    _take_effect(db, action, made, reason=reason, by=by, now=now)
    return made


def _take_effect(db: Connection, action: str, ruling: Ruling, *, reason: str, by: str, now: datetime) -> None:
    store.held_progress(db)  # one matching at a time, as unify
    everybody = {*ruling.customer_ids, *ruling.other_ids}
    rematch(db, tokens={}, customers=everybody, weights=online.weights_in_use(db), now=now)
    record_audit(
        db,
        actor=by,
        action=action,
        subject=f"customer:{ruling.customer_ids[0]}",
        detail={
            "ruling": ruling.ruling_no,
            "customers": list(ruling.customer_ids),
            "others": list(ruling.other_ids),
            "reason": storable(reason.strip()),
        },
        now=now,
    )


def _merge_refusal(
    db: Connection, ones: Sequence[str], others: Sequence[str], reason: str
) -> RulingRefusalReason | None:
    if _too_short(reason):
        return _R.REASON_TOO_SHORT
    if not ones or not others:
        return _R.UNKNOWN_CUSTOMER
    if ones == others:
        return _R.ONE_ALREADY
    proven = {item.customer_id for item in store.identifiers_of(db, [*ones, *others]) if _decides(item.field)}
    if proven & set(ones) and proven & set(others):
        return _R.TWO_NATIONAL_IDS
    different = standing(rulings.rulings_of(db, [*ones, *others])).different
    if any((min(a, b), max(a, b)) in different for a in ones for b in others):
        return _R.RULED_DIFFERENT
    return None


def _decides(field: str) -> bool:
    return field == "national_id"


def _everybody(db: Connection, customer_id: str) -> list[str]:
    """The own ids of the customer whom this id leads to, the eldest first; nobody when there is no such."""
    found = store.customer_of(db, OWN_SOURCE, customer_id)
    return store.own_ids(db, found) if found else []


def _too_short(reason: str) -> bool:
    return len("".join(reason.split())) < RULING_REASON_LENGTH_MIN
