"""Tables and curves of a model: calibration by bin, gains and lift by tenth, the points of plots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shouxin.scoring.domain.assessment.performance import BINS, bin_starts
from shouxin.scoring.domain.metrics import Floats, Interval, Ints

_Z = 1.959964  # 95 %
# A curve of so many points looks like one.
_POINTS = 60


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """One bin of probabilities: its rows, the mean foretold, what was observed (Wilson's interval)."""

    rows: int
    events: int
    foretold: float
    observed: Interval

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "rows": self.rows,
            "events": self.events,
            "foretold": round(self.foretold, 6),
            "observed": self.observed.as_data(),
        }


@dataclass(frozen=True, slots=True)
class GainsLine:
    """One tenth of the rows, the riskiest first; ``captured`` and ``lift`` are of it and all above it."""

    rows: int
    events: int
    event_rate: float
    pd_low: float
    pd_high: float
    captured: float
    lift: float

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "rows": self.rows,
            "events": self.events,
            **{
                name: round(getattr(self, name), 6)
                for name in ("event_rate", "pd_low", "pd_high", "captured", "lift")
            },
        }


@dataclass(frozen=True, slots=True)
class Curves:
    """Points (x, y) from 0 to 1: ``roc`` (false alarms, caught), ``gains`` (rows, events caught)."""

    roc: tuple[tuple[float, float], ...]
    gains: tuple[tuple[float, float], ...]

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"roc": [list(point) for point in self.roc], "gains": [list(point) for point in self.gains]}


def calibration_table(y: Floats, pd: Floats) -> tuple[CalibrationLine, ...]:
    """Bins of about as many rows each, the safest first."""
    order, starts, _ = _falling(pd)
    lines = [
        CalibrationLine(len(part), int(y[part].sum()), float(pd[part].mean()), rate_interval(y[part]))
        for part in np.split(order, starts[1:])
    ]
    return tuple(reversed(lines))


def gains_table(y: Floats, pd: Floats) -> tuple[GainsLine, ...]:
    """Tenths of about as many rows each, the riskiest first."""
    order, starts, _ = _falling(pd)
    seen = caught = 0
    base, all_events, lines = float(y.mean()), float(y.sum()), []
    for part in np.split(order, starts[1:]):
        events = int(y[part].sum())
        seen, caught = seen + len(part), caught + events
        lines.append(
            GainsLine(
                len(part),
                events,
                events / len(part),
                float(pd[part[-1]]),
                float(pd[part[0]]),
                caught / all_events,
                caught / seen / base,
            )
        )
    return tuple(lines)


def curves(y: Floats, pd: Floats) -> Curves:
    """The ROC curve and the curve of gains, thinned to what an eye can tell apart."""
    order, _, ends = _falling(pd)
    caught, rows = np.cumsum(y[order])[ends], ends + 1.0
    alarms = rows - caught
    shares = [
        (alarms / max(alarms[-1], 1), caught / max(caught[-1], 1)),
        (rows / rows[-1], caught / max(caught[-1], 1)),
    ]
    roc, gains = (_thinned(x, height) for x, height in shares)
    return Curves(roc, gains)


def rate_interval(y: Floats) -> Interval:
    """The share of events with Wilson's (1927) 95 % interval; NaN for no rows."""
    n = len(y)
    if not n:
        return Interval(math.nan, math.nan, math.nan)
    rate = float(y.mean())
    middle = (rate + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    spread = _Z / (1 + _Z**2 / n) * math.sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n * n))
    return Interval(rate, min(max(0.0, middle - spread), rate), max(min(1.0, middle + spread), rate))


def clustered_rate_interval(y: Floats, groups: Ints) -> Interval:
    """The share of events with a 95 % interval, where one customer may have several rows; NaN for no rows.

    Jeffreys' interval of as many independent rows as these are worth (Korn and Graubard 1998). Rows that all
    ended alike do not tell what they are worth; then one customer's count as one.
    """
    n = len(y)
    if not n:
        return Interval(math.nan, math.nan, math.nan)
    # Here, because it is slow to import and a server scores without it.
    from scipy.special import betaincinv

    rate, own = float(y.mean()), np.unique(groups, return_inverse=True)[1]
    alone = rate * (1 - rate) * n
    if alone:
        together = float((np.bincount(own, weights=y - rate) ** 2).sum())
    else:
        alone, together = float(n), float((np.bincount(own) ** 2).sum())
    worth = n / max(1.0, together / alone)
    events, others = rate * worth + 0.5, (1 - rate) * worth + 0.5
    low = float(betaincinv(events, others, 0.025)) if rate > 0 else 0.0
    high = float(betaincinv(events, others, 0.975)) if rate < 1 else 1.0
    return Interval(rate, min(low, rate), max(high, rate))


def _falling(pd: Floats) -> tuple[Any, Any, Any]:
    order = np.argsort(-pd, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(pd[order]) < 0, True))
    starts = bin_starts(len(pd), ends)
    assert len(starts) <= BINS, starts
    return order, starts, ends


def _thinned(x: Floats, y: Floats) -> tuple[tuple[float, float], ...]:
    places = np.unique(np.searchsorted(x, np.linspace(0, 1, _POINTS)).clip(max=len(x) - 1))
    points = [(round(float(x[i]), 4), round(float(y[i]), 4)) for i in places]
    return ((0.0, 0.0), *points)
