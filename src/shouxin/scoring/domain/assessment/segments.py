"""Segments: the same model, group by group, on columns that somebody gives and that are never inferred.

A group with fewer rows or events than can carry a figure is told with its counts and no figures. Nothing here
goes back into a model: a segment is a column to judge by, not one to learn from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shouxin.scoring.domain.assessment.lines import rate_interval
from shouxin.scoring.domain.metrics import Evaluation, Floats, Interval, Ints, UnableToEvaluate, evaluate

ROWS_MIN = 50
EVENTS_MIN = 10
# Beyond this a column names rows, it does not part them.
GROUPS_MAX = 60
# Four fifths: a group approved less often than 80 % of the most approved one (29 CFR 1607.4 D).
FOUR_FIFTHS = 0.8
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """One group: counts, what was approved, and the figures where it is large enough.

    ``fpr`` is the share of its non-events that were turned away, ``fnr`` the share of its events let through.
    ``approval_ratio`` is its approval rate by that of the group that is approved most often, with Katz's
    (1978) interval on the log. None where a figure can not be carried; ``why_not`` says why.
    """

    name: str
    rows: int
    events: int
    approved: Interval
    approval_ratio: Interval | None
    fpr: Interval | None
    fnr: Interval | None
    evaluation: Evaluation | None
    foretold: float
    why_not: str | None

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        figures = self.evaluation.as_data() if self.evaluation else {}
        return {
            "name": self.name,
            "rows": self.rows,
            "events": self.events,
            "event_rate": round(self.events / self.rows, 6),
            "foretold": round(self.foretold, 6),
            "approved": self.approved.as_data(),
            "approval_ratio": _told(self.approval_ratio),
            "fpr": _told(self.fpr),
            "fnr": _told(self.fnr),
            **{name: figures.get(name) for name in ("auc", "ks", "brier", "slope")},
            "why_not": self.why_not,
        }


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The groups of one column, in order of their names."""

    column: str
    cut_off: float
    lines: tuple[SegmentLine, ...]

    @property
    def below_four_fifths(self) -> tuple[str, ...]:
        """Groups whose approval rate is below four fifths of the highest, beyond chance."""
        return tuple(
            line.name
            for line in self.lines
            if line.approval_ratio is not None and line.approval_ratio.high < FOUR_FIFTHS
        )

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "column": self.column,
            "cut_off": round(self.cut_off, 9),
            "below_four_fifths": list(self.below_four_fifths),
            "groups": [line.as_data() for line in self.lines],
        }


def segmentation(
    column: str,
    names: Sequence[str],
    y: Floats,
    pd: Floats,
    *,
    cut_off: float,
    groups: Ints | None = None,
    seed: int = 7,
) -> Segmentation:
    """Judge every group of ``names`` (one name a row) by itself. Raises UnableToEvaluate."""
    found, codes = np.unique(np.asarray(names, dtype=np.str_), return_inverse=True)
    if len(found) > GROUPS_MAX:
        raise UnableToEvaluate(
            f"{column!r} has {len(found)} different values; a segment column has {GROUPS_MAX} at most"
        )
    parts = [codes == code for code in range(len(found))]
    approved = [float((pd[part] < cut_off).mean()) for part in parts]
    large = [int(part.sum()) >= ROWS_MIN for part in parts]
    best = max((i for i in range(len(parts)) if large[i]), key=lambda i: approved[i], default=None)
    top = None if best is None else pd[parts[best]] < cut_off
    lines = tuple(
        _line(str(name), part, y, pd, cut_off=cut_off, top=top, groups=groups, seed=seed)
        for name, part in zip(found, parts, strict=True)
    )
    return Segmentation(column, cut_off, lines)


def _line(
    name: str,
    part: Any,
    y: Floats,
    pd: Floats,
    *,
    cut_off: float,
    top: Any,
    groups: Ints | None,
    seed: int,
) -> SegmentLine:
    truth, risk = y[part], pd[part]
    approved = risk < cut_off
    why_not = _too_few(truth)
    evaluation = None
    if why_not is None:
        inside = None if groups is None else np.unique(groups[part], return_inverse=True)[1]
        evaluation = evaluate(truth, risk, groups=inside, seed=seed)
    return SegmentLine(
        name,
        len(truth),
        int(truth.sum()),
        rate_interval(approved.astype(np.float64)),
        _ratio(approved, top) if len(truth) >= ROWS_MIN and top is not None else None,
        _rate(~approved[truth == 0]),
        _rate(approved[truth == 1]),
        evaluation,
        float(risk.mean()),
        why_not,
    )


def _too_few(truth: Floats) -> str | None:
    events = int(truth.sum())
    fewer = min(events, len(truth) - events)
    if len(truth) < ROWS_MIN:
        return f"{len(truth)} rows; {ROWS_MIN} are needed"
    if fewer < EVENTS_MIN:
        return f"{events} events, {len(truth) - events} non-events; {EVENTS_MIN} of each are needed"
    return None


def _rate(found: Any) -> Interval | None:
    return rate_interval(found.astype(np.float64)) if len(found) >= EVENTS_MIN else None


def _ratio(approved: Any, top: Any) -> Interval | None:
    mine, theirs = float(approved.mean()), float(top.mean())
    if not mine or not theirs:
        return Interval(0.0, 0.0, 0.0) if theirs else None
    if np.array_equal(approved, top):
        return Interval(1.0, 1.0, 1.0)
    ratio = mine / theirs
    spread = _Z * math.sqrt((1 - mine) / (mine * len(approved)) + (1 - theirs) / (theirs * len(top)))
    return Interval(ratio, ratio * math.exp(-spread), ratio * math.exp(spread))


def _told(interval: Interval | None) -> dict[str, float | None] | None:
    return None if interval is None else interval.as_data()
