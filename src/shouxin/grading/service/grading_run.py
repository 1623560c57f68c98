"""One grading run: learn from matured outcomes, grade everyone at a date, and check it on strangers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from shouxin import features, scoring
from shouxin.features import CATALOGUE, EventOfDefault, UnableToLabel
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
from shouxin.grading.service.standings import assign
from shouxin.kernel import CustomerId

Progress = Callable[[int, int], None]
Floats = np.ndarray[Any, np.dtype[np.float64]]
_STEPS = 5
_DIRECTIONS = {features.Direction.HIGHER_IS_RISKIER: 1, features.Direction.HIGHER_IS_SAFER: -1}


class UnableToGrade(RuntimeError):
    """There is no model to grade with; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the grades foretold what happened after ``as_of``; ``why_not`` says why that is not known."""

    held_out: scoring.Evaluation | None
    everyone: scoring.Evaluation | None
    why_not: str | None

    def as_data(self) -> dict[str, Any]:
        """The figures as JSON data."""
        return {
            "held_out": self.held_out.as_data() if self.held_out else None,
            "all": self.everyone.as_data() if self.everyone else None,
            "why_not": self.why_not,
        }


@dataclass(frozen=True, slots=True)
class GradingRun:
    """What a run did: the model, whom it graded how, and the evidence."""

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
            "monotone": not self.inversions,
            "evaluation": self.evidence.as_data(),
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
    progress: Progress | None = None,
) -> GradingRun:
    """Train on outcomes that had matured by ``as_of``, grade every customer known then, and save it all.

    Nothing learnt after ``as_of`` touches the model or a grade; what happened afterwards, where the
    history tells it, is only the evidence. Raises UnableToLabel, UnableToReadHistory, UnableToTrain.
    """
    told = progress or _silent
    start, end = features.history_period(history, links)
    points = features.training_points(outcome, as_of=as_of, history_start=start)
    table = features.training_set(history, links, as_ofs=points, outcome=outcome, known_until=as_of)
    told(1, _STEPS)
    trained, y = _train(table, outcome=outcome, model=model)
    told(2, _STEPS)
    scale = scale_for(outcome.name)
    model_hash = scoring.register(
        db, trained.artefact, name=f"{model}:{outcome.name}", report=trained.report, now=now
    )
    graded = _grade(history, links, trained.artefact, model_hash, as_of=as_of, scale=scale)
    told(3, _STEPS)
    assign(db, graded.assignments, now=now)
    told(4, _STEPS)
    happened, why_not = _outcomes(history, links, as_of=as_of, outcome=outcome, known_until=end)
    run = GradingRun(
        outcome.name,
        as_of,
        model,
        model_hash,
        features.catalogue_hash(),
        scale,
        points,
        len(y),
        int(y.sum()),
        len(graded.customer_ids),
        _lines(graded, happened),
        _evidence(graded, happened, why_not),
    )
    told(_STEPS, _STEPS)
    return run


def grade_everyone(
    db: Connection,
    history: Path,
    links: pa.Table,
    *,
    as_of: datetime,
    now: datetime,
    progress: Progress | None = None,
) -> int:
    """Grade every customer known at ``as_of`` with the champion and save it; returns how many.

    Raises UnableToGrade without a champion, and UnableToReadHistory.
    """
    told = progress or _silent
    champion = scoring.champion(db)
    if champion is None:
        raise UnableToGrade("no model is champion; train one with `shouxin grade` and have it promoted")
    scale = scale_for(champion.outcome or "")
    told(0, 2)
    graded = _grade(history, links, champion, champion.hash, as_of=as_of, scale=scale)
    told(1, 2)
    assign(db, graded.assignments, now=now)
    told(2, 2)
    return len(graded.assignments)


def columns_of(table: pa.Table) -> dict[str, Floats]:
    """The features of a table as float64 columns, NaN where missing."""
    return {item.name: table[item.name].combine_chunks().to_numpy(zero_copy_only=False) for item in CATALOGUE}


def _train(
    table: pa.Table, *, outcome: EventOfDefault, model: Literal["scorecard", "ebm"]
) -> tuple[scoring.TrainedModel, Floats]:
    """A model of the customers who are not held out."""
    known = pa.array([not is_held_out(customer) for customer in table["customer_id"].to_pylist()])
    rows = table.filter(known)
    y = rows["event"].to_numpy().astype(np.float64)
    trained = scoring.train_columns(
        columns_of(rows),
        y,
        model=model,
        outcome=outcome.name,
        directions={item.name: _DIRECTIONS[item.direction] for item in CATALOGUE if item.direction},
        meanings={item.name: item.meaning for item in CATALOGUE},
        groups=np.unique(rows["customer_id"].to_pylist(), return_inverse=True)[1],
    )
    return trained, y


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


def _lines(graded: _Graded, happened: Mapping[str, int]) -> tuple[GradeLine, ...]:
    return tuple(_line(grade, graded.assignments, happened) for grade in Grade)


def _line(grade: Grade, assignments: Sequence[GradeAssignment], happened: Mapping[str, int]) -> GradeLine:
    members = [item for item in assignments if item.grade is grade]
    observed = [
        happened[item.customer_id]
        for item in members
        if item.customer_id in happened and is_held_out(item.customer_id)
    ]
    mean_pd = sum(item.pd for item in members) / len(members) if members else None
    return GradeLine(grade, len(members), mean_pd, len(observed), sum(observed))


def _evidence(graded: _Graded, happened: Mapping[str, int], why_not: str | None) -> Evidence:
    if why_not:
        return Evidence(None, None, why_not)
    known = [(row, happened[one]) for row, one in enumerate(graded.customer_ids) if one in happened]
    strangers = [(row, event) for row, event in known if is_held_out(graded.customer_ids[row])]
    try:
        return Evidence(_measured(graded, strangers), _measured(graded, known), None)
    except scoring.UnableToEvaluate as error:
        return Evidence(None, None, str(error))


def _measured(graded: _Graded, rows: Sequence[tuple[int, int]]) -> scoring.Evaluation:
    return scoring.evaluate([event for _, event in rows], [graded.pd[row] for row, _ in rows])


def _silent(_done: int, _total: int) -> None:
    """Nobody asked to be told."""
