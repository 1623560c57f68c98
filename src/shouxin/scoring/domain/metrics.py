"""How good are these probabilities? AUC, KS, Gini, Brier and calibration slope, each with an interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_Z = 1.959964  # 95 %
_REPLICATES = 200
# Replicates times rows; above it fewer replicates are drawn, whose interval is then still tight.
_DRAWS_MAX = 20_000_000
_REPLICATES_MIN = 40
_CLIP = 1e-9
_NEWTON_MAX = 60
# Newton doubles the digits: after a step this small the answer is exact; halving would only chase rounding.
_NEWTON_CLOSE = 1e-7


class UnableToEvaluate(ValueError):
    """There is nothing to measure: no rows, one class only, or predictions that are no probabilities."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval; NaN where it does not exist."""

    value: float
    low: float
    high: float

    def as_data(self) -> dict[str, float | None]:
        """``{"value", "low", "high"}``, null for NaN."""
        return {name: _told(getattr(self, name)) for name in ("value", "low", "high")}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures on ``n`` rows. AUC and Gini by DeLong (1988); the others by a seeded bootstrap.

    Where rows were grouped, the intervals are about customers, not about rows.
    """

    n: int
    event_rate: float
    auc: Interval
    ks: Interval
    gini: Interval
    brier: Interval
    slope: Interval

    def as_data(self) -> dict[str, Any]:
        """What ``shouxin evaluate --json`` prints."""
        figures = {name: getattr(self, name).as_data() for name in ("auc", "ks", "gini", "brier", "slope")}
        return {"n": self.n, "event_rate": round(self.event_rate, 6), **figures}


def evaluate(y: npt.ArrayLike, pd: npt.ArrayLike, *, groups: Ints | None = None, seed: int = 7) -> Evaluation:
    """Measure probabilities ``pd`` of an event against what happened (``y``: 0 or 1).

    ``groups`` (one whole number a row, from 0) says which rows are of one customer: they are drawn together.
    Raises UnableToEvaluate.
    """
    truth, risk = measurable(y, pd)
    area = delong(truth, risk, groups=groups)
    order = np.argsort(risk, kind="stable")
    blocks = None if groups is None else groups[order]
    ks, brier, slope = _bootstrapped(truth[order], risk[order], blocks, seed=seed)
    gini = Interval(2 * area.value - 1, 2 * area.low - 1, 2 * area.high - 1)
    return Evaluation(len(truth), float(truth.mean()), area, ks, gini, brier, slope)


def measurable(y: npt.ArrayLike, pd: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Outcomes and probabilities as they can be measured. Raises UnableToEvaluate."""
    truth, risk = np.asarray(y, dtype=np.float64), np.asarray(pd, dtype=np.float64)
    if len(truth) != len(risk) or not len(truth):
        raise UnableToEvaluate(f"{len(truth)} outcomes and {len(risk)} predictions")
    if not np.isin(truth, (0.0, 1.0)).all() or len(np.unique(truth)) < 2:
        raise UnableToEvaluate("both outcomes, 0 and 1, must occur")
    if not (np.isfinite(risk).all() and (risk >= 0).all() and (risk <= 1).all()):
        raise UnableToEvaluate("predictions are probabilities from 0 to 1")
    return truth, risk


def auc(y: npt.ArrayLike, risk: npt.ArrayLike) -> float:
    """Area under the ROC curve; ties count half."""
    truth, ranks = np.asarray(y), midranks(np.asarray(risk, dtype=np.float64))
    events = int(truth.sum())
    others = len(truth) - events
    assert events and others, "both outcomes occur"
    return float((ranks[truth == 1].sum() - events * (events + 1) / 2) / (events * others))


def delong(y: Floats, risk: Floats, *, groups: Ints | None = None) -> Interval:
    """AUC with DeLong's interval, by ranks (Sun and Xu 2014: the same in n log n).

    With ``groups`` the rows of one customer vary together (Obuchowski 1997).
    """
    placed = _placed(y, risk)
    area = float(placed[0].mean())
    spread = _Z * math.sqrt(_variance(placed) if groups is None else _clustered(placed, y, groups))
    return Interval(area, max(0.0, area - spread), min(1.0, area + spread))


def auc_difference(y: Floats, risk: Floats, other: Floats) -> Interval:
    """AUC of ``risk`` less that of ``other`` on the same rows, with DeLong's interval for paired curves."""
    apart = [mine - theirs for mine, theirs in zip(_placed(y, risk), _placed(y, other), strict=True)]
    difference = float(apart[0].mean())
    spread = _Z * math.sqrt(_variance(apart))
    return Interval(difference, difference - spread, difference + spread)


def optimism(random: Interval, later: Interval) -> Interval:
    """How much better a random split looks than later rows do; the two were measured on different rows."""
    spread = _Z * math.hypot(*((one.high - one.low) / (2 * _Z) for one in (random, later)))
    difference = random.value - later.value
    return Interval(difference, difference - spread, difference + spread)


def _placed(y: Floats, risk: Floats) -> tuple[Floats, Floats]:
    """For each event the share of others below it, for each other the share of events above it."""
    events, others = risk[y == 1], risk[y == 0]
    ranks = midranks(risk)
    placed_events: Floats = (ranks[y == 1] - midranks(events)) / len(others)
    placed_others: Floats = 1.0 - (ranks[y == 0] - midranks(others)) / len(events)
    return placed_events, placed_others


def _variance(placed: Sequence[Floats]) -> float:
    return sum(float(part.var(ddof=1)) / len(part) for part in placed if len(part) > 1)


def _clustered(placed: tuple[Floats, Floats], y: Floats, groups: Ints) -> float:
    """The variance of the area where what a customer adds is the sum over their rows."""
    share = np.empty(len(y))
    for outcome, part in ((1, placed[0]), (0, placed[1])):
        share[y == outcome] = (part - part.mean()) / len(part)
    sums = np.bincount(groups, weights=share)
    customers = len(np.unique(groups))
    return float((sums**2).sum()) * customers / max(customers - 1, 1)


def midranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: Floats = (ends - (counts - 1) / 2.0).astype(np.float64)
    return middle[inverse]


def ks_statistic(y: Floats, risk: Floats) -> float:
    """Largest distance between the two cumulative distributions (Kolmogorov-Smirnov)."""
    order = np.argsort(risk, kind="stable")
    return float(_ks(np.ones((1, len(y))), y[order], _run_ends(risk[order]))[0])


def _run_ends(ordered: Floats) -> Ints:
    """Where a run of equal values ends: the distance is read there only."""
    return np.flatnonzero(np.append(np.diff(ordered) > 0, True))


def _ks(weights: Floats, y: Floats, ends: Ints) -> Floats:
    events = np.cumsum(weights * y, axis=1)
    rows = np.cumsum(weights, axis=1)
    others = rows - events
    total_events, total_others = events[:, -1:], others[:, -1:]
    gap = events[:, ends] / np.maximum(total_events, 1) - others[:, ends] / np.maximum(total_others, 1)
    found: Floats = np.abs(gap).max(axis=1)
    return found


def replicates(rows: int, *, seed: int, groups: Ints | None = None) -> Iterator[Floats]:
    """Weights (some replicates, rows) of a bootstrap, a few replicates at a time.

    Poisson weights stand for drawing with replacement (Hanley and MacGibbon 2006); rows of one group
    are drawn together.
    """
    count = max(_REPLICATES_MIN, min(_REPLICATES, _DRAWS_MAX // rows))
    rng = np.random.default_rng(seed)
    block = max(1, 2_000_000 // rows)
    blocks = rows if groups is None else int(groups.max()) + 1
    for start in range(0, count, block):
        drawn = rng.poisson(1.0, (min(block, count - start), blocks)).astype(np.float64)
        yield drawn if groups is None else drawn[:, groups]


def _bootstrapped(
    y: Floats, risk: Floats, groups: Ints | None, *, seed: int
) -> tuple[Interval, Interval, Interval]:
    """KS, Brier and slope with percentile intervals; rows are in the order of ``risk``.

    The slope takes one Newton step a replicate from the fitted one, which is enough to first order.
    """
    ends, loss = _run_ends(risk), (risk - y) ** 2
    logit = logit_of(risk)
    fitted = calibration_line(y, logit)
    parts = _newton_parts(y, logit, fitted)
    ks, brier, slope = [], [], []
    for weights in replicates(len(y), seed=seed, groups=groups):
        ks.append(_ks(weights, y, ends))
        brier.append(weights @ loss / np.maximum(weights.sum(axis=1), 1))
        slope.append(_one_step(weights @ parts, fitted))
    whole = float(_ks(np.ones((1, len(y))), y, ends)[0])
    return (
        percentiles(whole, np.concatenate(ks)),
        percentiles(float(loss.mean()), np.concatenate(brier)),
        percentiles(fitted[1], np.concatenate(slope)),
    )


def logit_of(risk: Floats) -> Floats:
    """Log-odds of probabilities, those of 0 and 1 kept finite."""
    clipped = np.clip(risk, _CLIP, 1 - _CLIP)
    logit: Floats = np.log(clipped / (1 - clipped))
    return logit


def calibration_line(y: Floats, logit: Floats) -> tuple[float, float]:
    """Intercept and slope of a logistic regression of the outcome on the predicted log-odds.

    The slope is NaN where the predictions are all alike or separate the outcomes. Newton's steps begin at
    slope 0 and are halved while they lead down: from far-off predictions a whole step may lead nowhere.
    """
    spread = float(logit.std())
    if spread == 0.0:
        return (0.0, math.nan)
    scaled, rate = logit / spread, float(y.mean())
    at = (math.log(rate / (1 - rate)), 0.0)
    likelihood = _likelihood(y, scaled, at)
    for _ in range(_NEWTON_MAX):
        a, b, aa, ab, bb = _newton_parts(y, scaled, at).sum(axis=0).tolist()
        determinant = aa * bb - ab * ab
        if determinant <= 1e-12:  # the predictions separate the outcomes: the slope has no end
            return (at[0], math.nan)
        step = ((bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant)
        if abs(step[0]) + abs(step[1]) < _NEWTON_CLOSE:
            return (at[0] + step[0], (at[1] + step[1]) / spread)
        size = 1.0
        while _likelihood(y, scaled, (at[0] + size * step[0], at[1] + size * step[1])) < likelihood:
            size /= 2
            if size < 1e-9:
                break
        at = (at[0] + size * step[0], at[1] + size * step[1])
        likelihood = _likelihood(y, scaled, at)
        if size < 1e-9:
            return (at[0], at[1] / spread)
    return (at[0], math.nan)


def slope_error(y: Floats, logit: Floats, *, at: tuple[float, float], groups: Ints | None) -> float:
    """The standard error of the slope of ``calibration_line`` (``at``); rows of one customer vary together.

    The sandwich of White (1980), summed by customer where ``groups`` tells them (Liang and Zeger 1986).
    """
    parts = _newton_parts(y, logit, at)
    _, _, aa, ab, bb = parts.sum(axis=0).tolist()
    # What a row does to the slope: the second row of the inverse information times its gradient.
    pull = (aa * parts[:, 1] - ab * parts[:, 0]) / (aa * bb - ab * ab)
    return float(np.sqrt(((pull if groups is None else np.bincount(groups, weights=pull)) ** 2).sum()))


def _likelihood(y: Floats, logit: Floats, at: tuple[float, float]) -> float:
    log_odds = at[0] + at[1] * logit
    return float((y * log_odds - np.logaddexp(0.0, log_odds)).sum())


def _newton_parts(y: Floats, logit: Floats, at: tuple[float, float]) -> Floats:
    """(n, 5): each row's share of the gradient and of the information of intercept and slope."""
    fitted = 1.0 / (1.0 + np.exp(-np.clip(at[0] + at[1] * logit, -500, 500)))
    rest, spread = y - fitted, fitted * (1 - fitted)
    return np.column_stack([rest, rest * logit, spread, spread * logit, spread * logit**2])


def _one_step(sums: Floats, at: tuple[float, float]) -> Floats:
    a, b, aa, ab, bb = sums.T
    determinant = aa * bb - ab * ab
    safe = np.where(determinant > 1e-12, determinant, np.nan)
    moved: Floats = at[1] + (aa * b - ab * a) / safe
    return moved


def percentiles(value: float, drawn: Floats) -> Interval:
    """A figure with the 95 % interval of its replicates, which holds the figure itself."""
    known = drawn[np.isfinite(drawn)]
    if math.isnan(value) or not len(known):
        return Interval(value, math.nan, math.nan)
    low, high = np.percentile(known, (2.5, 97.5)).tolist()
    return Interval(value, min(low, value), max(high, value))


def _told(number: float) -> float | None:
    return None if math.isnan(number) else round(number, 6)


def level(log_odds: Floats, rate: float) -> float:
    """What has to be added to the log-odds so that the mean probability is ``rate``: Newton's steps."""
    moved = 0.0
    for _ in range(100):
        risk = 1 / (1 + np.exp(-(log_odds + moved)))
        step = (rate - float(risk.mean())) / max(float((risk * (1 - risk)).mean()), 1e-12)
        # Far from the answer a whole step may overshoot.
        moved += max(-1.0, min(1.0, step))
        if abs(step) < 1e-10:
            break
    return moved
