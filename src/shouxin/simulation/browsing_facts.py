"""Visits that end in nothing: people look around, fill carts and go. Many shops send little else.

Not drawn unless asked for (``Wanted.visits_a_month``): a customer who comes five times a month leaves more
events than all the rest of their life does.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shouxin.simulation.catalogue import CATEGORIES, CATEGORY_SHARE, Catalogue, choose
from shouxin.simulation.domain import CHANNELS, Floats, Ints, Population, in_gang
from shouxin.simulation.facts import Facts, facts, numbers, texts, words
from shouxin.simulation.people_facts import product_names
from shouxin.simulation.persons import Persons, device_names
from shouxin.simulation.seasons import time_of_day
from shouxin.simulation.shop import SHARED_DEVICE

_VIEWS_A_VISIT = 4.0
_CART_SHARE = 0.08  # of the views
_SIGNS_IN_SHARE = 0.4
# Seconds between two looks.
_LOOKS_SECONDS = 40.0
_NIGHT_SHARE = 0.08


def browsing_facts(
    rng: Generator,
    population: Population,
    persons: Persons,
    *,
    catalogue: Catalogue,
    weights: Floats,
    visits_a_month: float,
) -> tuple[Facts, ...]:
    """login_recorded, product_viewed and cart_changed of visits without an order."""
    visitor, begin = _draw_visits(rng, population, weights=weights, visits_a_month=visits_a_month)
    visit, day = _draw_looks(rng, begin)
    customer = visitor[visit]
    category = rng.choice(len(CATEGORIES), len(visit), p=CATEGORY_SHARE)
    product = choose(catalogue, category, rng.random(len(visit)))
    filled = np.flatnonzero(rng.random(len(visit)) < _CART_SHARE)
    signed = np.flatnonzero(rng.random(len(visitor)) < _SIGNS_IN_SHARE)
    return (
        _logins(population, persons, visitor[signed], begin[signed]),
        _views(customer, day, category, product),
        _carts(rng, customer[filled], day[filled], category[filled], product[filled]),
    )


def _draw_visits(
    rng: Generator, population: Population, *, weights: Floats, visits_a_month: float
) -> tuple[Ints, Floats]:
    """(customer, day): busy days see more of them; nobody comes before registering or after leaving."""
    busy = weights / weights.mean()
    wish = visits_a_month / 30.0 * len(weights) * np.clip(population.pace / 0.63, 0.2, 3.0)
    visitor = np.repeat(np.arange(population.size), rng.poisson(wish))
    day = np.searchsorted(np.cumsum(busy), rng.random(len(visitor)) * busy.sum(), side="right")
    day = np.minimum(day, len(weights) - 1).astype(np.float64)
    begin = day + time_of_day(rng, rng.random(len(visitor)) < _NIGHT_SHARE)
    there = (begin > population.registered[visitor] + 0.02) & (begin < population.leaves[visitor])
    return visitor[there], begin[there]


def _draw_looks(rng: Generator, begin: Floats) -> tuple[Ints, Floats]:
    """(visit, day) of every product looked at; a visit has at least one."""
    looks = 1 + rng.poisson(_VIEWS_A_VISIT - 1, len(begin))
    visit = np.repeat(np.arange(len(begin)), looks)
    place = np.arange(len(visit)) - np.repeat(np.cumsum(looks) - looks, looks)
    return visit, begin[visit] + (1 + place) * _LOOKS_SECONDS / 86_400


def _logins(population: Population, persons: Persons, customer: Ints, day: Floats) -> Facts:
    device = np.where(in_gang(population, customer), SHARED_DEVICE, 0)
    return facts(
        "login_recorded",
        customer,
        day,
        payload={"channel": words(CHANNELS, population.channel[customer])},
        personal={"device": texts(device_names(persons, customer, device))},
    )


def _views(customer: Ints, day: Floats, category: Ints, product: Ints) -> Facts:
    names = product_names(category, product)
    return facts(
        "product_viewed",
        customer,
        day,
        payload={"sku": texts(names), "category": words(CATEGORIES, category)},
    )


def _carts(rng: Generator, customer: Ints, day: Floats, category: Ints, product: Ints) -> Facts:
    names = product_names(category, product)
    quantity = rng.integers(1, 4, len(customer))
    payload = {"sku": texts(names), "quantity": numbers(quantity)}
    return facts("cart_changed", customer, day + 10 / 86_400, payload=payload)
