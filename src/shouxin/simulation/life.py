"""When life goes wrong: episodes of money stress, which show in behaviour and may end repayment.

Pure. Nothing of this page is written where the house could read it: it sees the events only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import LIMIT_FACTORS, NEVER, Flags, Floats, Ints, Population, sigmoid
from shouxin.simulation.shocks import Shock, reached

# Chance a day that stress begins for the middle customer, and how widely the log of it spreads.
# Chosen so that 2-6 % of credit customers reach 60 days past due in 180 days (docs/simulation.md).
STRESS_HAZARD_DAILY = 1.45e-4
STRESS_SPREAD = 1.7
EPISODES = 2
# Moral hazard: who has more to spend gets into stress more often, by this power of the factor.
LIMIT_ELASTICITY = 0.7
# Before stress shows in what somebody does, it shows in the order in which they do it (settling.py).
SQUEEZE_DAYS = 90.0


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """Episodes of money stress, one row a customer and ``EPISODES`` columns, in order of time."""

    onset: Floats
    stop: Floats  # from here nothing is repaid; inf when the customer gets through
    end: Floats  # recovery, or cure after a default; inf when there is none


def draw_life(
    rng: Generator, population: Population, *, horizon_days: int, shocks: tuple[Shock, ...] = ()
) -> Life:
    """Draw when stress begins, whether the customer stops paying, and whether and when it ends.

    Only a credit customer can fall behind, so the clock of stress starts with the line (and not long
    before the history: who fell earlier is no longer in the book). It runs faster in a shock. Who plans
    to vanish shows no stress: they pay until the day.
    """
    hazard = stress_hazard(population)
    clock = np.where(population.has_line, np.maximum(population.line_opened, -150.0), NEVER)
    onsets, stops, ends = [], [], []
    for _ in range(EPISODES):
        onset = reached(shocks, clock, rng.exponential(1.0, population.size) / hazard)
        stop, end = _draw_course(rng, population, onset)
        onsets.append(onset)
        stops.append(stop)
        ends.append(end)
        clock = end + 30.0
    life = Life(np.stack(onsets, 1), np.stack(stops, 1), np.stack(ends, 1))
    return _with_busts(_without(life, beyond=float(horizon_days)), population.busts)


def stress_hazard(population: Population) -> Floats:
    """Chance a calm day that stress begins: higher where income is low, and where more was lent by chance."""
    poor = np.log(np.exp(8.8) / population.income)
    tempted = LIMIT_FACTORS[population.limit_arm] ** LIMIT_ELASTICITY
    hazard: Floats = STRESS_HAZARD_DAILY * tempted * np.exp(STRESS_SPREAD * population.risk + 0.3 * poor)
    return hazard


def strain(life: Life, customer: Ints, day: Floats) -> Floats:
    """How much stress shows in behaviour, 0 to 1: it grows over forty days and ends with the episode."""
    return _grown(life, customer, day, lead=0.0, over=40.0)


def squeeze(life: Life, customer: Ints, day: Floats) -> Floats:
    """How short of ready money somebody is, 0 to 1: it begins weeks before any stress shows."""
    return _grown(life, customer, day, lead=SQUEEZE_DAYS, over=45.0)


def fallen(life: Life, customer: Ints, day: Floats) -> Flags:
    """Whether the customer has stopped repaying on this day."""
    day = day[:, None]
    stopped = (day >= life.stop[customer]) & (day < life.end[customer])
    return np.asarray(stopped.any(axis=1))


def pays_again(life: Life, customer: Ints, day: Floats) -> Floats:
    """The day on which a customer who has stopped on ``day`` pays after all; inf if never."""
    day = day[:, None]
    inside = (day >= life.stop[customer]) & (day < life.end[customer])
    again: Floats = np.where(inside, life.end[customer], -NEVER).max(axis=1)
    return again


def _grown(life: Life, customer: Ints, day: Floats, *, lead: float, over: float) -> Floats:
    """What begins ``lead`` days before an episode, grows to 1 ``over`` days and ends with the episode."""
    day = day[:, None]
    onset = life.onset[customer] - lead
    grown = np.clip((day - onset) / over, 0.0, 1.0)
    shown: Floats = np.where((day >= onset) & (day < life.end[customer]), grown, 0.0).max(axis=1)
    return shown


def _draw_course(rng: Generator, population: Population, onset: Floats) -> tuple[Floats, Floats]:
    """(day of the last repayment, day it is over): two in three fall, two in five of those come back."""
    size = population.size
    falls = rng.random(size) < sigmoid(0.7 + 0.25 * population.risk)
    stop = np.where(falls, onset + 20.0 + rng.gamma(2.0, 24.0, size), NEVER)
    recovery = onset + rng.uniform(50, 150, size)
    cured = rng.random(size) < 0.4
    cure = np.where(cured, stop + rng.uniform(80, 220, size), NEVER)
    return stop, np.where(falls, cure, recovery)


def _without(life: Life, *, beyond: float) -> Life:
    later = life.onset > beyond
    return Life(*(np.where(later, NEVER, days) for days in (life.onset, life.stop, life.end)))


def _with_busts(life: Life, busts: Floats) -> Life:
    planned = np.isfinite(busts)[:, None]
    stop = np.where(planned, NEVER, life.stop)
    stop[:, 0] = np.where(planned[:, 0], busts, stop[:, 0])
    return Life(np.where(planned, NEVER, life.onset), stop, np.where(planned, NEVER, life.end))
