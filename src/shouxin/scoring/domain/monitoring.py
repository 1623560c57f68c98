"""What the monitor says of a model on a day: drift, calibration, early vintages, and what is foretold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouxin.scoring.domain.drift import Shift, Verdict
from shouxin.scoring.domain.foretelling import Foretold
from shouxin.scoring.domain.gates import SLOPE_HIGH, SLOPE_LOW
from shouxin.scoring.domain.metrics import Evaluation, Interval

# So many features may wander for a while before somebody must act on them alone.
_FEATURES_ACT_SHARE = 0.2
_EVENTS_MIN = 30
_ORDER = (Verdict.ACT, Verdict.WATCH, Verdict.TOO_FEW, Verdict.STABLE)


@dataclass(frozen=True, slots=True)
class Vintage:
    """How a matured cohort did against what its probabilities said; ``observed`` is events over expected."""

    as_of: datetime
    rows: int
    events: int
    observed: Interval
    evaluation: Evaluation | None
    verdict: Verdict

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "rows": self.rows,
            "events": self.events,
            "observed_over_expected": self.observed.as_data(),
            "evaluation": self.evaluation.as_data() if self.evaluation else None,
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True, slots=True)
class MonitoringRun:
    """One look at a model. ``matured`` and ``early`` are None while it is too soon; ``why_not`` says why."""

    model_hash: str
    as_of: datetime
    rows: int
    shifts: tuple[Shift, ...]
    foretold: Foretold
    developed_auc: float | None
    matured: Vintage | None
    early: Vintage | None
    why_not: dict[str, str]

    @property
    def verdict(self) -> Verdict:
        """The worst that must be acted on; features that wander alone call for watching."""
        score, *features = [shift.verdict for shift in self.shifts]
        found = [score, *(vintage.verdict for vintage in (self.matured, self.early) if vintage)]
        acting = sum(verdict is Verdict.ACT for verdict in features)
        if features and acting / len(features) > _FEATURES_ACT_SHARE:
            found.append(Verdict.ACT)
        elif any(verdict in {Verdict.ACT, Verdict.WATCH} for verdict in features):
            found.append(Verdict.WATCH)
        return next(verdict for verdict in _ORDER if verdict in found)

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "model": self.model_hash,
            "as_of": self.as_of.isoformat(),
            "rows": self.rows,
            "verdict": self.verdict.value,
            "shifts": [shift.as_data() for shift in self.shifts],
            "foretold": {
                "event_rate": self.foretold.event_rate.as_data(),
                "auc": round(self.foretold.auc, 6),
                "developed_auc": self.developed_auc,
            },
            "matured": self.matured.as_data() if self.matured else None,
            "early": self.early.as_data() if self.early else None,
            "why_not": self.why_not,
        }


def vintage_verdict(observed: Interval, events: int, evaluation: Evaluation | None) -> Verdict:
    """Worse than foretold beyond chance is watched, worse by half is acted on; so is a broken slope."""
    if events < _EVENTS_MIN and observed.low <= 1 <= observed.high:
        return Verdict.TOO_FEW
    slope = evaluation.slope if evaluation else None
    bent = slope is not None and (slope.low > SLOPE_HIGH or slope.high < SLOPE_LOW)
    if observed.low > 1.5:
        return Verdict.ACT
    return Verdict.WATCH if bent or observed.low > 1 or observed.high < 1 else Verdict.STABLE
