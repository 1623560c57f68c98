"""Calibrating: making a model's probabilities true on a later window that it did not learn from.

The outcome is regressed on the model's log-odds (Platt 2000); slope and intercept are folded into the
artefact, so the document that was calibrated is the document that scores. With few events only the level is
moved, which is what a changed base rate asks for (Saerens 2002). Isotonic steps are a diagnosis, never a
model: they tie customers whom the model tells apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.artefact import Artefact, Calibrated
from shouxin.scoring.domain.columns import score_columns
from shouxin.scoring.domain.metrics import Floats, calibration_line, level
from shouxin.scoring.domain.scaling import MILLION

# Fewer events can not carry a slope, and still fewer no level.
SLOPE_EVENTS_MIN = 200
LEVEL_EVENTS_MIN = 50
# A slope outside says that the model does not hold on the window, not that it should be bent.
SLOPE_LOW, SLOPE_HIGH = 0.3, 3.0


@dataclass(frozen=True, slots=True)
class CalibrationRefusal:
    """Why the model stays as it is."""

    text: Bilingual

    @property
    def reason(self) -> str:
        """Why, in English."""
        return self.text.en


def calibrated(
    artefact: Artefact, columns: Mapping[str, npt.NDArray[Any]], y: Floats, *, period: tuple[str, str]
) -> Artefact | CalibrationRefusal:
    """The same model with probabilities that are true on these rows.

    The rows are of ``period`` (as told), later than what the model learnt from, of customers that it does not
    know; whoever calls has made sure of that (``is_later``). Refused, in this order: a model that was
    calibrated before, too few events, a slope beyond sense.
    """
    if artefact.trained.calibrated is not msgspec.UNSET:
        return _refused("模型已校准过", "the model was calibrated before")
    events = int(min(y.sum(), len(y) - y.sum()))
    if events < LEVEL_EVENTS_MIN:
        return _refused(
            f"窗口内只有 {events} 个违约，至少需要 {LEVEL_EVENTS_MIN} 个",
            f"the window has {events} events; {LEVEL_EVENTS_MIN} are needed",
        )
    log_odds = score_columns(artefact, columns).log_odds / MILLION
    intercept, slope = level(log_odds, float(y.mean())), 1.0
    if events >= SLOPE_EVENTS_MIN:
        intercept, slope = calibration_line(y, log_odds)
    if math.isnan(slope) or not SLOPE_LOW <= slope <= SLOPE_HIGH:
        return _refused(
            f"窗口上的斜率 {slope:.2f} 超出 {SLOPE_LOW} 至 {SLOPE_HIGH}，模型在此不成立",
            f"the slope on the window is {slope:.2f}, outside {SLOPE_LOW} to {SLOPE_HIGH}",
        )
    return _folded(artefact, Calibrated(len(y), int(y.sum()), period, slope, intercept))


def is_later(window: Floats, learnt: Floats) -> bool:
    """Whether every instant of a window lies after everything that was learnt from."""
    return bool(len(window) and len(learnt) and window.min() > learnt.max())


def at_prior(artefact: Artefact, *, rate: float) -> Artefact:
    """The same model for a population with this event rate: the log-odds move by what the priors differ.

    Holds where the base rate changed and events look as they did (label shift).
    """
    assert 0 < rate < 1, rate
    learnt = artefact.trained.events / artefact.trained.rows
    moved = math.log(rate / (1 - rate)) - math.log(learnt / (1 - learnt))
    return msgspec.structs.replace(artefact, intercept=artefact.intercept + round(moved * MILLION))


def isotonic(y: Floats, pd: Floats) -> Floats:
    """For each row the rate of the best rising step function of ``pd``: pool adjacent violators."""
    order = np.argsort(pd, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(pd[order]) > 0, True)) + 1
    counts = np.diff(ends, prepend=0)
    sums = np.diff(np.cumsum(y[order])[ends - 1], prepend=0.0)
    blocks: list[tuple[float, int]] = []
    for total, count in zip(sums.tolist(), counts.tolist(), strict=True):
        mine = (total, count)
        while blocks and blocks[-1][0] * mine[1] >= mine[0] * blocks[-1][1]:
            before = blocks.pop()
            mine = (before[0] + mine[0], before[1] + mine[1])
        blocks.append(mine)
    found = np.empty(len(y))
    found[order] = np.repeat([total / count for total, count in blocks], [count for _, count in blocks])
    return found


def _folded(artefact: Artefact, found: Calibrated) -> Artefact:
    """Slope and intercept inside the artefact: every entry times the slope, the intercept moved."""
    slope = round(found.slope * MILLION)
    return msgspec.structs.replace(
        artefact,
        body=artefact.body.scaled(slope),
        intercept=round(artefact.intercept * slope / MILLION + found.intercept * MILLION),
        trained=msgspec.structs.replace(artefact.trained, calibrated=found),
    )


def _refused(zh: str, en: str) -> CalibrationRefusal:
    return CalibrationRefusal(Bilingual(zh, en))
