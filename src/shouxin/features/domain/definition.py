"""What a feature is: aggregates over a customer's events, a form that combines them, and its meaning.

A definition is data. ``feature_sql`` compiles it to one DuckDB expression, ``evaluation`` computes it
over a list of events; neither knows anything about a feature that is not written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shouxin.ingestion.consent.domain import purposes_of_use
from shouxin.kernel import Bilingual


class Origin(StrEnum):
    """Where the value of a field comes from."""

    ORDER = "order"
    AMOUNT = "amount"
    NUMBER = "number"
    TEXT = "text"
    HOUR = "hour"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Field:
    """A value read from one event; ``name`` is the payload field, or the zone of an hour or a month."""

    origin: Origin
    name: str = ""

    @property
    def column(self) -> str:
        """Its column among the prepared facts."""
        name = "".join(letter if letter.isalnum() else "_" for letter in self.name)
        return f"{self.origin}_of_{name}" if name else f"{self.origin}_value"


ORDER = Field(Origin.ORDER)
AMOUNT = Field(Origin.AMOUNT)
# For how many days a fact may be used, as whoever told it says.
VALID_DAYS = Field(Origin.NUMBER, "valid_days")


class Comparison(StrEnum):
    """How a field is held against a value; a missing field satisfies none."""

    EQUALS = "="
    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one field of an event."""

    field: Field
    comparison: Comparison
    value: str | float


class Aggregation(StrEnum):
    """How the events of a window become one number.

    Counts and sums of nothing are 0; the others are null. LATEST_VALID is what the newest event says, while
    the days that it gives itself (``VALID_DAYS``) are not over; where that one is silent, it is null.
    Sums are of money only: they are added as integers, so that no order of addition changes the result.
    """

    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    MAX = "max"
    LATEST = "latest"
    LATEST_VALID = "latest_valid"
    DAYS_SINCE_LATEST = "days_since_latest"
    DAYS_SINCE_EARLIEST = "days_since_earliest"


_NEEDS_NO_FIELD = {Aggregation.COUNT, Aggregation.DAYS_SINCE_LATEST, Aggregation.DAYS_SINCE_EARLIEST}
_MONEY_ONLY = {Aggregation.SUM, Aggregation.LATEST}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number over the events of some kinds in the window ``(as_of - window_days, as_of]``.

    ``window_days`` None means the whole history. Money is in major units.
    """

    aggregation: Aggregation
    kinds: tuple[str, ...]
    window_days: int | None = None
    field: Field | None = None
    where: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        assert self.kinds, "an aggregate says which kinds of event it reads"
        assert self.window_days is None or self.window_days > 0
        assert (self.field is None) == (self.aggregation in _NEEDS_NO_FIELD), self.aggregation
        assert self.aggregation not in _MONEY_ONLY or self.field == AMOUNT, self.aggregation
        # Whatever a fact says of itself, somebody must say how old it may be at most.
        assert self.aggregation is not Aggregation.LATEST_VALID or self.window_days, self.aggregation

    def fields(self) -> tuple[Field, ...]:
        """Every field that it reads."""
        own = () if self.field is None else (self.field,)
        if self.aggregation is Aggregation.LATEST_VALID:
            own = (*own, VALID_DAYS)
        return (*own, *(condition.field for condition in self.where))


class Form(StrEnum):
    """How aggregates combine: ``a``; ``a / b``; ``a / b - c / d``. Division by zero or null is null."""

    VALUE = "value"
    SHARE = "share"
    JUMP = "jump"


_PARTS_OF = {Form.VALUE: 1, Form.SHARE: 2, Form.JUMP: 4}


class Missing(StrEnum):
    """What a value that can not be computed becomes: the null that models treat apart, or nothing (0)."""

    STAYS_NULL = "stays_null"
    IS_ZERO = "is_zero"


class Direction(StrEnum):
    """The monotone expectation that models are held to, where credit sense gives one."""

    HIGHER_IS_RISKIER = "higher_is_riskier"
    HIGHER_IS_SAFER = "higher_is_safer"


@dataclass(frozen=True, slots=True)
class FeatureDefinition:
    """One feature: how it is computed, what it means, who answers for it."""

    name: str
    form: Form
    parts: tuple[Aggregate, ...]
    meaning: Bilingual
    unit: str
    missing: Missing
    direction: Direction | None
    owner: str

    def __post_init__(self) -> None:
        assert self.name.isidentifier() and self.name.islower(), self.name
        assert len(self.parts) == _PARTS_OF[self.form], f"{self.name}: {self.form} has other parts"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of event that it reads, sorted."""
        return kinds_of(self.parts)

    @property
    def window_days(self) -> int | None:
        """The longest window that it looks back over; None is the whole history."""
        windows = [part.window_days for part in self.parts]
        return None if None in windows else max(window for window in windows if window is not None)

    @property
    def purposes(self) -> frozenset[str]:
        """The purposes of which none may be withdrawn by a customer for the feature to be read."""
        tokens = {field.name.removesuffix("_token") for part in self.parts for field in part.fields()}
        return purposes_of_use(self.kinds, tokens)

    def as_data(self) -> dict[str, Any]:
        """The definition as JSON data; the catalogue's hash is over these."""
        return {
            "name": self.name,
            "form": self.form.value,
            "parts": [_aggregate_data(part) for part in self.parts],
            "meaning": self.meaning.as_data(),
            "unit": self.unit,
            "missing": self.missing.value,
            "direction": self.direction.value if self.direction else None,
            "owner": self.owner,
        }


def kinds_of(parts: Sequence[Aggregate]) -> tuple[str, ...]:
    """The kinds of event that some aggregates read, sorted."""
    return tuple(sorted({kind for part in parts for kind in part.kinds}))


def parts_of(definitions: Sequence[FeatureDefinition]) -> tuple[Aggregate, ...]:
    """The different aggregates behind some definitions, each once, in order of first use."""
    return tuple(dict.fromkeys(part for definition in definitions for part in definition.parts))


def _aggregate_data(aggregate: Aggregate) -> Mapping[str, Any]:
    return {
        "aggregation": aggregate.aggregation.value,
        "kinds": list(aggregate.kinds),
        "window_days": aggregate.window_days,
        "field": _field_data(aggregate.field) if aggregate.field else None,
        "where": [[_field_data(item.field), item.comparison.value, item.value] for item in aggregate.where],
    }


def _field_data(field: Field) -> list[str]:
    return [field.origin.value, field.name]
