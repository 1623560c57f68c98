"""Gates: what a model must show before anybody may make it champion.

A gate is a test with a figure and an answer. A model passes when no gate that could be tested failed; a gate
that could not be tested says why, and the second person who is asked for the approval reads that too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.columns import score_columns
from shouxin.scoring.domain.drift import WATCH, Shift
from shouxin.scoring.domain.metrics import Evaluation, Interval
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.score import score_one

EVENTS_MIN = 50
SLOPE_LOW, SLOPE_HIGH = 0.9, 1.1
# No winner inside 0.003 AUC: worse by more than this is worse.
AUC_ROPE = 0.003
_SAMPLE = 200
_STEPS = 24
# What rounding alone may undo of a direction.
_TOLERANCE = MILLION // 10_000


class Passed(StrEnum):
    """How a gate ended."""

    YES = "passed"
    NO = "failed"
    UNTESTED = "untested"


PASSED_WORDS: Mapping[Passed, Bilingual] = {
    Passed.YES: Bilingual("通过", "Passed"),
    Passed.NO: Bilingual("未通过", "Failed"),
    Passed.UNTESTED: Bilingual("未检验", "Not tested"),
}
GATE_WORDS: Mapping[str, Bilingual] = {
    "events": Bilingual("违约样本数足够", "Enough events to learn from"),
    "leaks": Bilingual("没有未说明的泄漏变量", "No leak that nobody explained"),
    "directions": Bilingual("单调方向全部遵守", "Every declared direction is kept"),
    "parity": Bilingual("单条与批量评分一致", "One row and many rows score alike"),
    "reasons": Bilingual("原因分值加总等于总分", "Reasons add up to the score"),
    "calibration": Bilingual("校准斜率在0.9至1.1之间", "Calibration slope from 0.9 to 1.1"),
    "not_worse": Bilingual("区分能力不低于现任模型", "Not worse than the champion"),
    "population": Bilingual("开发样本与留出样本人群一致", "Development and held-out populations agree"),
    "meanings": Bilingual("每个变量都有中英文含义", "Every feature has a meaning in zh and en"),
}


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate and how it ended; ``figure`` is what was measured, in words for a reader."""

    code: str
    passed: Passed
    figure: str

    def as_data(self) -> dict[str, str]:
        """Plain JSON."""
        return {"code": self.code, "passed": self.passed.value, "figure": self.figure}

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> Gate:
        """Read what ``as_data`` wrote."""
        return cls(data["code"], Passed(data["passed"]), data["figure"])


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What the gates are tested on: rows that trained nothing, and what is known of them.

    ``difference`` is the AUC less the champion's on the same rows; None where there is no champion.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    held_out: Evaluation | None
    difference: Interval | None = None
    score_shift: Shift | None = None


def open_gates(gates: Sequence[Gate]) -> bool:
    """Whether a model with these gates may be promoted: some were tested, and none failed."""
    return any(gate.passed is Passed.YES for gate in gates) and all(
        gate.passed is not Passed.NO for gate in gates
    )


def run_gates(artefact: Artefact, facts: GateFacts, *, leaks: Sequence[Mapping[str, Any]]) -> list[Gate]:
    """Every gate, in the order in which a validator asks."""
    return [
        _events(artefact),
        _leaks(leaks),
        _directions(artefact, facts.columns),
        _parity(artefact, facts.columns),
        _reasons(artefact, facts.columns),
        _calibration(facts.held_out),
        _not_worse(facts.difference),
        _population(facts.score_shift),
        _meanings(artefact),
    ]


def violations(artefact: Artefact, columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, int]:
    """By feature with a declared direction, at how many steps of a sweep its score moved the other way.

    Each of some rows is scored again and again while one feature climbs through its own quantiles.
    """
    rows = _sampled(columns)
    found = {}
    for feature in artefact.features:
        if not feature.direction:
            continue
        ladder = _ladder(np.asarray(columns[feature.name], dtype=np.float64), feature.special)
        if len(ladder) < 2:
            continue
        size = len(next(iter(rows.values())))
        swept = {name: np.tile(values, len(ladder)) for name, values in rows.items()}
        swept[feature.name] = np.repeat(ladder, size)
        risk = score_columns(artefact, swept).log_odds.reshape(len(ladder), size)
        wrong = int((np.diff(risk, axis=0) * feature.direction < -_TOLERANCE).sum())
        if wrong:
            found[feature.name] = wrong
    return found


def _events(artefact: Artefact) -> Gate:
    events = artefact.trained.events
    fewer = min(events, artefact.trained.rows - events)
    return Gate("events", _answer(fewer >= EVENTS_MIN), f"{events:,} / {artefact.trained.rows:,}")


def _leaks(leaks: Sequence[Mapping[str, Any]]) -> Gate:
    silent = [
        str(leak["name"]) for leak in leaks if str(leak.get("kept_because", "")).startswith("no reason")
    ]
    return Gate("leaks", _answer(not silent), ", ".join(silent) or "0")


def _directions(artefact: Artefact, columns: Mapping[str, npt.NDArray[Any]]) -> Gate:
    declared = sum(bool(feature.direction) for feature in artefact.features)
    if not declared:
        return Gate("directions", Passed.UNTESTED, "0")
    wrong = violations(artefact, columns)
    told = ", ".join(f"{name} ({count})" for name, count in wrong.items())
    return Gate("directions", _answer(not wrong), told or f"0 / {declared}")


def _parity(artefact: Artefact, columns: Mapping[str, npt.NDArray[Any]]) -> Gate:
    rows = _sampled(columns)
    many = score_columns(artefact, rows)
    unlike = 0
    for row in range(len(many)):
        one = score_one(artefact, {name: _plain(values[row]) for name, values in rows.items()})
        unlike += (one.log_odds, one.points, one.pd) != (
            int(many.log_odds[row]),
            int(many.points[row]),
            float(many.pd[row]),
        )
    return Gate("parity", _answer(not unlike), f"{unlike} / {len(many)}")


def _reasons(artefact: Artefact, columns: Mapping[str, npt.NDArray[Any]]) -> Gate:
    scored = score_columns(artefact, _sampled(columns))
    summed = scored.contributions.sum(axis=1, dtype=np.int64) + scored.reference_log_odds
    points = scored.feature_points.sum(axis=1, dtype=np.int64) + scored.reference_points
    unlike = int(((summed != scored.log_odds) | (points != scored.points)).sum())
    return Gate("reasons", _answer(not unlike), f"{unlike} / {len(scored)}")


def _calibration(held_out: Evaluation | None) -> Gate:
    """Failed where the data speak against a slope in the range: with few events the interval is wide."""
    if held_out is None:
        return Gate("calibration", Passed.UNTESTED, "-")
    slope = held_out.slope
    told = f"{slope.value:.3f} ({slope.low:.3f} … {slope.high:.3f})"
    if np.isnan(slope.value):
        return Gate("calibration", Passed.NO, told)
    inside = SLOPE_LOW <= slope.value <= SLOPE_HIGH
    reaches = slope.low <= SLOPE_HIGH and slope.high >= SLOPE_LOW
    return Gate("calibration", _answer(inside or reaches), told)


def _not_worse(difference: Interval | None) -> Gate:
    if difference is None:
        return Gate("not_worse", Passed.UNTESTED, "-")
    told = f"{difference.value:+.4f} ({difference.low:+.4f} … {difference.high:+.4f})"
    return Gate("not_worse", _answer(difference.value >= -AUC_ROPE), told)


def _population(moved: Shift | None) -> Gate:
    if moved is None:
        return Gate("population", Passed.UNTESTED, "-")
    fine = moved.psi < WATCH or moved.psi <= moved.critical
    return Gate("population", _answer(fine), f"PSI {moved.psi:.4f}")


def _meanings(artefact: Artefact) -> Gate:
    silent = [feature.name for feature in artefact.features if not feature.meaning]
    return Gate("meanings", _answer(not silent), ", ".join(silent) or f"{len(artefact.features)}")


def _answer(passed: bool) -> Passed:  # noqa: FBT001 - turns a truth into the word for it
    return Passed.YES if passed else Passed.NO


def _sampled(columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Some rows, evenly spread, the same ones every time."""
    size = len(next(iter(columns.values())))
    places = np.unique(np.linspace(0, size - 1, num=min(size, _SAMPLE)).astype(np.int64))
    return {name: np.asarray(values)[places] for name, values in columns.items()}


def _ladder(values: npt.NDArray[np.float64], special: Sequence[float]) -> npt.NDArray[np.float64]:
    known = values[np.isfinite(values) & ~np.isin(values, special)]
    if not len(known):
        return known
    return np.unique(np.quantile(known, np.linspace(0, 1, _STEPS), method="nearest"))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
