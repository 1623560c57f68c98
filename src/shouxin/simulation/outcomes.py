"""What becomes of the orders: cancelled, delivered, refused, returned, refunded, reviewed, complained about.

Pure: orders and the hidden lives of customers and merchants in, days out (inf where it did not happen).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from shouxin.simulation.catalogue import COUNTERFEIT, FAKE_SHIPPING, SLOW, Catalogue
from shouxin.simulation.domain import (
    CLAIMER,
    NEVER,
    REFUND_ABUSER,
    Flags,
    Floats,
    Ints,
    Population,
    sigmoid,
)
from shouxin.simulation.shop import COD, Orders

REFUND_KINDS = ("return", "refund_only")
RETURN_REASONS = ("does_not_fit", "not_as_described", "damaged", "changed_mind")
NOT_AS_DESCRIBED = 1
TOPICS = ("delivery", "quality", "service", "refund", "not_received", "counterfeit")
LATE, OTHER_TOPICS, NOT_RECEIVED, FAKE_GOODS = 0, (1, 4), 4, 5
# By category, in the catalogue's order.
_RETURN_LOGIT = np.array([-1.4, 0.6, -0.5, -0.3, 0.0, -0.4, 0.2, -1.2])
# Only what is worth it is claimed not to have come.
_CLAIM_MIN_MINOR = 150_00
# Of a fake shipper's parcels, the share that never comes.
_VANISHING_SHARE = 0.6


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
    return_reason: Ints
    refunded: Floats
    refund_kind: Ints
    refund: Ints
    reviewed: Floats
    rating: Ints
    complained: Floats
    topic: Ints


def draw_outcomes(
    rng: Generator, population: Population, orders: Orders, *, catalogue: Catalogue
) -> Outcomes:
    """What becomes of every order, one habit after the other."""
    dealing = catalogue.dealing[orders.category, orders.merchant]
    cancelled, by_shop = _draw_cancelled(rng, population, orders)
    kept = np.isinf(cancelled)
    shipped = np.where(kept, orders.placed + rng.uniform(0.2, 2.0, orders.size), NEVER)
    vanishes = (dealing == FAKE_SHIPPING) & (rng.random(orders.size) < _VANISHING_SHARE)
    arrives, late = _draw_delivery(rng, shipped, dealing)
    arrives = np.where(vanishes, NEVER, arrives)
    refuses = (orders.method == COD) & (
        rng.random(orders.size) < 0.05 * np.exp(0.4 * population.risk[orders.customer])
    )
    delivered = np.where(refuses, NEVER, arrives)
    claims = _draw_claims(rng, population, orders, delivered)
    returned, refunded, kind = _draw_refunds(rng, population, orders, delivered, dealing, claims)
    complained, topic = _draw_complaints(rng, population, orders, delivered, late, dealing, claims)
    lost = vanishes & kept & (rng.random(orders.size) < 0.75)
    asked = orders.placed + rng.uniform(9.0, 20.0, orders.size)
    settled = lost & (rng.random(orders.size) < 0.85)
    reviewed, rating = _draw_reviews(rng, population, orders, delivered, late, dealing)
    return Outcomes(
        cancelled=cancelled,
        cancelled_by_shop=by_shop,
        paid=_draw_paid(rng, orders, cancelled, delivered),
        shipped=shipped,
        delivered=delivered,
        days_late=late,
        refused=np.where(refuses & kept, arrives, NEVER),
        returned=returned,
        return_reason=_draw_return_reasons(rng, dealing),
        refunded=np.where(settled, asked + rng.uniform(1.0, 8.0, orders.size), refunded),
        refund_kind=np.where(settled, 1, kind),
        refund=_draw_refund_amounts(rng, orders, lost | claims),
        reviewed=reviewed,
        rating=rating,
        complained=np.where(lost, asked, complained),
        topic=np.where(lost, NOT_RECEIVED, topic),
    )


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


def _draw_delivery(rng: Generator, shipped: Floats, dealing: Ints) -> tuple[Floats, Ints]:
    """(day of arrival, days later than promised): a slow merchant breaks every other promise."""
    chance = np.where(dealing == SLOW, 0.50, np.where(dealing == FAKE_SHIPPING, 0.30, 0.07))
    late = np.where(rng.random(len(shipped)) < chance, rng.geometric(0.4, len(shipped)), 0)
    return shipped + rng.uniform(1.0, 4.0, len(shipped)) + late, late


def _draw_claims(rng: Generator, population: Population, orders: Orders, delivered: Floats) -> Flags:
    """Claims that a parcel which came did not come: a claimer's habit, and almost nobody else's."""
    worth = np.isfinite(delivered) & (orders.amount >= _CLAIM_MIN_MINOR)
    chance = np.where(population.kind[orders.customer] == CLAIMER, 0.30, 0.0008)
    return np.asarray(worth & (rng.random(orders.size) < chance))


def _draw_refunds(
    rng: Generator, population: Population, orders: Orders, delivered: Floats, dealing: Ints, claims: Flags
) -> tuple[Floats, Floats, Ints]:
    """(return asked for, refund issued, kind of refund)."""
    who = orders.customer
    came = np.isfinite(delivered) & ~claims
    fake = 1.6 * (dealing == COUNTERFEIT)
    logit = -3.1 + 0.6 * population.impulsive[who] + _RETURN_LOGIT[orders.category] + 0.8 * orders.strain
    returns = came & (rng.random(orders.size) < sigmoid(logit + fake))
    abuses = 4.0 * (population.kind[who] == REFUND_ABUSER)
    keeps = -4.9 + 0.45 * population.impulsive[who] + abuses + 0.9 * orders.strain + fake
    refund_only = (came & ~returns & (rng.random(orders.size) < sigmoid(keeps))) | claims
    returned = np.where(returns, delivered + rng.uniform(0.5, 8.0, orders.size), NEVER)
    granted = returns & (rng.random(orders.size) < 0.95)
    refunded = np.where(granted, returned + rng.uniform(1.5, 6.0, orders.size), NEVER)
    refunded = np.where(refund_only, delivered + rng.uniform(0.2, 5.0, orders.size), refunded)
    return returned, refunded, refund_only.astype(np.int64)


def _draw_return_reasons(rng: Generator, dealing: Ints) -> Ints:
    reason = rng.integers(0, len(RETURN_REASONS), len(dealing))
    return np.where((dealing == COUNTERFEIT) & (rng.random(len(dealing)) < 0.8), NOT_AS_DESCRIBED, reason)


def _draw_refund_amounts(rng: Generator, orders: Orders, whole: Flags) -> Ints:
    in_part = (rng.random(orders.size) >= 0.75) & ~whole
    part = np.where(in_part, rng.uniform(0.2, 0.9, orders.size), 1.0)
    return np.maximum(1, np.round(orders.amount * part)).astype(np.int64)


def _draw_reviews(
    rng: Generator, population: Population, orders: Orders, delivered: Floats, late: Ints, dealing: Ints
) -> tuple[Floats, Ints]:
    writes = np.isfinite(delivered) & (rng.random(orders.size) < 0.22)
    mood = 4.5 - 0.35 * late - 0.25 * population.impulsive[orders.customer] - 0.6 * orders.strain
    mood = mood - 1.6 * (dealing == COUNTERFEIT)
    stars = np.clip(np.round(mood + 0.8 * rng.standard_normal(orders.size)), 1, 5)
    return np.where(writes, delivered + rng.exponential(3.0, orders.size), NEVER), stars.astype(np.int64)


def _draw_complaints(
    rng: Generator,
    population: Population,
    orders: Orders,
    delivered: Floats,
    late: Ints,
    dealing: Ints,
    claims: Flags,
) -> tuple[Floats, Ints]:
    """(complaint filed, its topic)."""
    who = orders.customer
    abuses = 1.6 * (population.kind[who] == REFUND_ABUSER)
    fake = 2.0 * (dealing == COUNTERFEIT)
    logit = -4.6 + 0.5 * population.impulsive[who] + 0.35 * late + abuses + fake + 0.7 * orders.strain
    complains = claims | (np.isfinite(delivered) & (rng.random(orders.size) < sigmoid(logit)))
    about_fake = (dealing == COUNTERFEIT) & (rng.random(orders.size) < 0.7)
    topic = np.where(late > 0, LATE, rng.integers(*OTHER_TOPICS, orders.size))
    topic = np.where(claims, NOT_RECEIVED, np.where(about_fake, FAKE_GOODS, topic))
    # A claim comes before its refund; other complaints when they come.
    after = np.where(claims, 0.1, rng.exponential(2.0, orders.size))
    return np.where(complains, delivered + after, NEVER), topic
