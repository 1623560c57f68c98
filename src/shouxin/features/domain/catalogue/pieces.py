"""What the topics of the catalogue are written with: kinds that go together, short words for aggregates."""

from __future__ import annotations

from typing import Any

from shouxin.features.domain.aggregates import Aggregate, Aggregation, Formula
from shouxin.features.domain.definition import Direction, FeatureDefinition, Missing
from shouxin.features.domain.fields import AMOUNT, ORDER, Comparison, Condition, Field, Origin
from shouxin.features.domain.topics import Topic
from shouxin.kernel import Bilingual

Kinds = tuple[str, ...]

ORDERED = ("order_placed", "order_line_placed")
# Whole orders alone say how they are paid, what they are of and where they go.
WHOLE_ORDERS = ("order_placed",)
CANCELLED = ("order_cancelled", "order_line_cancelled")
REFUNDED = ("refund_issued",)
DELIVERED = ("order_delivered",)
SENT_BACK = ("refund_issued", "return_requested", "delivery_refused")

RISKIER, SAFER = Direction.HIGHER_IS_RISKIER, Direction.HIGHER_IS_SAFER
NULL, ZERO = Missing.STAYS_NULL, Missing.IS_ZERO
CUSTOMER_TEAM, CREDIT_TEAM, FRAUD_TEAM = "customer_insight", "credit_risk", "fraud_risk"
# Five years is how long a bad record is kept (Regulation on the Credit Reporting Industry, art. 16). With
# half a year only, whoever stopped repaying for good would look like a good customer when it is over.
RECORD_DAYS = 1825


def feature(
    name: str,
    formula: Formula,
    zh: str,
    en: str,
    unit: str,
    *,
    topic: Topic,
    missing: Missing = ZERO,
    direction: Direction | None = None,
    owner: str = CUSTOMER_TEAM,
) -> FeatureDefinition:
    """A definition; of nothing it is 0 unless said otherwise."""
    return FeatureDefinition(name, formula, Bilingual(zh, en), unit, missing, direction, owner, topic)


def number(name: str) -> Field:
    """A number of the payload."""
    return Field(Origin.NUMBER, name)


def text(name: str) -> Field:
    """A code or a token of the payload."""
    return Field(Origin.TEXT, name)


def says(name: str, *values: str) -> Condition:
    """The payload says one of these words."""
    if len(values) == 1:
        return Condition(text(name), Comparison.EQUALS, values[0])
    return Condition(text(name), Comparison.ONE_OF, values)


def at_least(field: Field, value: float) -> Condition:
    """A number from ``value`` on."""
    return Condition(field, Comparison.AT_LEAST, value)


def at_most(field: Field, value: float) -> Condition:
    """A number up to ``value``."""
    return Condition(field, Comparison.AT_MOST, value)


def told(field: Field) -> Condition:
    """The event has this field."""
    return Condition(field, Comparison.PRESENT)


def count(kinds: Kinds, days: int | None, *where: Condition, ends: int = 0) -> Aggregate:
    """How many events."""
    return Aggregate(Aggregation.COUNT, kinds, days, where=where, ends_days_ago=ends)


def distinct(
    kinds: Kinds, days: int | None, *where: Condition, field: Field = ORDER, ends: int = 0
) -> Aggregate:
    """How many different values; by default, how many orders."""
    return Aggregate(Aggregation.COUNT_DISTINCT, kinds, days, field, where, ends)


def of(
    aggregation: Aggregation,
    kinds: Kinds,
    days: int | None,
    *where: Condition,
    field: Field | None = AMOUNT,
    **settings: Any,
) -> Aggregate:
    """Any other aggregate; by default of the amount."""
    return Aggregate(aggregation, kinds, days, field, where, **settings)


def total(kinds: Kinds, days: int | None, *where: Condition, field: Field = AMOUNT) -> Aggregate:
    """The sum; by default, of the amounts."""
    return Aggregate(Aggregation.SUM, kinds, days, field, where)


def since_latest(kinds: Kinds, *where: Condition) -> Aggregate:
    """Days since the last such event."""
    return Aggregate(Aggregation.DAYS_SINCE_LATEST, kinds, where=where)


def since_earliest(kinds: Kinds, *where: Condition) -> Aggregate:
    """Days since the first such event."""
    return Aggregate(Aggregation.DAYS_SINCE_EARLIEST, kinds, where=where)


def orders(days: int, *, ends: int = 0) -> Aggregate:
    """How many orders."""
    return distinct(ORDERED, days, ends=ends)


def spend(days: int) -> Aggregate:
    """What was ordered for."""
    return total(ORDERED, days)
