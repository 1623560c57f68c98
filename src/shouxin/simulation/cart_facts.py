"""Carts that are filled and left, or emptied again: wishes that no order tells of.

Under money stress more is wished for and put back.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shouxin.simulation.catalogue import CATEGORIES, CATEGORY_SHARE, Catalogue, choose
from shouxin.simulation.domain import Population
from shouxin.simulation.facts import Facts, facts, numbers, texts
from shouxin.simulation.life import Life, strain
from shouxin.simulation.people_facts import product_names
from shouxin.simulation.seasons import time_of_day

LEFT_A_MONTH = 0.25  # for who buys at the middle pace
_PUT_BACK, _PUT_BACK_STRAIN = 0.25, 0.35
_THINKS_DAYS = 0.04
_NIGHT = 0.08


def left_carts(
    rng: Generator, population: Population, life: Life, *, catalogue: Catalogue, horizon_days: int
) -> tuple[Facts, Facts]:
    """cart_changed with what was put in, and with the zero of what was put back."""
    first = np.maximum(population.registered, 0.0)
    stays = np.maximum(np.minimum(population.leaves, horizon_days) - first - 1.0, 0.0)
    pace = np.clip(population.pace / 0.63, 0.2, 3.0)
    who = np.repeat(np.arange(population.size), rng.poisson(LEFT_A_MONTH * pace * stays / 30.0))
    day = np.floor(first[who] + 1.0 + stays[who] * rng.random(len(who)))
    day = day + time_of_day(rng, rng.random(len(who)) < _NIGHT)
    category = rng.choice(len(CATEGORIES), len(who), p=CATEGORY_SHARE)
    names = product_names(category, choose(catalogue, category, rng.random(len(who))))
    shown = strain(life, who, day)
    back = np.flatnonzero(rng.random(len(who)) < _PUT_BACK + _PUT_BACK_STRAIN * shown)
    later = day[back] + rng.exponential(_THINKS_DAYS, len(back))
    return (
        facts("cart_changed", who, day, payload={
            "sku": texts(names), "quantity": numbers(1 + rng.poisson(0.3, len(who))),
        }),
        facts("cart_changed", who[back], later, payload={
            "sku": texts(names.take(back)), "quantity": numbers(np.zeros(len(back), dtype=np.int64)),
        }),
    )  # fmt: skip
