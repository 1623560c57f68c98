"""Cross-fitting: how much of what a model learnt from few events was luck, and taking that much back.

Bins and weights have seen the outcomes that they are fitted to, so on few events a model is too sure of
itself: its calibration slope on new customers is below one. The learner is run again on four fifths of the
customers and asked about the last fifth, five times; the slope of the outcomes on those predictions is the
share that was not luck (Copas 1983; Steyerberg 2019, ch. 13). The whole model, learnt from every row, is
scaled by it. What each fold found of the variables is kept for the report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.metrics import calibration_line, level
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.split import folds
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.fold_selection import FOLDS, FoldFindings, findings_of, selection_report
from shouxin.scoring.training.learners import Fitted, Task
from shouxin.scoring.training.parts import part_of, predicted
from shouxin.scoring.training.preparation import EVENTS_MIN

# With more events than these the luck is too small to see.
EVENTS_FEW = 1_000
# A slope below this says that the model learnt nothing, not that it should say nothing.
_SLOPE_MIN = 0.1


def cross_fitted(fit: Callable[[Task], Fitted], task: Task, fitted: Fitted) -> Fitted:
    """``fitted`` without its luck; as it is where there are many events, or none was found."""
    events = int(min(task.y.sum(), len(task.y) - task.y.sum()))
    if events >= EVENTS_FEW or events * (FOLDS - 1) / FOLDS < EVENTS_MIN:
        return fitted
    try:
        log_odds, found = _out_of_fold(fit, task)
    except UnableToTrain as error:
        return replace(fitted, notes=[*fitted.notes, f"not cross-fitted: {error}"])
    fitted = replace(fitted, selection=selection_report(task, found))
    _, slope = calibration_line(task.y.astype(np.float64), log_odds / MILLION)
    if not _SLOPE_MIN <= slope < 1:
        return replace(fitted, notes=[*fitted.notes, f"cross-fitted slope {slope:.3f}: left as it is"])
    millionths = round(slope * MILLION)
    note = f"cross-fitted on {events:,} events: scaled by {slope:.3f}"
    scaled = replace(fitted, body=fitted.body.scaled(millionths), notes=[*fitted.notes, note])
    everybody = np.ones(len(task.y), dtype=np.bool_)
    moved = level(predicted(scaled, task, everybody) / MILLION, float(task.y.mean()))
    return replace(scaled, intercept=scaled.intercept + round(moved * MILLION))


def _out_of_fold(
    fit: Callable[[Task], Fitted], task: Task
) -> tuple[npt.NDArray[np.float64], list[FoldFindings]]:
    """Log-odds (millionths) of every row from a model that did not see its customer; what each fold found."""
    fold = folds(task.y, count=FOLDS, seed=task.seed, groups=task.groups)
    log_odds, found = np.empty(len(task.y)), []
    for number in range(FOLDS):
        apart = fold == number
        part = part_of(task, ~apart)
        fitted = fit(part)
        log_odds[apart] = predicted(fitted, task, apart)
        found.append(findings_of(part, fitted))
    return log_odds, found
