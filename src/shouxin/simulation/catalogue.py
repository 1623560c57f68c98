"""What the shop's platform sells: products with prices and demand, and the merchants behind them.

Pure. The catalogue is one for the whole world. Products of a category stand in order of price, so that a
richer customer's taste is a step to the right. How a merchant deals is hidden; it shows in what becomes
of the orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import Floats, Ints

CATEGORIES = ("grocery", "clothing", "beauty", "home", "digital", "appliance", "sport", "books")
CATEGORY_SHARE = (0.22, 0.22, 0.13, 0.13, 0.09, 0.04, 0.09, 0.08)
# The middle price of one item in CNY, and how widely its logarithm spreads.
PRICE_CNY = np.array([42.0, 138.0, 105.0, 88.0, 960.0, 1450.0, 180.0, 36.0])
_PRICE_SPREAD = np.array([0.45, 0.55, 0.60, 0.65, 0.75, 0.55, 0.60, 0.40])
PRODUCTS_A_CATEGORY = 400
MERCHANTS_A_CATEGORY = 40
DEALINGS = ("good", "slow", "counterfeit", "fake_shipping")
GOOD, SLOW, COUNTERFEIT, FAKE_SHIPPING = range(4)
_DEALING_SHARES = (0.82, 0.10, 0.05, 0.03)
# The biggest merchants of a category are watched too closely to cheat.
_HONEST_MERCHANTS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Products, one row a category, in order of price; and the merchants' dealings, one row a category."""

    price: Ints  # minor units of one item
    demand: Floats  # cumulative share of the category's sales, the last is 1
    merchant: Ints
    dealing: Ints


def draw_catalogue(rng: Generator) -> Catalogue:
    """Draw products and merchants: few products and few merchants sell most of what is sold."""
    shape = (len(CATEGORIES), PRODUCTS_A_CATEGORY)
    prices = np.sort(PRICE_CNY[:, None] * np.exp(_PRICE_SPREAD[:, None] * rng.standard_normal(shape)), axis=1)
    weights = rng.permuted(np.broadcast_to(1.0 / np.arange(5, 5 + shape[1]) ** 0.6, shape), axis=1)
    demand = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    demand[:, -1] = 1.0
    dealing = rng.choice(len(DEALINGS), (shape[0], MERCHANTS_A_CATEGORY), p=_DEALING_SHARES)
    dealing[:, :_HONEST_MERCHANTS] = GOOD
    return Catalogue(
        price=np.round(100 * prices).astype(np.int64),
        demand=demand,
        merchant=(MERCHANTS_A_CATEGORY * rng.power(0.5, shape)).astype(np.int64),
        dealing=dealing,
    )


def choose(catalogue: Catalogue, category: Ints, taste: Floats) -> Ints:
    """The product of each ``category`` at a place between the cheapest (0) and the dearest (below 1)."""
    rows = np.arange(len(CATEGORIES), dtype=np.float64)
    stairs = (catalogue.demand + rows[:, None]).ravel()
    at = np.searchsorted(stairs, category + taste, side="right") - category * PRODUCTS_A_CATEGORY
    product: Ints = np.clip(at, 0, PRODUCTS_A_CATEGORY - 1)
    return product
