"""Indicators: what is watched and from which level on it is a signal. Data first, then one judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from shouxin.kernel import Bilingual, CustomerId, Money

Unit = Literal["days", "ratio"]


class Severity(StrEnum):
    """How bad a signal is; each step weighs twice the one below."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def weight(self) -> int:
        """1, 2, 4 or 8."""
        return 1 << list(Severity).index(self)


class Stage(StrEnum):
    """Where in the business the risk shows: before an order, while it runs, after it."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


SEVERITY_WORDS: Mapping[Severity, Bilingual] = {
    Severity.LOW: Bilingual("低", "Low"),
    Severity.MEDIUM: Bilingual("中", "Medium"),
    Severity.HIGH: Bilingual("高", "High"),
    Severity.CRITICAL: Bilingual("紧急", "Critical"),
}
STAGE_WORDS: Mapping[Stage, Bilingual] = {
    Stage.BEFORE: Bilingual("业务前", "Before business"),
    Stage.DURING: Bilingual("业务中", "During business"),
    Stage.AFTER: Bilingual("业务后", "After business"),
}


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of one customer at one instant: the values that indicators read, and what is at stake.

    A value that is missing or None is unknown, and an unknown value never makes a signal.
    """

    customer_id: CustomerId
    values: Mapping[str, float | None]
    exposure: Money
    days_past_due: int = 0
    grade: str | None = None


class Borrowed(Protocol):
    """The part of a credit line that is watched; a line and an exposure of the credit room are this."""

    @property
    def limit(self) -> Money:
        """What was granted."""

    @property
    def held(self) -> Money:
        """What checkouts hold."""

    @property
    def outstanding(self) -> Money:
        """What is owed."""

    @property
    def days_past_due(self) -> int:
        """Days since the oldest unpaid instalment fell due."""


# Customers without a line have nothing at stake, in the currency that our books are kept in.
_NOTHING = Money.zero("CNY")


def observation_of(
    customer_id: CustomerId,
    *,
    measured: Mapping[str, float | None],
    borrowed: Borrowed | None,
    grade: str | None = None,
) -> Observation:
    """One customer as seen now: measured features, and the line as it stands (never a feature of it)."""
    if borrowed is None:
        return Observation(customer_id, measured, _NOTHING, grade=grade)
    used = borrowed.held + borrowed.outstanding
    line = {
        "days_past_due": float(borrowed.days_past_due),
        "used": float(used.minor),
        "limit": float(borrowed.limit.minor),
    }
    return Observation(
        customer_id, {**measured, **line}, borrowed.outstanding, borrowed.days_past_due, grade=grade
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured value, and how sure we may be of it (0 to 1)."""

    measured: float
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Level:
    """Measure: one observed value as it stands."""

    of: str

    def read(self, values: Mapping[str, float | None]) -> Reading | None:
        """The value, or None when it is unknown."""
        value = values.get(self.of)
        return None if value is None else Reading(float(value))


@dataclass(frozen=True, slots=True)
class Share:
    """Measure: a part of a whole, such as the used part of a line. No whole, no share."""

    part: str
    whole: str

    def read(self, values: Mapping[str, float | None]) -> Reading | None:
        """The share, or None when a side is unknown or there is no whole."""
        part, whole = values.get(self.part), values.get(self.whole)
        return None if part is None or not whole else Reading(float(part) / float(whole))


@dataclass(frozen=True, slots=True)
class Supported:
    """Measure: an observed value that counts only when enough cases stand behind it.

    ``cases`` names the count that the value was measured on. Fewer than ``cases_min`` say nothing (one
    return of one order is a rate of 100 %); confidence is n / (n + cases_min), so it grows from one half
    towards one.
    """

    of: str
    cases: str
    cases_min: int

    def read(self, values: Mapping[str, float | None]) -> Reading | None:
        """The value, or None when it is unknown or the cases are too few."""
        value, cases = values.get(self.of), values.get(self.cases)
        if value is None or cases is None or cases < self.cases_min:
            return None
        return Reading(float(value), float(cases) / (float(cases) + self.cases_min))


@dataclass(frozen=True, slots=True)
class Threshold:
    """From ``at_least`` on the signal has this severity, and the alert carries this title."""

    severity: Severity
    at_least: float
    title: Bilingual


@dataclass(frozen=True, slots=True)
class Indicator:
    """One thing that is watched: what it means, who answers for it, how it is measured, when it warns."""

    name: str
    meaning: Bilingual
    stage: Stage
    risk_point: Bilingual
    owner: str
    unit: Unit
    measure: Level | Share | Supported
    thresholds: tuple[Threshold, ...] = field(default=())

    def __post_init__(self) -> None:
        steps = [(t.severity.weight, t.at_least) for t in self.thresholds]
        assert steps and steps == sorted(steps), f"{self.name}: thresholds rise with severity"

    def threshold_for(self, measured: float) -> Threshold | None:
        """The worst threshold that the measured value reaches."""
        return next((t for t in reversed(self.thresholds) if measured >= t.at_least), None)

    def threshold_of(self, severity: Severity) -> Threshold:
        """The threshold of a severity that this indicator gave; else the one below."""
        below = [t for t in self.thresholds if t.severity.weight <= severity.weight]
        return below[-1] if below else self.thresholds[0]


@dataclass(frozen=True, slots=True)
class Signal:
    """An indicator reached a threshold for a customer. A fact, not yet work for anybody."""

    customer_id: CustomerId
    indicator: str
    severity: Severity
    measured: float
    threshold: float
    confidence: float
    exposure: Money
    days_past_due: int
    grade: str | None

    @property
    def priority(self) -> int:
        """Where the alert stands in the queue; see ``priority``."""
        return priority(self.severity, exposure_minor=self.exposure.minor, confidence=self.confidence)


def judge(indicator: Indicator, observation: Observation) -> Signal | None:
    """Whether the observation is a signal of this indicator, and how severe a one."""
    reading = indicator.measure.read(observation.values)
    threshold = None if reading is None else indicator.threshold_for(reading.measured)
    if reading is None or threshold is None:
        return None
    return Signal(
        customer_id=observation.customer_id,
        indicator=indicator.name,
        severity=threshold.severity,
        measured=reading.measured,
        threshold=threshold.at_least,
        confidence=reading.confidence,
        exposure=observation.exposure,
        days_past_due=observation.days_past_due,
        grade=observation.grade,
    )


# A customer who owes nothing yet still ranks by severity: as if one currency unit were at stake.
_EXPOSURE_MINOR_MIN = 100


def priority(severity: Severity, *, exposure_minor: int, confidence: float) -> int:
    """Severity x exposure x confidence, in weighted minor units; larger is looked at earlier."""
    return int(severity.weight * max(exposure_minor, _EXPOSURE_MINOR_MIN) * confidence)


def explain(indicator: Indicator, *, measured: float, threshold: float) -> Bilingual:
    """What was measured against which threshold, for people."""
    shown = [_shown(value, unit=indicator.unit) for value in (measured, threshold)]
    return Bilingual(
        f"{indicator.meaning.zh}：{shown[0].zh}（阈值 {shown[1].zh}）。",
        f"{indicator.meaning.en}: {shown[0].en} (threshold {shown[1].en}).",
    )


def _shown(value: float, *, unit: Unit) -> Bilingual:
    if unit == "days":
        return Bilingual(f"{value:.0f} 天", f"{value:.0f} day{'' if value == 1 else 's'}")
    return Bilingual(f"{value:.1%}", f"{value:.1%}")
