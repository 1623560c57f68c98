"""Cross-fitting: what a model learnt from few events says of customers that it did not see, and its mending.

Bins and weights have seen the outcomes that they are fitted to, so on few events a model is too sure of
itself: its calibration slope on new customers is below one. One that stops by rows kept aside errs the other
way: it stops before it has said all, the mean of several such says still less, and its slope is above one.
The learner is run again on four fifths of the customers and asked about the last fifth, five times; the slope
of the outcomes on those predictions says by how much (Copas 1983; Steyerberg 2019, ch. 13). The whole model,
learnt from every row, is scaled by it. What each fold found of the variables is kept for the report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.metrics import calibration_line, level, slope_error
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.fold_selection import FoldFindings, findings_of, selection_report
from shouxin.scoring.training.learners import Fitted, Task
from shouxin.scoring.training.parts import FOLDS, predicted, predicted_apart
from shouxin.scoring.training.preparation import EVENTS_MIN

# With more events than these the luck is too small to see.
EVENTS_FEW = 1_000
# A slope below this says that the model learnt nothing, not that it should say nothing.
_SLOPE_MIN = 0.1
# How far from one the slopes of models that stop themselves lie: over six simulated shops from 0.98 to 1.23.
_TIMID_SPREAD = 0.1


def cross_fitted(fit: Callable[[Task], Fitted], task: Task, fitted: Fitted) -> Fitted:
    """``fitted`` without its luck; as it is where there are many events, or none was found."""
    if not _few(task):
        return fitted
    found: list[FoldFindings] = []

    def told(part: Task) -> Fitted:
        model = fit(part)
        found.append(findings_of(part, model))
        return model

    try:
        log_odds = predicted_apart(told, task) / MILLION
    except UnableToTrain as error:
        return replace(fitted, notes=[*fitted.notes, f"not cross-fitted: {error}"])
    fitted = replace(fitted, selection=selection_report(task, found))
    _, slope = calibration_line(task.y.astype(np.float64), log_odds)
    if not _SLOPE_MIN <= slope < 1:
        return replace(fitted, notes=[*fitted.notes, f"cross-fitted slope {slope:.3f}: left as it is"])
    return _scaled(task, fitted, slope, told="")


def spoken_out(
    apart: Callable[[Task, Fitted], npt.NDArray[np.float64]], task: Task, fitted: Fitted
) -> Fitted:
    """``fitted``, of a learner that stops itself, neither timid nor too sure; as it is on many events.

    Its slope is near one, and few events tell it badly: what was measured counts by its precision (the
    posterior mean under a normal prior about one), rows of one customer together.
    """
    if not _few(task):
        return fitted
    y, log_odds = task.y.astype(np.float64), apart(task, fitted) / MILLION
    line = calibration_line(y, log_odds)
    if not line[1] >= _SLOPE_MIN:
        return replace(fitted, notes=[*fitted.notes, f"cross-fitted slope {line[1]:.3f}: left as it is"])
    error = slope_error(y, log_odds, at=line, groups=task.groups)
    weight = _TIMID_SPREAD**2 / (_TIMID_SPREAD**2 + error**2)
    return _scaled(task, fitted, 1 + weight * (line[1] - 1), told=f" (slope {line[1]:.3f} +- {error:.3f})")


def _few(task: Task) -> bool:
    """Whether there are so few events that it matters, and enough for a fold to be left out."""
    events = int(min(task.y.sum(), len(task.y) - task.y.sum()))
    return events < EVENTS_FEW and events * (FOLDS - 1) / FOLDS >= EVENTS_MIN


def _scaled(task: Task, fitted: Fitted, slope: float, *, told: str) -> Fitted:
    """Every entry times ``slope``, and the level set so that the mean PD is the event rate."""
    events = int(min(task.y.sum(), len(task.y) - task.y.sum()))
    note = f"cross-fitted on {events:,} events: scaled by {slope:.3f}{told}"
    body = fitted.body.scaled(round(slope * MILLION))
    scaled = replace(fitted, body=body, notes=[*fitted.notes, note])
    everybody = np.ones(len(task.y), dtype=np.bool_)
    moved = level(predicted(scaled, task, everybody) / MILLION, float(task.y.mean()))
    return replace(scaled, intercept=scaled.intercept + round(moved * MILLION))
