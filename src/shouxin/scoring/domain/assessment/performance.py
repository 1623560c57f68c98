"""How a model does, in every figure that a validator asks for, each with an interval.

Everything is read off the rows in order of falling risk: of one replicate of the bootstrap a few running
sums are taken, and all figures follow from those. A million rows take seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.assessment.cut_off import CutOff, Given, cut_off_of
from shouxin.scoring.domain.metrics import (
    Evaluation,
    Floats,
    Interval,
    Ints,
    evaluate,
    level,
    logit_of,
    measurable,
    percentiles,
    replicates,
)

BINS = 10
# How many of the riskiest rows are looked at, in per cent.
CAPTURED = (5, 10, 20)
_CLIP = 1e-9
# All figures beside those of ``Evaluation``, in the order in which they are told.
FIGURES = (
    "accuracy", "precision", "recall", "f1", "approved", "approved_event_rate",
    "log_loss", "average_precision", "calibration_in_the_large", "observed_over_expected", "ece",
    "reliability", "resolution", "uncertainty", "within_bins",
    *(f"capture_{share}" for share in CAPTURED), *(f"lift_{share}" for share in CAPTURED),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Performance:
    """The figures of ``evaluation``, and those of FIGURES at the cut-off that is stated.

    ``reliability - resolution + uncertainty + within_bins`` is the Brier score (Murphy 1973; the last is what
    the ten bins hide, Stephenson 2008). ``capture_10`` is the share of all events among the 10 % riskiest.
    ``calibration_in_the_large`` is what must be added to the log-odds so that as many events are foretold as
    happened. ``customers`` is how many groups the intervals are about, None where rows stand alone.
    """

    evaluation: Evaluation
    cut_off: CutOff
    figures: Mapping[str, Interval]
    customers: int | None

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            **self.evaluation.as_data(),
            "cut_off": self.cut_off.as_data(),
            **{name: self.figures[name].as_data() for name in FIGURES},
            "customers": self.customers,
        }


def performance(
    y: npt.ArrayLike,
    pd: npt.ArrayLike,
    *,
    given: Given | None = None,
    groups: Ints | None = None,
    seed: int = 7,
) -> Performance:
    """Every figure of probabilities ``pd`` against what happened (``y``: 0 or 1).

    ``given`` says how the cut-off is chosen; left out, as many rows are called events as there are.
    ``groups`` (whole numbers from 0) says which rows are of one customer. Raises UnableToEvaluate.
    """
    truth, risk = measurable(y, pd)
    short = evaluate(truth, risk, groups=groups, seed=seed)
    cut = cut_off_of(truth, risk, given or Given())
    ordered = _Ordered.of(truth, risk, groups, cut=cut.pd)
    whole = ordered.figures(np.ones((1, len(truth))))
    drawn = [ordered.figures(weights) for weights in ordered.replicates(seed=seed)]
    figures = {
        name: percentiles(float(whole[name][0]), np.concatenate([part[name] for part in drawn]))
        for name in FIGURES
    }
    return Performance(short, cut, figures, None if groups is None else len(np.unique(groups)))


@dataclass(frozen=True, slots=True, eq=False)
class _Ordered:
    """Rows in order of falling risk, and what does not change from one replicate to the next.

    ``ends`` are the last places of runs of equal risk, ``starts`` the first places of the bins, which keep
    such runs whole; ``called`` is how many rows lie at the cut-off or above.
    """

    y: Floats
    risk: Floats
    groups: Ints | None
    ends: Ints
    starts: Ints
    called: int
    loss: Floats
    surprise: Floats
    logit: Floats
    shift: float

    @classmethod
    def of(cls, y: Floats, risk: Floats, groups: Ints | None, *, cut: float) -> _Ordered:
        order = np.argsort(-risk, kind="stable")
        y, risk = y[order], risk[order]
        ends = np.flatnonzero(np.append(np.diff(risk) < 0, True))
        clipped = np.clip(risk, _CLIP, 1 - _CLIP)
        logit = logit_of(risk)
        return cls(
            y,
            risk,
            None if groups is None else groups[order],
            ends,
            bin_starts(len(y), ends),
            int((risk >= cut).sum()),
            (risk - y) ** 2,
            -np.where(y == 1, np.log(clipped), np.log1p(-clipped)),
            logit,
            level(logit, float(y.mean())),
        )

    def replicates(self, *, seed: int) -> Any:
        return replicates(len(self.y), seed=seed, groups=self.groups)

    def figures(self, weights: Floats) -> dict[str, Floats]:
        """Each figure for each row of ``weights``."""
        events = np.cumsum(weights * self.y, axis=1)
        rows = np.cumsum(weights, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                **self._called(events, rows),
                **self._ranked(events[:, self.ends], rows[:, self.ends]),
                **self._calibrated(weights, events[:, -1], rows[:, -1]),
                **self._binned(weights),
            }

    def _called(self, events: Floats, rows: Floats) -> dict[str, Floats]:
        all_events, everybody = events[:, -1], rows[:, -1]
        hits = events[:, self.called - 1] if self.called else np.zeros(len(events))
        called = rows[:, self.called - 1] if self.called else np.zeros(len(events))
        precision, recall = hits / called, hits / all_events
        missed, approved = all_events - hits, everybody - called
        return {
            "accuracy": (hits + approved - missed) / everybody,
            "precision": precision,
            "recall": recall,
            "f1": 2 * hits / (called + all_events),
            "approved": approved / everybody,
            "approved_event_rate": missed / approved,
        }

    def _ranked(self, events: Floats, rows: Floats) -> dict[str, Floats]:
        all_events, everybody = events[:, -1:], rows[:, -1:]
        steps = np.diff(events, axis=1, prepend=0.0)
        precision = np.divide(events, rows, out=np.zeros_like(events), where=rows > 0)
        found = {"average_precision": (steps * precision).sum(axis=1) / all_events[:, 0]}
        for share in CAPTURED:
            captured = np.array(
                [
                    np.interp(share / 100 * total, np.append(0.0, line), np.append(0.0, caught))
                    for total, line, caught in zip(everybody[:, 0], rows, events, strict=True)
                ]
            )
            found[f"capture_{share}"] = captured / all_events[:, 0]
            found[f"lift_{share}"] = found[f"capture_{share}"] / (share / 100)
        return found

    def _calibrated(self, weights: Floats, events: Floats, rows: Floats) -> dict[str, Floats]:
        moved = 1 / (1 + np.exp(-(self.logit + self.shift)))
        gradient, information = weights @ (self.y - moved), weights @ (moved * (1 - moved))
        return {
            "log_loss": weights @ self.surprise / rows,
            # One step of Newton from the whole sample's is enough to first order.
            "calibration_in_the_large": self.shift + gradient / information,
            "observed_over_expected": events / (weights @ self.risk),
        }

    def _binned(self, weights: Floats) -> dict[str, Floats]:
        rows, events, foretold, squares = (
            np.add.reduceat(weights * part, self.starts, axis=1)
            for part in (1.0, self.y, self.risk, self.loss)
        )
        everybody = rows.sum(axis=1)
        base = (events.sum(axis=1) / everybody)[:, None]
        safe = np.maximum(rows, 1e-12)
        rate, mean = events / safe, foretold / safe
        reliability = (rows * (mean - rate) ** 2).sum(axis=1) / everybody
        resolution = (rows * (rate - base) ** 2).sum(axis=1) / everybody
        uncertainty = base[:, 0] * (1 - base[:, 0])
        brier = squares.sum(axis=1) / everybody
        return {
            "ece": (rows * np.abs(mean - rate)).sum(axis=1) / everybody,
            "reliability": reliability,
            "resolution": resolution,
            "uncertainty": uncertainty,
            "within_bins": brier - (reliability - resolution + uncertainty),
        }


def bin_starts(rows: int, ends: Ints) -> Ints:
    """Where bins of about as many rows begin; a run of equal risk stays in one. ``ends`` as in a run."""
    wanted = rows * np.arange(1, BINS) // BINS
    starts = ends[np.minimum(np.searchsorted(ends, wanted - 1), len(ends) - 1)] + 1
    return np.unique(np.append(0, starts[starts < rows])).astype(np.int64)
