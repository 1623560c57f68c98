"""What customers order in the shop, when, from where and how they pay.

Pure: the population, its hidden life and what is the same for everybody in, arrays of orders out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from shouxin.simulation.catalogue import CATEGORIES, CATEGORY_SHARE, PRICE_CNY, Catalogue, choose
from shouxin.simulation.domain import (
    CHANNELS,
    FARM,
    KINDS,
    REFUND_ABUSER,
    RING,
    Floats,
    Ints,
    Population,
    in_gang,
    sigmoid,
)
from shouxin.simulation.kinds import on_spree
from shouxin.simulation.life import Life, fallen, strain
from shouxin.simulation.seasons import time_of_day
from shouxin.simulation.surroundings import Surroundings

METHODS = ("card", "wallet", "cod", "transfer", "credit")
CARD, WALLET, COD, TRANSFER, CREDIT = range(5)
_MIDDLE_INCOME = np.exp(8.8)
STEP_DAYS = 30
# How much more a customer buys who is about to vanish.
_SPREE = 4.0
# The device and the address that the members of a gang share, beside their own 0, 1, 2, ...
SHARED_DEVICE = 15
SHARED_ADDRESS = 3
# The chance that an order carries a coupon; one entry a kind of customer (``domain.KINDS``).
_COUPONS = np.full(len(KINDS), 0.18)
_COUPONS[[REFUND_ABUSER, RING, FARM]] = 0.45, 0.40, 0.90


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """One array entry an order, in order of time; ``amount`` is in minor units."""

    number: Ints  # the order's number in the whole world
    customer: Ints
    placed: Floats
    strain: Floats  # latent: how much stress the customer showed then
    category: Ints
    product: Ints
    merchant: Ints
    items: Ints
    amount: Ints
    coupon: Ints  # minor units; 0 means none
    channel: Ints
    device: Ints
    address: Ints
    method: Ints

    @property
    def size(self) -> int:
        """How many orders there are."""
        return len(self.customer)


def draw_orders(
    rng: Generator, population: Population, life: Life, *, surroundings: Surroundings, first: int = 0
) -> Orders:
    """All orders over the world's days, numbered from ``first``; nothing is paid by credit yet."""
    customer, day = _draw_when(rng, population, life, surroundings.weights)
    shown = strain(life, customer, day)
    night = rng.random(len(customer)) < _night_chance(population, customer, shown)
    placed = day + time_of_day(rng, night)
    real = placed > population.registered[customer] + 0.02
    order = np.argsort(placed[real], kind="stable")
    kept = np.flatnonzero(real)[order]
    return _with_baskets(
        rng, population, customer[kept], placed[kept], shown[kept], surroundings=surroundings, first=first
    )


def appetite(population: Population, life: Life, *, day: float) -> Floats:
    """How much of the usual pace a customer buys at around ``day``."""
    everyone = np.arange(population.size)
    at = np.full(population.size, day)
    present = population.registered < day + STEP_DAYS / 2
    staying = np.where(population.leaves > day, 1.0, 0.1)
    staying = np.where(population.busts < day, 0.02, staying)
    stressed = 1.0 + 0.30 * strain(life, everyone, at)
    pace = np.where(fallen(life, everyone, at), 0.45, stressed) * staying
    pace = np.where(on_spree(population, everyone, at), _SPREE, pace)
    return np.where(present, pace, 0.0)


def _draw_when(rng: Generator, population: Population, life: Life, weights: Floats) -> tuple[Ints, Floats]:
    customers, days = [], []
    for begin in range(0, len(weights), STEP_DAYS):
        busy = weights[begin : begin + STEP_DAYS]
        wish = appetite(population, life, day=begin + len(busy) / 2)
        counts = rng.poisson(population.pace * wish * busy.sum() / STEP_DAYS)
        customers.append(np.repeat(np.arange(population.size), counts))
        days.append(begin + rng.choice(len(busy), int(counts.sum()), p=busy / busy.sum()))
    return np.concatenate(customers), np.concatenate(days).astype(np.float64)


def _night_chance(population: Population, customer: Ints, shown: Floats) -> Floats:
    return sigmoid(-3.1 + 0.8 * population.impulsive[customer] + 0.9 * shown)


def _with_baskets(
    rng: Generator, population: Population, customer: Ints, placed: Floats, shown: Floats,
    *, surroundings: Surroundings, first: int,
) -> Orders:  # fmt: skip
    size = len(customer)
    category = rng.choice(len(CATEGORIES), size, p=CATEGORY_SHARE)
    items = 1 + rng.poisson(np.where(PRICE_CNY[category] > 500, 0.1, 0.8))
    catalogue = surroundings.catalogue
    keen = (1.0 + 0.1 * shown) * np.where(on_spree(population, customer, placed), 2.0, 1.0)
    product = _draw_products(rng, population, customer, catalogue=catalogue, category=category, keen=keen)
    off = surroundings.discounts[placed.astype(np.int64)]
    amount = np.round(catalogue.price[category, product] * items * (1.0 - off)).astype(np.int64)
    device = _draw_devices(rng, population, customer, shown)
    return Orders(
        number=first + np.arange(size, dtype=np.int64),
        customer=customer,
        placed=placed,
        strain=shown,
        category=category,
        product=product,
        merchant=catalogue.merchant[category, product],
        items=items,
        amount=amount,
        coupon=_draw_coupons(rng, population, customer, amount),
        channel=_draw_channels(rng, population, customer),
        device=device,
        address=_draw_addresses(rng, device),
        method=_draw_methods(rng, population, customer),
    )


def _draw_products(
    rng: Generator,
    population: Population,
    customer: Ints,
    *,
    catalogue: Catalogue,
    category: Ints,
    keen: Floats,
) -> Ints:
    """The richer the customer and the keener the moment, the dearer the product."""
    wealth = population.income[customer] / _MIDDLE_INCOME
    taste = rng.random(len(customer)) ** (1.0 / (wealth * keen**2))
    return choose(catalogue, category, np.minimum(taste, 1.0 - 1e-9))


def _draw_coupons(rng: Generator, population: Population, customer: Ints, amount: Ints) -> Ints:
    uses = rng.random(len(customer)) < _COUPONS[population.kind[customer]]
    value = np.minimum(amount // 5, 100 * rng.integers(5, 51, len(customer)))
    return np.where(uses, value, 0)


def _draw_channels(rng: Generator, population: Population, customer: Ints) -> Ints:
    usual = rng.random(len(customer)) < 0.8
    return np.where(usual, population.channel[customer], rng.integers(0, len(CHANNELS), len(customer)))


def _draw_devices(rng: Generator, population: Population, customer: Ints, shown: Floats) -> Ints:
    other = rng.random(len(customer)) < 0.2 + 0.2 * shown
    pick = (rng.random(len(customer)) * population.devices[customer]).astype(np.int64)
    together = in_gang(population, customer) & (rng.random(len(customer)) < 0.7)
    return np.where(together, SHARED_DEVICE, np.where(other, pick, 0))


def _draw_addresses(rng: Generator, device: Ints) -> Ints:
    """Nine in ten orders go home; a gang sends most of what it orders together to one place."""
    size = len(device)
    own = np.where(rng.random(size) < 0.9, 0, rng.integers(1, SHARED_ADDRESS, size))
    return np.where((device == SHARED_DEVICE) & (rng.random(size) < 0.7), SHARED_ADDRESS, own)


def _draw_methods(rng: Generator, population: Population, customer: Ints) -> Ints:
    cash = rng.random(len(customer)) < 0.05 * np.exp(0.3 * population.risk[customer])
    other = rng.choice((CARD, WALLET, TRANSFER), len(customer), p=(0.34, 0.60, 0.06))
    return np.where(cash, COD, other)
