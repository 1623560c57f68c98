"""One grading run: learn from matured outcomes, grade everyone at a date, and check it on strangers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from shouxin import features, scoring
from shouxin.features import EventOfDefault, UnableToLabel
from shouxin.grading.domain import (
    Grade,
    GradeAssignment,
    GradeLine,
    Inversion,
    MasterScale,
    grade_of,
    inversions,
    is_held_out,
    scale_for,
)
from shouxin.grading.service.candidates import columns_of, held_out_rows, train_candidate
from shouxin.grading.service.standings import assign
from shouxin.kernel import CustomerId, Progress, silent

Floats = np.ndarray[Any, np.dtype[np.float64]]
_STEPS = 4


class UnableToGrade(RuntimeError):
    """There is no model to grade with; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the model foretold what happened.

    ``held_out`` and ``everyone`` are out of time, after ``as_of``; ``why_not`` says why that is not known.
    ``unseen`` is of held-out customers at the dates of training: people the model did not see.
    """

    held_out: scoring.Evaluation | None
    everyone: scoring.Evaluation | None
    why_not: str | None
    unseen: scoring.Evaluation | None = None

    def as_data(self) -> dict[str, Any]:
        """The figures as JSON data."""
        return {
            "held_out": self.held_out.as_data() if self.held_out else None,
            "all": self.everyone.as_data() if self.everyone else None,
            "why_not": self.why_not,
            "unseen": self.unseen.as_data() if self.unseen else None,
        }


@dataclass(frozen=True, slots=True)
class GradingRun:
    """What a run did: the model, whom it graded how, and the evidence.

    ``watched_from`` are the dates at which held-out customers were graded to be watched afterwards.
    """

    outcome: str
    as_of: datetime
    model: str
    model_hash: str
    features_hash: str
    scale: MasterScale
    training_points: tuple[datetime, ...]
    training_rows: int
    training_events: int
    customers: int
    grades: tuple[GradeLine, ...]
    evidence: Evidence
    watched_from: tuple[datetime, ...] = ()
    gates: tuple[scoring.Gate, ...] = ()

    @property
    def inversions(self) -> tuple[Inversion, ...]:
        """Grades whose observed rates do not rise; empty when the scale keeps its promise."""
        return inversions(self.grades)

    def as_data(self) -> dict[str, Any]:
        """The run as JSON data; ``default_rate`` is observed on customers held out of training."""
        return {
            "as_of": self.as_of.isoformat(),
            "event": self.outcome,
            "model": self.model,
            "versions": {"model": self.model_hash, "features": self.features_hash},
            "scale": self.scale.as_data(),
            "training": {
                "points": [point.isoformat() for point in self.training_points],
                "rows": self.training_rows,
                "events": self.training_events,
            },
            "customers": self.customers,
            "grades": [line.as_data() for line in self.grades],
            "watched_from": [point.isoformat() for point in self.watched_from],
            "monotone": not self.inversions,
            "evaluation": self.evidence.as_data(),
            "gates": [gate.as_data() for gate in self.gates],
        }


@dataclass(frozen=True, slots=True)
class _Graded:
    """The customers at ``as_of``, in the order of the feature table."""

    customer_ids: list[str]
    pd: Floats
    assignments: list[GradeAssignment]


def train_and_grade(
    db: Connection,
    history: Path,
    links: pa.Table,
    *,
    as_of: datetime,
    outcome: EventOfDefault,
    model: Literal["scorecard", "ebm"] = "scorecard",
    now: datetime,
    progress: Progress = silent,
) -> GradingRun:
    """Train on outcomes that had matured by ``as_of``, grade every customer known then, and save it all.

    Nothing learnt after ``as_of`` touches the model or a grade; what happened afterwards, where the
    history tells it, is only the evidence. Raises UnableToLabel, UnableToReadHistory, UnableToTrain.
    """
    progress(0, _STEPS)
    candidate = train_candidate(db, history, links, as_of=as_of, outcome=outcome, model=model, now=now)
    progress(1, _STEPS)
    artefact, points, scale = candidate.artefact, candidate.points, scale_for(outcome.name)
    graded = _grade(history, links, artefact, artefact.hash, as_of=as_of, scale=scale)
    progress(2, _STEPS)
    assign(db, graded.assignments, now=now)
    progress(3, _STEPS)
    _, end = features.history_period(history, links)
    happened, why_not = _outcomes(history, links, as_of=as_of, outcome=outcome, known_until=end)
    earlier = _strangers_of(candidate.table, artefact)
    watched = earlier + _strangers(graded, happened)
    progress(_STEPS, _STEPS)
    return GradingRun(
        outcome.name,
        as_of,
        model,
        artefact.hash,
        features.catalogue_hash(),
        scale,
        points,
        candidate.rows,
        candidate.events,
        len(graded.customer_ids),
        tuple(_line(grade, graded.assignments, watched, scale=scale) for grade in Grade),
        _evidence(graded, happened, why_not, earlier=earlier),
        points if why_not else (*points, as_of),
        candidate.gates,
    )


def grade_everyone(
    db: Connection,
    history: Path,
    links: pa.Table,
    *,
    as_of: datetime,
    now: datetime,
    progress: Progress = silent,
) -> int:
    """Grade every customer known at ``as_of`` with the champion and save it; returns how many.

    Raises UnableToGrade without a champion, and UnableToReadHistory.
    """
    champion = scoring.champion(db)
    if champion is None:
        raise UnableToGrade("no model is champion; train one with `shouxin grade` and have it promoted")
    scale = scale_for(champion.outcome or "")
    progress(0, 2)
    graded = _grade(history, links, champion, champion.hash, as_of=as_of, scale=scale)
    progress(1, 2)
    assign(db, graded.assignments, now=now)
    progress(2, 2)
    return len(graded.assignments)


def _grade(
    history: Path,
    links: pa.Table,
    artefact: scoring.Artefact,
    model_hash: str,
    *,
    as_of: datetime,
    scale: MasterScale,
) -> _Graded:
    table = features.compute(history, links, as_of=as_of)
    columns = columns_of(table)
    scored = scoring.score_columns(artefact, columns)
    customer_ids: list[str] = table["customer_id"].to_pylist()
    features_hash = features.catalogue_hash()
    assignments = [
        GradeAssignment(
            CustomerId(customer_id),
            as_of,
            float(scored.pd[row]),
            int(scored.points[row]),
            grade_of(float(scored.pd[row]), scale),
            model_hash,
            features_hash,
            _reasons(artefact, scored, row, columns),
        )
        for row, customer_id in enumerate(customer_ids)
    ]
    return _Graded(customer_ids, scored.pd, assignments)


def _reasons(
    artefact: scoring.Artefact, scored: scoring.ScoredColumns, row: int, columns: Mapping[str, Floats]
) -> tuple[Mapping[str, Any], ...]:
    values = {name: float(columns[name][row]) for name in scored.names}
    score = scoring.score_at(artefact, scored, row, values)
    return tuple(reason.as_data() for reason in scoring.reasons(artefact, score))


def _outcomes(
    history: Path, links: pa.Table, *, as_of: datetime, outcome: EventOfDefault, known_until: datetime
) -> tuple[dict[str, int], str | None]:
    """What happened after ``as_of`` to each customer of the population, or why that is not known."""
    try:
        table = features.labels(history, links, as_of=as_of, outcome=outcome, known_until=known_until)
    except UnableToLabel as error:
        return {}, str(error)
    happened = dict(zip(table["customer_id"].to_pylist(), table["event"].to_pylist(), strict=True))
    return happened, None


class _Watched(NamedTuple):
    """A customer at a date: what was said of them, and whether the event followed."""

    customer_id: str
    pd: float
    event: int


def _strangers(graded: _Graded, happened: Mapping[str, int]) -> list[_Watched]:
    """Every held-out customer of whom the outcome is known."""
    return [
        _Watched(item.customer_id, item.pd, happened[item.customer_id])
        for item in graded.assignments
        if item.customer_id in happened and is_held_out(item.customer_id)
    ]


def _strangers_of(table: pa.Table, artefact: scoring.Artefact) -> list[_Watched]:
    """A training table's held-out customers at each of its dates: they trained nothing."""
    rows = held_out_rows(table)
    if not rows.num_rows:
        return []
    pd = scoring.pd_of_columns(artefact, columns_of(rows))
    told = zip(rows["customer_id"].to_pylist(), pd.tolist(), rows["event"].to_pylist(), strict=True)
    return [_Watched(*row) for row in told]


def _line(
    grade: Grade, assignments: Sequence[GradeAssignment], watched: Sequence[_Watched], *, scale: MasterScale
) -> GradeLine:
    pds = [item.pd for item in assignments if item.grade is grade]
    seen = [row for row in watched if grade_of(row.pd, scale) is grade]
    mean = sum(pds) / len(pds) if pds else None
    if not seen:
        return GradeLine(grade, len(pds), mean, 0, 0)
    y = np.array([row.event for row in seen], dtype=np.float64)
    rate = scoring.clustered_rate_interval(y, _groups(seen))
    foretold = sum(row.pd for row in seen) / len(seen)
    return GradeLine(grade, len(pds), mean, len(seen), int(y.sum()), foretold, (rate.low, rate.high))


def _groups(rows: Sequence[_Watched]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A number for every row: whose it is."""
    return np.unique([row.customer_id for row in rows], return_inverse=True)[1].astype(np.int64)


def _evidence(
    graded: _Graded,
    happened: Mapping[str, int],
    why_not: str | None,
    *,
    earlier: Sequence[_Watched],
) -> Evidence:
    unseen, _ = _measured(earlier)
    if why_not:
        return Evidence(None, None, why_not, unseen)
    pds = dict(zip(graded.customer_ids, graded.pd.tolist(), strict=True))
    known = [_Watched(who, pds[who], event) for who, event in happened.items() if who in pds]
    held_out, why_not = _measured([row for row in known if is_held_out(row.customer_id)])
    everyone, _ = _measured(known)
    return Evidence(held_out, everyone, why_not, unseen)


def _measured(rows: Sequence[_Watched]) -> tuple[scoring.Evaluation | None, str | None]:
    """The measures of PDs against what happened, or why there are none."""
    try:
        found = scoring.evaluate([row.event for row in rows], [row.pd for row in rows], groups=_groups(rows))
        return found, None
    except scoring.UnableToEvaluate as error:
        return None, str(error)
