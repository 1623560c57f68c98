"""Skew: what the checkout saw of a customer, held against what the history says was known then. Pure.

Zero is the tolerance: the two are one definition over the same facts. Where the *facts* were not the same,
that is told apart from a definition that went wrong, by what the checkout wrote down of what it saw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import inf, isfinite
from typing import Any
from zlib import crc32

SAMPLE_ONE_IN = 8
EXAMPLES_MAX = 3


class Cause(StrEnum):
    """Why two values differ; the first that holds. All but UNEXPLAINED are as they should be."""

    REGROUPED = "regrouped"  # the customer was merged with another, or parted, since
    ARRIVED_LATER = "arrived_later"  # a fact with an earlier arrival came into the log afterwards
    BEING_STORED = "being_stored"  # a fact was being stored just then, by a transaction not yet committed
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Witness:
    """What a reader wrote down of what it saw.

    ``seen`` facts, with all up to event number ``settled`` for certain and none beyond ``position``.
    """

    seen: int
    settled: int
    position: int

    def as_facts(self) -> dict[str, int]:
        """As facts of a decision."""
        return {f"{_PREFIX}{name}": getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Witness | None:
        """What a decision kept, if it was one of the sample."""
        names = [f"{_PREFIX}{name}" for name in cls.__slots__]
        return cls(*(facts[name] for name in names)) if facts.keys() >= set(names) else None


_PREFIX = "seen."


@dataclass(frozen=True, slots=True)
class ServedValues:
    """The features that one decision read, and what was seen for them."""

    decision_id: str
    customer_id: str
    as_of: datetime
    features_hash: str
    values: Mapping[str, float | None]
    witness: Witness


@dataclass(frozen=True, slots=True)
class Known:
    """How many facts that were known at the decision's instant lie in the log today.

    All of them; those numbered up to the witness's ``settled``; those up to its ``position``.
    """

    total: int
    settled: int
    position: int


@dataclass(frozen=True, slots=True)
class FeatureSkew:
    """One feature over all decisions: values held against each other, unequal ones by cause, and how far."""

    name: str
    compared: int
    causes: Mapping[Cause, int] = field(default_factory=dict)
    largest: float = 0.0
    examples: tuple[str, ...] = ()

    @property
    def unequal(self) -> int:
        """How many values differ, for whatever cause."""
        return sum(self.causes.values())

    def as_data(self) -> dict[str, Any]:
        """The row as JSON data."""
        return {
            "feature": self.name,
            "compared": self.compared,
            "unequal": self.unequal,
            "share": self.unequal / self.compared,
            # JSON has no infinity: null says that one of the two was missing.
            "largest": self.largest if isfinite(self.largest) else None,
            "causes": {str(cause): count for cause, count in sorted(self.causes.items())},
            "examples": list(self.examples),
        }


@dataclass(frozen=True, slots=True)
class SkewReport:
    """A run: the decisions looked at, those of another catalogue that were left out, and every feature."""

    checked_at: datetime
    since: datetime
    until: datetime
    features_hash: str
    decisions: int
    left_out: int
    features: tuple[FeatureSkew, ...]

    @property
    def compared(self) -> int:
        """How many values were held against each other."""
        return sum(one.compared for one in self.features)

    @property
    def unequal(self) -> int:
        """How many of them differ, for whatever cause."""
        return sum(one.unequal for one in self.features)

    @property
    def unexplained(self) -> int:
        """How many differ although the facts were the same."""
        return sum(one.causes.get(Cause.UNEXPLAINED, 0) for one in self.features)

    @property
    def is_good(self) -> bool:
        """Whether nothing differs that should not."""
        return not self.unexplained

    def as_data(self) -> dict[str, Any]:
        """The run as JSON data; features that differ come first."""
        ranked = sorted(self.features, key=lambda one: (-one.unequal, one.name))
        return {
            "checked_at": self.checked_at.isoformat(),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "features_hash": self.features_hash,
            "decisions": self.decisions,
            "left_out": self.left_out,
            "compared": self.compared,
            "unequal": self.unequal,
            "unexplained": self.unexplained,
            "features": [one.as_data() for one in ranked],
        }


def is_sampled(decision_id: str) -> bool:
    """Whether a decision writes down what it saw: one in SAMPLE_ONE_IN, by its id."""
    return crc32(decision_id.encode()) % SAMPLE_ONE_IN == 0


def cause_of(witness: Witness, known: Known, *, regrouped: bool) -> Cause:
    """Why values of one decision differ."""
    if regrouped:
        return Cause.REGROUPED
    # Fewer than the log surely held, or more than it holds: something was lost or counted twice.
    if not known.settled <= witness.seen <= known.position or witness.seen == known.total:
        return Cause.UNEXPLAINED
    return Cause.ARRIVED_LATER if witness.seen == known.position else Cause.BEING_STORED


def differences(served: ServedValues, batch: Mapping[str, float | None]) -> dict[str, float]:
    """How far each value is from the other; infinitely, where only one of them is missing."""
    found = {}
    for name, online in served.values.items():
        other = batch[name]
        if online != other:
            is_missing = online is None or other is None
            found[name] = inf if is_missing else abs(online - other)  # type: ignore[operator]
    return found


def gathered(compared: Iterable[tuple[ServedValues, Mapping[str, float], Cause]]) -> tuple[FeatureSkew, ...]:
    """One row a feature from the decisions, the differences of each and why it has any."""
    counts: Counter[str] = Counter()
    causes: dict[str, Counter[Cause]] = {}
    largest: dict[str, float] = {}
    examples: dict[str, list[str]] = {}
    for served, found, cause in compared:
        counts.update(served.values.keys())
        for name, difference in found.items():
            causes.setdefault(name, Counter())[cause] += 1
            largest[name] = max(largest.get(name, 0.0), difference)
            examples.setdefault(name, []).append(served.decision_id)
    return tuple(
        FeatureSkew(
            name,
            count,
            dict(causes.get(name, {})),
            largest.get(name, 0.0),
            tuple(examples.get(name, [])[:EXAMPLES_MAX]),
        )
        for name, count in sorted(counts.items())
    )


def report_from(data: Mapping[str, Any]) -> SkewReport:
    """Read what ``as_data`` wrote."""
    features = tuple(
        FeatureSkew(
            one["feature"],
            one["compared"],
            {Cause(cause): count for cause, count in one["causes"].items()},
            inf if one["largest"] is None else one["largest"],
            tuple(one["examples"]),
        )
        for one in data["features"]
    )
    return SkewReport(
        checked_at=datetime.fromisoformat(data["checked_at"]),
        since=datetime.fromisoformat(data["since"]),
        until=datetime.fromisoformat(data["until"]),
        features_hash=data["features_hash"],
        decisions=data["decisions"],
        left_out=data["left_out"],
        features=features,
    )
