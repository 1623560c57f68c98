"""Weighing: how much two encoded records speak for one person, field by field, in whole micro-bits.

Fellegi and Sunter's sum, and three rules that money asks for: who shares a home is not one person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shouxin.identity.domain.encoding import FIELDS, LEVEL_MASK, LEVEL_OF, LEVELS, OWN_FIELDS, Encoded
from shouxin.kernel import content_hash

MICRO = 1_000_000
DIFFERS = "differs"
_BITS = tuple((1 << place, field) for place, field in enumerate(FIELDS))
_PLACE = {(field, label): place for field, labels in LEVELS.items() for place, label in enumerate(labels)}
_LEVEL_PLACES = {number: (field, _PLACE[field, label]) for number, (field, label) in LEVEL_OF.items()}
_ID_BIT, _BIRTH_BIT = (1 << FIELDS.index(field) for field in ("national_id", "birth_date"))
# Twins and a slip of the pen look alike: such a name alone merges nobody.
_DOUBTFUL_NAMES = frozenset({"one character differs"})


@dataclass(frozen=True, slots=True)
class LinkageWeights:
    """The model: for each field the micro-bits of its levels, the closest first, and then of a difference.

    A pair is one person from ``merge_from`` micro-bits on (the prior included), and worth a look from
    ``review_from`` on.
    """

    fields: Mapping[str, tuple[int, ...]]
    prior: int
    merge_from: int
    review_from: int

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> LinkageWeights:
        """The model of an artefact as ``as_data`` gives it."""
        fields = {
            field: (*(data["fields"][field]["levels"][label] for label in labels),
                    data["fields"][field][DIFFERS])
            for field, labels in LEVELS.items()
        }  # fmt: skip
        return cls(fields, data["prior"], data["merge_from"], data["review_from"])

    def as_data(self) -> dict[str, Any]:
        """The artefact: JSON, whole micro-bits."""
        fields = {
            field: {"levels": dict(zip(LEVELS[field], bits, strict=False)), DIFFERS: bits[-1]}
            for field, bits in self.fields.items()
        }
        return {
            "fields": fields, "prior": self.prior,
            "merge_from": self.merge_from, "review_from": self.review_from,
        }  # fmt: skip

    @property
    def hash(self) -> str:
        """The name that the artefact's content gives it."""
        return content_hash(self.as_data())


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one field says of two records: the level that holds (or DIFFERS) and its micro-bits."""

    field: str
    level: str
    micro_bits: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """A pair of records: the evidence field by field, and the sum with the prior and the rules.

    ``micro_bits`` is None where they are two people whatever else agrees.
    """

    evidence: tuple[Evidence, ...]
    micro_bits: int | None


def weigh(one: Encoded, other: Encoded, *, weights: LinkageWeights) -> Weighed:
    """Compare two records; which is first makes no difference."""
    return weighed(agreement(one, other), weights=weights)


def weighed(found: Mapping[str, str], *, weights: LinkageWeights) -> Weighed:
    """What an agreement (field -> level or DIFFERS) weighs."""
    evidence = tuple(
        Evidence(field, level, weights.fields[field][_PLACE.get((field, level), -1)])
        for field, level in found.items()
    )
    total = weights.prior + sum(item.micro_bits for item in evidence)
    return Weighed(evidence, _ruled(found, total, weights))


def _ruled(found: Mapping[str, str], total: int, weights: LinkageWeights) -> int | None:
    """The sum as the rules leave it."""
    own = any(found.get(field) == "same" for field in OWN_FIELDS)
    name = found.get("name")
    if name in {DIFFERS, None} and not own:
        return None  # a home shares its telephone, its address and even its birthdays
    doubtful = name in _DOUBTFUL_NAMES and not own
    if doubtful or found.get("national_id") == DIFFERS:
        return min(total, weights.merge_from - 1)
    return total


def agreement(one: Encoded, other: Encoded) -> dict[str, str]:
    """The closest level of each field that both records hold, or DIFFERS.

    A national id holds the day of birth: where both have one, the day is not counted again.
    """
    both = one.fields & other.fields
    if both & _ID_BIT:
        both &= ~_BIRTH_BIT
    closest: dict[str, int] = {}
    for code in one.codes & other.codes:
        field, place = _LEVEL_PLACES[code & LEVEL_MASK]
        if place < closest.get(field, place + 1):
            closest[field] = place
    return {
        field: LEVELS[field][closest[field]] if field in closest else DIFFERS
        for bit, field in _BITS
        if both & bit
    }
