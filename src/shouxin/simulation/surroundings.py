"""What is the same for every customer of a world: its days, its shocks, and what is sold there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.random import Generator

from shouxin.simulation.catalogue import Catalogue, draw_catalogue
from shouxin.simulation.domain import Floats
from shouxin.simulation.seasons import day_weights, discounts
from shouxin.simulation.shocks import Shock, draw_shocks, gloom

# In a shock everybody buys less: by this share for each step of severity.
_SAVING = 0.08


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """One entry a day from the start: ``weights`` say how busy it is, ``discounts`` what is off the price."""

    catalogue: Catalogue
    shocks: tuple[Shock, ...]
    weights: Floats
    discounts: Floats


def draw_surroundings(
    goods: Generator, fate: Generator, *, start: date, history_days: int, horizon_days: int
) -> Surroundings:
    """Draw what is sold from ``goods`` and the shocks from ``fate``; shocks fall into the history only."""
    shocks = draw_shocks(fate, history_days=history_days)
    worse = gloom(shocks, np.arange(horizon_days, dtype=np.float64))
    return Surroundings(
        catalogue=draw_catalogue(goods),
        shocks=shocks,
        weights=day_weights(start, days=horizon_days) * (1.0 - _SAVING * worse),
        discounts=discounts(start, days=horizon_days),
    )
