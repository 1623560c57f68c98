"""Disclosing: everything personal that is known of a customer, in clear, because they asked for it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from shouxin import ingestion
from shouxin.governance import Keyring, Operator, record_audit
from shouxin.identity.domain.disclosure import (
    DisclosureRefusal,
    DisclosureRefusalReason,
    PersonalValue,
    disclosure_refusal,
)
from shouxin.identity.reasons import reason_tells
from shouxin.identity.store import members
from shouxin.kernel import CustomerId


def disclose(
    db: Connection,
    keyring: Keyring,
    customer_id: CustomerId,
    *,
    operator: Operator,
    reason: str,
    now: datetime,
) -> tuple[PersonalValue, ...] | DisclosureRefusal:
    """Every personal value ever told of a customer, in clear, oldest first. Audited here.

    A refusal for want of permission is audited as well.
    """
    refs = [(source, ref) for _, source, ref in members(db, [customer_id])]
    tells = reason_tells(db, keyring, refs, reason)
    refusal = disclosure_refusal(operator=operator, is_known=bool(refs), reason=reason)
    if refusal is None and tells:
        refusal = DisclosureRefusalReason.REASON_TELLS
    if refusal in {None, DisclosureRefusalReason.NOT_PERMITTED}:
        record_audit(
            db,
            actor=operator.operator_id,
            action="customer.exported" if refusal is None else "customer.export_refused",
            subject=f"customer:{customer_id}",
            detail={"reason": "" if tells else reason.strip()},
            now=now,
        )
    if refusal is not None:
        return DisclosureRefusal(refusal)
    opened = ingestion.opened_values(db, keyring, ingestion.personal_facts(db, refs))
    return tuple(
        PersonalValue(
            fact.field,
            value,
            fact.source,
            fact.customer_ref,
            fact.verified,
            fact.occurred_at,
            fact.received_at,
        )
        for fact, value in sorted(opened.items(), key=lambda item: (item[0].field, item[0].occurred_at))
    )
