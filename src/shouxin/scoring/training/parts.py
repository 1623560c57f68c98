"""Parts: a learner asked about rows that it did not learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.families.contract import sums_of
from shouxin.scoring.domain.split import folds
from shouxin.scoring.training.learners import Fitted, Task

FOLDS = 5


def part_of(task: Task, inside: npt.NDArray[np.bool_]) -> Task:
    """The task with some of its rows."""
    return replace(
        task,
        kept=[variable.rows(inside) for variable in task.kept],
        y=task.y[inside],
        groups=None if task.groups is None else task.groups[inside],
        months=None if task.months is None else task.months[inside],
    )


def predicted(fitted: Fitted, task: Task, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Log-odds (millionths) of some of the task's rows."""
    columns = {variable.name: variable.values[rows] for variable in task.kept}
    scorer = fitted.body.scorer(fitted.features)
    ready = scorer.prepared([columns[feature.name] for feature in fitted.features])
    return np.asarray(sums_of(scorer, ready) + fitted.intercept, dtype=np.float64)


def predicted_apart(
    fit: Callable[[Task], Fitted], task: Task, *, count: int = FOLDS
) -> npt.NDArray[np.float64]:
    """Log-odds (millionths) of every row from a model that did not see its customer.

    ``fit`` is run ``count`` times, each time on all but one fold of the customers. Raises UnableToTrain.
    """
    fold = folds(task.y, count=count, seed=task.seed, groups=task.groups)
    found = np.empty(len(task.y))
    for number in range(count):
        apart = fold == number
        found[apart] = predicted(fit(part_of(task, ~apart)), task, apart)
    return found
