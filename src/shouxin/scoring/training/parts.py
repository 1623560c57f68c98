"""Parts: a learner asked about rows that it did not learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.families.contract import sums_of
from shouxin.scoring.training.learners import Fitted, Task


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
