"""Calibrating a model that was just trained: the artefact changes, and its report with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.artefact import Calibrated
from shouxin.scoring.domain.calibrating import CalibrationRefusal, calibrated, isotonic
from shouxin.scoring.domain.columns import pd_of_columns
from shouxin.scoring.domain.drift import baseline_of
from shouxin.scoring.domain.metrics import evaluate
from shouxin.scoring.domain.table import Array
from shouxin.scoring.domain.training import TrainedModel


def calibrate_trained(
    trained: TrainedModel,
    learnt: Mapping[str, Array],
    window: Mapping[str, Array],
    y: npt.ArrayLike,
    *,
    period: tuple[str, str],
) -> TrainedModel | CalibrationRefusal:
    """The trained model with probabilities that are true on ``window`` (later rows, other customers).

    ``learnt`` are the columns that it was trained on; the baseline of its scores is counted anew.
    """
    truth = np.asarray(y, dtype=np.float64)
    before = pd_of_columns(trained.artefact, window)
    after = calibrated(trained.artefact, window, truth, period=period)
    if isinstance(after, CalibrationRefusal):
        return after
    found = after.trained.calibrated
    assert isinstance(found, Calibrated), "a calibrated model says so"
    moved = pd_of_columns(after, window)
    steps = isotonic(truth, moved)
    report = {
        **trained.report,
        "hash": after.hash,
        "baseline": baseline_of(after, learnt, pd_of_columns(after, learnt)).as_data(),
        "calibration": {
            "rows": found.rows,
            "events": found.events,
            "period": list(period),
            "slope": round(found.slope, 6),
            "intercept": round(found.intercept, 6),
            "before": evaluate(truth, before).as_data(),
            "after": evaluate(truth, moved).as_data(),
            # What rising steps could still gain on the very rows that they are fitted to: an upper bound.
            "isotonic_brier": round(float(((steps - truth) ** 2).mean()), 6),
        },
    }
    return replace(trained, artefact=after, report=report)
