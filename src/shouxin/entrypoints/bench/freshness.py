"""How long it takes from an event that a shop sends to the features and the grade that know of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shouxin import decisions, features, identity, ingestion, scoring
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import call_seconds, percentile
from shouxin.entrypoints.house import House

_GOAL_SECONDS = 1.0
_EVENTS = 100
_SOURCE = "shop"


def measure_freshness(house: House, references: Sequence[str]) -> Line:
    """An order is accepted and committed; then the whole catalogue is answered, scored and graded."""

    def tell_and_ask(number: int) -> None:
        reference = references[number % len(references)]
        with house.database.begin() as db:
            now = house.clock()
            receipt = ingestion.accept(db, [_order(reference, now)], keyring=house.keyring, now=now)
        assert receipt.accepted == 1, receipt
        with house.database.begin() as db:
            customer = identity.find_customer(db, source=_SOURCE, customer_ref=reference)
            model = scoring.champion(db)
            assert customer is not None and model is not None, "the shop lends by a champion"
            values = features.values_at(db, customer, as_of=house.clock())
            decisions.score_facts(model, values)
        assert values["days_since_last_order"] == 0.0, "the order is seen at once"

    took = call_seconds(tell_and_ask, calls=_EVENTS)
    return Line(
        "event to fresh feature and grade, p99",
        percentile(took, 0.99),
        "s",
        goal=_GOAL_SECONDS,
        note=f"{_EVENTS} orders stored, then all {len(features.CATALOGUE)} features, score, grade",
    )


def _order(reference: str, now: datetime) -> dict[str, Any]:
    number = uuid.uuid4().hex
    return {
        "source": _SOURCE,
        "source_id": f"bench-{number}",
        "kind": "order_placed",
        "version": 1,
        "customer_ref": reference,
        "occurred_at": now.isoformat(),
        "order_ref": f"bench-{number}",
        "amount": {"value": "10.00", "currency": "CNY"},
        "payload": {"items": 1, "payment_method": "card"},
    }
