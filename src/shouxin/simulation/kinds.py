"""The latent kinds of customers: what sort of life each account has, drawn once and never told.

Pure. ``steady`` is everybody who is nothing else. Rings and farms are gangs (``gangs.py``).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import (
    BUST_OUT,
    CLAIMER,
    NEVER,
    REFUND_ABUSER,
    STEADY,
    STRESSED,
    THIN_FILE,
    Flags,
    Floats,
    Ints,
    Population,
)

THIN_FILE_SHARE = 0.10
STRESSED_SHARE = 0.06
CLAIMERS_SHARE = 0.006
BUST_OUT_SHARE = 0.004  # of the lines
ABUSERS_SHARE = 0.012
# A spree of borrowing before the customer who planned it vanishes.
SPREE_DAYS = 35.0


def draw_kinds(rng: Generator, population: Population, *, history_days: int) -> Population:
    """Give every account its kind and the traits that go with it; second accounts stay as their person is."""
    kind = np.full(population.size, STEADY)
    roll = rng.random(population.size)
    kind[roll < THIN_FILE_SHARE] = THIN_FILE
    kind[roll > 1 - STRESSED_SHARE] = STRESSED
    abuses = rng.random(population.size) < ABUSERS_SHARE * np.exp(0.5 * population.impulsive - 0.125)
    kind[abuses] = REFUND_ABUSER
    kind[rng.random(population.size) < CLAIMERS_SHARE] = CLAIMER
    plans_it = (rng.random(population.size) < BUST_OUT_SHARE) & population.has_line
    kind[plans_it] = BUST_OUT
    first = population.person == np.arange(population.size)
    kind = np.where(first, kind, kind[population.person])
    kind[~first & (kind == BUST_OUT)] = STEADY
    busts = draw_busts(rng, population, kind == BUST_OUT, history_days=history_days)
    return _with_traits(replace(population, kind=kind, busts=busts))


def draw_busts(rng: Generator, population: Population, who: Flags, *, history_days: int) -> Floats:
    """The day on which each of ``who`` vanishes with what they owe: months after the line, in the history."""
    waits = rng.uniform(90, 330, population.size)
    day = np.maximum(population.line_opened, 0.0) + waits
    return np.where(who & (day < history_days), day, NEVER)


def on_spree(population: Population, customer: Ints, day: Floats) -> Flags:
    """Whether a customer is filling the line up on a day, before they vanish."""
    busts = population.busts[customer]
    return np.asarray((day >= busts - SPREE_DAYS) & (day < busts))


def _with_traits(population: Population) -> Population:
    kind = population.kind
    worse = np.where(kind == STRESSED, 0.6, 0.0)
    pace = np.where(kind == THIN_FILE, 0.35, np.where(kind == REFUND_ABUSER, 1.6, 1.0))
    punctual = np.where(kind == BUST_OUT, -1.5, 0.0)
    limits = np.where(kind == THIN_FILE, population.limit_minor // 2, population.limit_minor)
    return replace(
        population,
        risk=population.risk + worse,
        impulsive=population.impulsive + worse,
        careless=population.careless + worse + punctual,
        pace=population.pace * pace,
        limit_minor=np.maximum(limits // 50_000, 2) * 50_000,
    )
