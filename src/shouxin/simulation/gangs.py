"""Gangs: fraud rings that borrow and vanish together, and farms of accounts that only gather coupons.

Pure. A gang lives inside a block. Its members share a device, an address and a card, and come within days
of each other. ``gang`` holds the leader's position, and an account's own where there is no gang.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shouxin.simulation.domain import BUST_OUT, FARM, NEVER, RING, Flags, Ints, Population

Number = TypeVar("Number", np.float64, np.int64)
CUSTOMERS_A_RING = 1_500
CUSTOMERS_A_FARM = 5_000
_RING_SIZES = (4, 9)
_FARM_SIZES = (20, 45)
_BUSTING_SHARE = 0.6


def draw_gangs(rng: Generator, population: Population, *, history_days: int) -> Population:
    """Turn some accounts into members of gangs, as many as the block's size allows."""
    rings = rng.integers(*_RING_SIZES, population.size // CUSTOMERS_A_RING, endpoint=True)
    farms = rng.integers(*_FARM_SIZES, population.size // CUSTOMERS_A_FARM, endpoint=True)
    sizes = np.concatenate([rings, farms])
    gang = np.repeat(np.arange(len(sizes)), sizes)
    members = rng.permutation(_free(population))[: len(gang)]
    gang = gang[: len(members)]
    leaders = members[np.searchsorted(gang, gang)]
    in_ring = gang < len(rings)
    population = _arrived(rng, population, members, gang, history_days=history_days)
    population = replace(
        population,
        gang=_put(population.gang, members, leaders),
        kind=_put(population.kind, members, np.where(in_ring, RING, FARM)),
    )
    return _lived(rng, population, members, gang, in_ring, history_days=history_days)


def _free(population: Population) -> Ints:
    """Accounts that are a person's only one and have no plan of their own."""
    counts = np.bincount(population.person, minlength=population.size)
    alone = (counts[population.person] == 1) & (population.kind != BUST_OUT)
    return np.flatnonzero(alone)


def _arrived(
    rng: Generator, population: Population, members: Ints, gang: Ints, *, history_days: int
) -> Population:
    """A gang's accounts are registered within ten days, on one device."""
    gangs = int(gang.max(initial=-1)) + 1
    opened = rng.uniform(-200.0, max(history_days - 240.0, -100.0), gangs)[gang]
    days = opened + rng.uniform(0, 10, len(members))
    return replace(population, registered=_put(population.registered, members, days))


def _lived(
    rng: Generator, population: Population, members: Ints, gang: Ints, in_ring: Flags, *, history_days: int
) -> Population:
    registered = population.registered[members]
    gangs = int(gang.max(initial=-1)) + 1
    opened = registered + rng.uniform(25, 60, len(members))
    lined = in_ring & (opened < history_days)
    busting = (rng.random(gangs) < _BUSTING_SHARE)[gang] & lined
    together = (rng.uniform(110, 180, gangs))[gang] + rng.uniform(0, 6, len(members)) + registered
    busts = np.where(busting & (together > 0), together, NEVER)
    pace = np.where(in_ring, np.maximum(population.pace[members], 0.6), 0.5)
    leaves = np.where(in_ring, NEVER, np.maximum(registered, 0) + rng.uniform(60, 200, len(members)))
    return replace(
        population,
        line_opened=_put(population.line_opened, members, np.where(lined, opened, NEVER)),
        raised=_put(population.raised, members, np.full(len(members), NEVER)),
        busts=_put(population.busts, members, busts),
        pace=_put(population.pace, members, pace),
        leaves=_put(population.leaves, members, leaves),
    )


def _put(values: NDArray[Number], at: Ints, new: NDArray[Number]) -> NDArray[Number]:
    changed = values.copy()
    changed[at] = new
    return changed
