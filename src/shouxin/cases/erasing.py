"""Erasing at a customer's request: what still ties us to them stands against it; the line ends with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from shouxin import credit, features, identity
from shouxin.cases import store
from shouxin.cases.domain import CaseFilter
from shouxin.governance import Keyring, Operator
from shouxin.identity import Erasure, ErasureRefusal, Obligations
from shouxin.kernel import Approval, CustomerId


def ask_to_erase_customer(
    db: Connection,
    keyring: Keyring,
    customer_id: CustomerId,
    *,
    operator: Operator,
    reason: str,
    now: datetime,
) -> str | ErasureRefusal:
    """Ask for a second person's word on erasing a customer; returns the id of the request."""
    return identity.ask_to_erase(
        db,
        keyring,
        customer_id,
        operator=operator,
        reason=reason,
        obligations=obligations_of(db, customer_id),
        now=now,
    )


def erase_customer(
    db: Connection,
    keyring: Keyring,
    customer_id: CustomerId,
    *,
    operator: Operator,
    approval: Approval | None,
    now: datetime,
) -> Erasure | ErasureRefusal:
    """Erase a customer to whom nothing ties us; the line is frozen first, so that no checkout slips in.

    Refused, nothing is changed. Raises UnableToErase; call ``governance.destroy_erased_keys`` after the
    commit.
    """
    with db.begin_nested() as savepoint:
        line = credit.line_of(db, customer_id)
        if line is not None:  # a line that is frozen already stays so
            credit.freeze(db, line, reason="customer erased", by=operator.operator_id, now=now)
        references = identity.references_of(db, customer_id)
        answer = identity.erase(
            db,
            keyring,
            customer_id,
            operator=operator,
            approval=approval,
            obligations=obligations_of(db, customer_id),
            now=now,
        )
        if isinstance(answer, ErasureRefusal):
            savepoint.rollback()
        else:
            features.forget_states(db, references)
    return answer


def obligations_of(db: Connection, customer_id: CustomerId) -> Obligations:
    """What ties us to a customer today, under every id they ever had."""
    line = credit.line_of(db, customer_id)
    cases = (
        store.list_cases(db, CaseFilter(state="unfinished", customer_id=name, per_page=1)).total
        for name in identity.names_of(db, customer_id)
    )
    return Obligations(
        held=line.held.minor if line else 0,
        outstanding=line.outstanding.minor if line else 0,
        open_cases=sum(cases),
    )
