"""Shocks that hit everybody at once: a few dated weeks in which stress begins more often, and payments slip.

Pure. The dates and the severity are the truth of a world, the same for all its blocks; the events only
show what follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import Floats

# One shock for every ten months of history, so that there is a calm to compare it with.
_SLICE_DAYS = 300
_DAYS = (60.0, 90.0)
_SEVERITY = (2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Shock:
    """From day ``first`` until before ``last`` stress begins ``severity`` times as often as usual."""

    first: float
    last: float
    severity: float


def draw_shocks(rng: Generator, *, history_days: int) -> tuple[Shock, ...]:
    """The shocks of a history: each well inside its own slice of it, none in a short history."""
    count = history_days // _SLICE_DAYS
    if not count:
        return ()
    width = history_days / count
    firsts = np.floor(width * (np.arange(count) + rng.uniform(0.30, 0.55, count)))
    days = np.floor(rng.uniform(*_DAYS, count))
    severities = np.round(rng.uniform(*_SEVERITY, count), 2)
    return tuple(
        Shock(float(first), float(first + long), float(severity))
        for first, long, severity in zip(firsts, days, severities, strict=True)
    )


def gloom(shocks: tuple[Shock, ...], day: Floats) -> Floats:
    """How much worse than usual a day is for everybody: 0 on an ordinary day, severity - 1 in a shock."""
    worse = np.zeros_like(day)
    for shock in shocks:
        worse = np.where((day >= shock.first) & (day < shock.last), shock.severity - 1.0, worse)
    return worse


def reached(shocks: tuple[Shock, ...], begin: Floats, effort: Floats) -> Floats:
    """The day on which ``effort`` has been lived through since ``begin``, a shock's days counting severally.

    A waiting time drawn for a calm world becomes one for this world: the cumulative hazard is piecewise
    linear in time, so it is followed forwards and backwards by interpolation.
    """
    knots, lived = _clock(shocks)
    return _interpolated(_interpolated(begin, knots, lived) + effort, lived, knots)


def _clock(shocks: tuple[Shock, ...]) -> tuple[Floats, Floats]:
    """(days, what has been lived by then): the corners of the cumulative hazard, from day 0."""
    knots, lived = [0.0], [0.0]
    for shock in shocks:
        knots += [shock.first, shock.last]
        lived.append(lived[-1] + shock.first - knots[-3])
        lived.append(lived[-1] + (shock.last - shock.first) * shock.severity)
    return np.array(knots), np.array(lived)


def _interpolated(values: Floats, left: Floats, right: Floats) -> Floats:
    """Follow the corners from ``left`` to ``right``; outside them the slope is one."""
    inside: Floats = np.interp(values, left, right)
    before = np.where(values < left[0], values - left[0] + right[0], inside)
    return np.where(values > left[-1], values - left[-1] + right[-1], before)
