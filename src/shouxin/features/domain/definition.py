"""What a feature is: a formula over a customer's events, and its meaning.

A definition is data. ``compiler`` compiles it to SQL, ``evaluation`` computes it over a list of events;
neither knows anything about a feature that is not written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shouxin.features.domain.aggregates import Aggregate, Formula, aggregates_in, formula_data, kinds_of
from shouxin.features.domain.fields import UnableToDefine
from shouxin.features.domain.topics import Topic
from shouxin.ingestion.consent.domain import purposes_of_use
from shouxin.kernel import Bilingual


class Entity(StrEnum):
    """Whose feature it is: whose events are gathered into one number."""

    CUSTOMER = "customer"


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
    """One feature: how it is computed, what it means, what it is about, who answers for it."""

    name: str
    formula: Formula
    meaning: Bilingual
    unit: str
    missing: Missing
    direction: Direction | None
    owner: str
    topic: Topic
    entity: Entity = Entity.CUSTOMER

    def __post_init__(self) -> None:
        """Raise UnableToDefine for a name that could not be a column, or without a unit or an owner."""
        if not (self.name.isascii() and self.name.isidentifier() and self.name.islower()):
            raise UnableToDefine(f"feature {self.name!r}: a name is small letters, digits and underscores")
        if not self.unit or not self.owner:
            raise UnableToDefine(f"feature {self.name}: say its unit and who answers for it")

    @property
    def parts(self) -> tuple[Aggregate, ...]:
        """The different aggregates of its formula, from left to right."""
        return tuple(dict.fromkeys(aggregates_in(self.formula)))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of event that it reads, sorted."""
        return kinds_of(self.parts)

    @property
    def window_days(self) -> int | None:
        """How many days it looks back at most; None is the whole history."""
        windows = [part.looks_back_days for part in self.parts]
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
            "entity": self.entity.value,
            "topic": self.topic.value,
            "formula": formula_data(self.formula),
            "meaning": self.meaning.as_data(),
            "unit": self.unit,
            "missing": self.missing.value,
            "direction": self.direction.value if self.direction else None,
            "owner": self.owner,
        }


def parts_of(definitions: Sequence[FeatureDefinition]) -> tuple[Aggregate, ...]:
    """The different aggregates behind some definitions, each once, in order of first use."""
    return tuple(dict.fromkeys(part for definition in definitions for part in definition.parts))
