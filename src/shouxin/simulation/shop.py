"""What customers do in the shop: they order, cancel, receive, return, review and complain.

Pure: the population and its hidden life in, arrays of orders and of what became of them out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import (
    CHANNELS,
    NEVER,
    Flags,
    Floats,
    Ints,
    Life,
    Population,
    fallen,
    sigmoid,
    strain,
)
from shouxin.simulation.seasons import time_of_day

CATEGORIES = ("grocery", "clothing", "beauty", "home", "digital", "appliance", "sport", "books")
_CATEGORY_SHARE = (0.22, 0.22, 0.13, 0.13, 0.09, 0.04, 0.09, 0.08)
# The middle price of one item in CNY, and how widely its logarithm spreads.
_PRICE_CNY = np.array([42.0, 138.0, 105.0, 88.0, 960.0, 1450.0, 180.0, 36.0])
_PRICE_SPREAD = np.array([0.45, 0.55, 0.60, 0.65, 0.75, 0.55, 0.60, 0.40])
_RETURN_LOGIT = np.array([-1.4, 0.6, -0.5, -0.3, 0.0, -0.4, 0.2, -1.2])
MERCHANTS_A_CATEGORY = 40
METHODS = ("card", "wallet", "cod", "transfer", "credit")
CARD, WALLET, COD, TRANSFER, CREDIT = range(5)
REFUND_KINDS = ("return", "refund_only")
_MIDDLE_INCOME = np.exp(8.8)
STEP_DAYS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """One array entry an order, in order of time; ``amount`` is in minor units."""

    number: Ints  # the order's number in the whole world
    customer: Ints
    placed: Floats
    strain: Floats  # latent: how much stress the customer showed then
    category: Ints
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


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What became of each order; days, inf where it did not happen."""

    cancelled: Floats
    cancelled_by_shop: Flags
    paid: Floats
    shipped: Floats
    delivered: Floats
    days_late: Ints
    refused: Floats
    returned: Floats
    refunded: Floats
    refund_kind: Ints
    refund: Ints
    reviewed: Floats
    rating: Ints
    complained: Floats


def draw_orders(
    rng: Generator, population: Population, life: Life, *, weights: Floats, first: int = 0
) -> Orders:
    """All orders over the days of ``weights``, numbered from ``first``; nothing is paid by credit yet."""
    customer, day = _draw_when(rng, population, life, weights)
    shown = strain(life, customer, day)
    night = rng.random(len(customer)) < _night_chance(population, customer, shown)
    placed = day + time_of_day(rng, night)
    real = placed > population.registered[customer] + 0.02
    order = np.argsort(placed[real], kind="stable")
    kept = np.flatnonzero(real)[order]
    return _with_baskets(rng, population, customer[kept], placed[kept], shown[kept], first=first)


def draw_outcomes(rng: Generator, population: Population, orders: Orders) -> Outcomes:
    """What becomes of every order, one habit after the other."""
    cancelled, by_shop = _draw_cancelled(rng, population, orders)
    kept = np.isinf(cancelled)
    shipped = np.where(kept, orders.placed + rng.uniform(0.2, 2.0, orders.size), NEVER)
    arrives, late = _draw_delivery(rng, shipped)
    refuses = (orders.method == COD) & (
        rng.random(orders.size) < 0.05 * np.exp(0.4 * population.risk[orders.customer])
    )
    delivered = np.where(refuses, NEVER, arrives)
    refused = np.where(refuses & kept, arrives, NEVER)
    returned, refunded, kind = _draw_refunds(rng, population, orders, delivered)
    reviewed, rating = _draw_reviews(rng, population, orders, delivered, late)
    return Outcomes(
        cancelled=cancelled,
        cancelled_by_shop=by_shop,
        paid=_draw_paid(rng, orders, cancelled, delivered),
        shipped=shipped,
        delivered=delivered,
        days_late=late,
        refused=refused,
        returned=returned,
        refunded=refunded,
        refund_kind=kind,
        refund=_draw_refund_amounts(rng, orders),
        reviewed=reviewed,
        rating=rating,
        complained=_draw_complaints(rng, population, orders, delivered, late),
    )


def appetite(population: Population, life: Life, *, day: float) -> Floats:
    """How much of the usual pace a customer buys at around ``day``."""
    everyone = np.arange(population.size)
    at = np.full(population.size, day)
    present = population.registered < day + STEP_DAYS / 2
    staying = np.where(population.leaves > day, 1.0, 0.1)
    stressed = 1.0 + 0.30 * strain(life, everyone, at)
    pace = np.where(fallen(life, everyone, at), 0.45, stressed) * staying
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
    rng: Generator, population: Population, customer: Ints, placed: Floats, shown: Floats, *, first: int
) -> Orders:
    size = len(customer)
    category = rng.choice(len(CATEGORIES), size, p=_CATEGORY_SHARE)
    items = 1 + rng.poisson(np.where(_PRICE_CNY[category] > 500, 0.1, 0.8))
    amount = _draw_amounts(rng, population, customer, category=category, items=items, shown=shown)
    return Orders(
        number=first + np.arange(size, dtype=np.int64),
        customer=customer,
        placed=placed,
        strain=shown,
        category=category,
        merchant=(MERCHANTS_A_CATEGORY * rng.power(0.5, size)).astype(np.int64),
        items=items,
        amount=amount,
        coupon=_draw_coupons(rng, population, customer, amount),
        channel=_draw_channels(rng, population, customer),
        device=_draw_devices(rng, population, customer, shown),
        address=np.where(rng.random(size) < 0.9, 0, rng.integers(1, 3, size)),
        method=_draw_methods(rng, population, customer),
    )


def _draw_amounts(
    rng: Generator, population: Population, customer: Ints, *, category: Ints, items: Ints, shown: Floats
) -> Ints:
    wealth = (population.income[customer] / _MIDDLE_INCOME) ** 0.5
    price = _PRICE_CNY[category] * np.exp(_PRICE_SPREAD[category] * rng.standard_normal(len(customer)))
    minor = np.round(100 * price * wealth * items * (1 + 0.1 * shown))
    return np.asarray(np.maximum(100, minor).astype(np.int64))


def _draw_coupons(rng: Generator, population: Population, customer: Ints, amount: Ints) -> Ints:
    uses = rng.random(len(customer)) < np.where(population.abuser[customer], 0.45, 0.18)
    value = np.minimum(amount // 5, 100 * rng.integers(5, 51, len(customer)))
    return np.where(uses, value, 0)


def _draw_channels(rng: Generator, population: Population, customer: Ints) -> Ints:
    usual = rng.random(len(customer)) < 0.8
    return np.where(usual, population.channel[customer], rng.integers(0, len(CHANNELS), len(customer)))


def _draw_devices(rng: Generator, population: Population, customer: Ints, shown: Floats) -> Ints:
    other = rng.random(len(customer)) < 0.2 + 0.2 * shown
    pick = (rng.random(len(customer)) * population.devices[customer]).astype(np.int64)
    return np.where(other, pick, 0)


def _draw_methods(rng: Generator, population: Population, customer: Ints) -> Ints:
    cash = rng.random(len(customer)) < 0.05 * np.exp(0.3 * population.risk[customer])
    other = rng.choice((CARD, WALLET, TRANSFER), len(customer), p=(0.34, 0.60, 0.06))
    return np.where(cash, COD, other)


def _draw_cancelled(rng: Generator, population: Population, orders: Orders) -> tuple[Floats, Flags]:
    logit = -3.4 + 0.8 * population.impulsive[orders.customer] + 1.0 * orders.strain
    by_customer = rng.random(orders.size) < sigmoid(logit)
    by_shop = ~by_customer & (rng.random(orders.size) < 0.008)
    after = rng.uniform(0.01, 0.8, orders.size)
    return np.where(by_customer | by_shop, orders.placed + after, NEVER), by_shop


def _draw_paid(rng: Generator, orders: Orders, cancelled: Floats, delivered: Floats) -> Floats:
    soon = orders.placed + rng.exponential(0.01, orders.size)
    at_door = np.where(np.isfinite(delivered), delivered + 0.002, NEVER)
    paid = np.where(orders.method == COD, at_door, soon)
    return np.where(paid < cancelled, paid, NEVER)


def _draw_delivery(rng: Generator, shipped: Floats) -> tuple[Floats, Ints]:
    late = np.where(rng.random(len(shipped)) < 0.09, rng.geometric(0.4, len(shipped)), 0)
    return shipped + rng.uniform(1.0, 4.0, len(shipped)) + late, late


def _draw_refunds(
    rng: Generator, population: Population, orders: Orders, delivered: Floats
) -> tuple[Floats, Floats, Ints]:
    """(return asked for, refund issued, kind of refund)."""
    who = orders.customer
    came = np.isfinite(delivered)
    logit = -3.1 + 0.6 * population.impulsive[who] + _RETURN_LOGIT[orders.category] + 0.8 * orders.strain
    returns = came & (rng.random(orders.size) < sigmoid(logit))
    keeps = -4.9 + 0.45 * population.impulsive[who] + 4.0 * population.abuser[who] + 0.9 * orders.strain
    refund_only = came & ~returns & (rng.random(orders.size) < sigmoid(keeps))
    returned = np.where(returns, delivered + rng.uniform(0.5, 8.0, orders.size), NEVER)
    granted = returns & (rng.random(orders.size) < 0.95)
    refunded = np.where(granted, returned + rng.uniform(1.5, 6.0, orders.size), NEVER)
    refunded = np.where(refund_only, delivered + rng.uniform(0.2, 5.0, orders.size), refunded)
    return returned, refunded, refund_only.astype(np.int64)


def _draw_refund_amounts(rng: Generator, orders: Orders) -> Ints:
    part = np.where(rng.random(orders.size) < 0.75, 1.0, rng.uniform(0.2, 0.9, orders.size))
    return np.maximum(1, np.round(orders.amount * part)).astype(np.int64)


def _draw_reviews(
    rng: Generator, population: Population, orders: Orders, delivered: Floats, late: Ints
) -> tuple[Floats, Ints]:
    writes = np.isfinite(delivered) & (rng.random(orders.size) < 0.22)
    mood = 4.5 - 0.35 * late - 0.25 * population.impulsive[orders.customer] - 0.6 * orders.strain
    stars = np.clip(np.round(mood + 0.8 * rng.standard_normal(orders.size)), 1, 5)
    return np.where(writes, delivered + rng.exponential(3.0, orders.size), NEVER), stars.astype(np.int64)


def _draw_complaints(
    rng: Generator, population: Population, orders: Orders, delivered: Floats, late: Ints
) -> Floats:
    who = orders.customer
    logit = -4.6 + 0.5 * population.impulsive[who] + 0.35 * late + 1.6 * population.abuser[who]
    complains = np.isfinite(delivered) & (rng.random(orders.size) < sigmoid(logit + 0.7 * orders.strain))
    return np.where(complains, delivered + rng.exponential(2.0, orders.size), NEVER)
