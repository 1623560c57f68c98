"""Holding what decided against what the history says was known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Connection

from shouxin import identity, ingestion
from shouxin.features import skew
from shouxin.features.domain import catalogue_hash, definitions_of
from shouxin.features.service import compute_each, kinds_kept
from shouxin.features.skew import Cause, Known, ServedValues, SkewReport
from shouxin.kernel import OWN_SOURCE, CustomerId, Progress, silent


def check_skew(
    db: Connection,
    history: Path,
    served: Sequence[ServedValues],
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    progress: Progress = silent,
) -> SkewReport:
    """Compute the values of these decisions anew from the ``history``, compare, and keep the result.

    The history must have been exported since the last of them. Decisions under another catalogue are left
    out, and counted. Raises UnableToReadHistory.
    """
    ours = [one for one in served if one.features_hash == catalogue_hash()]
    today = [_customer_today(db, one) for one in ours]
    names = frozenset(name for one in ours for name in one.values)
    points = [(str(customer), one.as_of) for customer, one in zip(today, ours, strict=True)]
    rows = compute_each(
        history, _links_of(db, today), points=points, definitions=definitions_of(names), progress=progress
    )
    compared = [
        (one, found, _cause(db, one, customer) if found else Cause.UNEXPLAINED)
        for one, customer, row in zip(ours, today, rows, strict=True)
        for found in [skew.differences(one, row)]
    ]
    left_out = len(served) - len(ours)
    report = SkewReport(now, since, until, catalogue_hash(), len(ours), left_out, skew.gathered(compared))
    skew.insert_run(db, report)
    return report


def latest_skew(db: Connection) -> SkewReport | None:
    """What the newest run of the skew monitor found, if there was any."""
    return skew.latest_run(db)


def _customer_today(db: Connection, one: ServedValues) -> CustomerId:
    """Whom the customer of a decision leads to by now."""
    found = identity.find_customer(db, source=OWN_SOURCE, customer_ref=one.customer_id)
    return found or CustomerId(one.customer_id)


def _links_of(db: Connection, customers: Sequence[CustomerId]) -> pa.Table:
    """The references of these customers only: the history is then as small as they are."""
    rows = [
        (source, reference, str(customer))
        for customer in dict.fromkeys(customers)
        for source, reference in identity.references_of(db, customer)
    ]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    names = ("source", "customer_ref", "customer_id")
    return pa.table(
        {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}
    )


def _cause(db: Connection, one: ServedValues, customer: CustomerId) -> Cause:
    """Why the values of a decision are others by now."""
    changes = identity.memberships(db, customer)
    regrouped = str(customer) != one.customer_id or any(at > one.as_of for _, _, at in changes)
    return skew.cause_of(one.witness, _known(db, one, customer), regrouped=regrouped)


def _known(db: Connection, one: ServedValues, customer: CustomerId) -> Known:
    refs = sorted({*identity.references_of(db, customer), (OWN_SOURCE, one.customer_id)})
    bounds: Mapping[str, int | None] = {
        "total": None,
        "settled": one.witness.settled,
        "position": one.witness.position,
    }
    return Known(
        **{
            name: ingestion.count_events(db, refs, as_of=one.as_of, kinds=kinds_kept(), last_event_no=last)
            for name, last in bounds.items()
        }
    )
