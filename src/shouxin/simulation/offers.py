"""Offers of a line, with two experiments in them: limits and prices that a coin decided.

Pure. They are there to show what theory says of credit. *Moral hazard*: who was given more by chance
borrows more and gets into stress more often. *Adverse selection*: a higher price drives the safe away,
so those who take it fall more often. The price is told to the customer; no event carries it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import LIMIT_FACTORS, NEVER, Flags, Floats, Population, is_fraud, sigmoid

ARMS = ("low", "standard", "high")
_ARM_SHARES = (0.1, 0.8, 0.1)
# The logit of walking away from the offer, by price; the safer the customer, the sooner.
_WALKS_AWAY = np.array([-4.5, -2.9, -0.7])
_SAFE_WALK = 1.0


def draw_offers(rng: Generator, population: Population) -> Population:
    """Offer each line at a limit and a price by chance; some walk away. Frauds always take it."""
    limit_arm = rng.choice(len(ARMS), population.size, p=_ARM_SHARES)
    price_arm = rng.choice(len(ARMS), population.size, p=_ARM_SHARES)
    leaves_it = rng.random(population.size) < sigmoid(_WALKS_AWAY[price_arm] - _SAFE_WALK * population.risk)
    takes: Flags = ~leaves_it | is_fraud(population)
    opened: Floats = np.where(takes, population.line_opened, NEVER)
    limits = np.round(population.limit_minor * LIMIT_FACTORS[limit_arm] / 10_000) * 10_000
    return replace(
        population,
        limit_arm=limit_arm,
        price_arm=price_arm,
        offered=population.line_opened,
        line_opened=opened,
        raised=np.where(takes, population.raised, NEVER),
        limit_minor=limits.astype(np.int64),
    )
