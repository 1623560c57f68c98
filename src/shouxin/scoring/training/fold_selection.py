"""Selection by fold: what each fold says of every variable, and what its model read.

A variable that is kept in one fold and left out in the next owes its place to luck; one that every fold keeps
does not. Kept column by column, so that a report of hundreds of variables stays small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shouxin.scoring.domain.split import folds
from shouxin.scoring.training.learners import Fitted, Task
from shouxin.scoring.training.parts import FOLDS, part_of
from shouxin.scoring.training.preparation import useless
from shouxin.scoring.training.selecting import Verdict, judged, unrest

# Of more variables than these the best bins in every fold would take longer than the model.
_MANY = 60


@dataclass(frozen=True, slots=True)
class FoldFindings:
    """One fold: its rows and events, and the figures and the verdict of every variable.

    ``model`` is what was fitted to its rows; None where no model was.
    """

    rows: int
    events: int
    figures: dict[str, dict[str, Any]]
    verdicts: dict[str, Verdict]
    model: Fitted | None

    @property
    def used(self) -> frozenset[str]:
        """The variables that its model reads."""
        return frozenset(feature.name for feature in self.model.features) if self.model else frozenset()


def findings_of(task: Task, model: Fitted | None = None) -> FoldFindings:
    """What the rows of ``task`` say of its variables, and the model that was fitted to them."""
    empty = useless({variable.name: variable.values for variable in task.kept})
    asked = [variable for variable in task.kept if variable.name not in empty]
    told = judged(asked, task.y, task.months, seed=task.seed, quickly=len(asked) > _MANY)
    verdicts = {name: Verdict("constant", reason) for name, reason in empty.items()}
    verdicts |= {one["name"]: verdict for one, verdict in told if verdict is not None}
    figures = {one["name"]: one for one, _ in told if "iv" in one}
    return FoldFindings(len(task.y), int(task.y.sum()), figures, verdicts, model)


def selection_by_fold(task: Task) -> dict[str, Any]:
    """The selection of each fold, without a model of its own: as ``selection_report``."""
    fold = folds(task.y, count=FOLDS, seed=task.seed, groups=task.groups)
    return selection_report(task, [findings_of(part_of(task, fold != number)) for number in range(FOLDS)])


def selection_report(task: Task, found: Sequence[FoldFindings]) -> dict[str, Any]:
    """The folds beside each other, plain JSON: of each variable a list with one entry a fold.

    ``kept`` counts the folds whose verdict keeps it, ``used`` those whose model reads it (None where folds
    have none). ``psi`` is the worst month of the fold, ``flipped`` in how many months its evidence points the
    other way. ``dropped`` is the first reason against it, ``why`` the same as a code (constant, leak, weak,
    moved, flipped, twin), and ``left_out`` why the model of the fold does not read it.
    """
    rows = [_row(variable.name, found) for variable in task.kept]
    rows.sort(key=lambda row: (-(row["used"] or 0), -row["kept"], -_middle(row["iv"])))
    return {
        "folds": [{"rows": fold.rows, "events": fold.events} for fold in found],
        "months": task.months is not None,
        "variables": rows,
    }


def _row(name: str, found: Sequence[FoldFindings]) -> dict[str, Any]:
    figures = [fold.figures.get(name) for fold in found]
    verdicts = [fold.verdicts.get(name) for fold in found]
    restless = [None if one is None else unrest(one) for one in figures]
    models = [fold.model for fold in found if fold.model is not None]
    return {
        "name": name,
        "kept": sum(verdict is None for verdict in verdicts),
        "used": sum(name in fold.used for fold in found) if models else None,
        "iv": [one and one["iv"] for one in figures],
        "f": [one and one["f"] for one in figures],
        "mutual_information": [one and one["mutual_information"] for one in figures],
        "psi": [one and one[0] for one in restless],
        "flipped": [one and one[1] for one in restless],
        "twin_of": [one and one["twin_of"] for one in figures],
        "why": [verdict and verdict.code for verdict in verdicts],
        "dropped": [verdict and verdict.sentence for verdict in verdicts],
        "left_out": [model.dropped.get(name) for model in models],
    }


def _middle(figures: Sequence[dict[str, Any] | None]) -> float:
    known = sorted(one["value"] for one in figures if one is not None)
    return float(known[len(known) // 2]) if known else 0.0
