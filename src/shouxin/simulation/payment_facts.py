"""Payments that fail, payments that a bank takes back, and the levels of membership that spending earns.

Money stress shows in accounts that are empty when an order is to be paid; who claims that parcels did not
come, or pays with a card that is not theirs, meets the bank.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import CLAIMER, NEVER, RING, Flags, Floats, Ints, Population, sigmoid
from shouxin.simulation.facts import Facts, facts, numbers, words
from shouxin.simulation.outcomes import Outcomes
from shouxin.simulation.shop import CARD, COD, CREDIT, METHODS, Orders

FAILURES = ("insufficient_funds", "declined", "expired", "wrong_code", "other")
_OTHER_FAILURES = (1, 5)
_FAILS = -3.7
_SHOWS_STRAIN, _SHOWS_CARELESS = 0.9, 0.25
# Of the failures of somebody under full stress, the share for want of money; of others.
_EMPTY, _EMPTY_CALM = 0.75, 0.25
_AGAIN = 0.3  # that a second attempt fails too
CHARGEBACKS = ("not_received", "unauthorised", "other")
# Of delivered orders paid by card: somebody honest, a claimer, a ring on a card of others.
_CHARGED_BACK, _CLAIMS_AT_BANK, _STOLEN = 0.0008, 0.06, 0.03
_BANK_DAYS = (12.0, 60.0)
# What must have been paid, in minor units, for the levels 1, 2, 3, 4.
LEVELS_FROM = np.array([500_00, 2_000_00, 8_000_00, 30_000_00])


def payment_facts(
    rng: Generator, population: Population, orders: Orders, outcomes: Outcomes, *, told: Flags
) -> tuple[Facts, ...]:
    """payment_failed, chargeback_received and membership_changed of the orders that are ``told``."""
    return (
        *_failed(rng, population, orders, outcomes, told),
        _charged_back(rng, population, orders, outcomes, told),
        _memberships(orders, outcomes, told),
    )


def _failed(
    rng: Generator, population: Population, orders: Orders, outcomes: Outcomes, told: Flags
) -> tuple[Facts, ...]:
    careless = population.careless[orders.customer]
    logit = _FAILS + _SHOWS_STRAIN * orders.strain + _SHOWS_CARELESS * careless
    by_purse = ~np.isin(orders.method, (COD, CREDIT))
    fails = told & by_purse & np.isfinite(outcomes.paid) & (rng.random(orders.size) < sigmoid(logit))
    first = np.flatnonzero(fails)
    second = first[rng.random(len(first)) < _AGAIN]
    # Both lie between the order and the payment that then worked.
    return tuple(
        _attempts(rng, orders, which, orders.placed[which] + share * (outcomes.paid - orders.placed)[which])
        for which, share in ((first, 0.3), (second, 0.6))
    )


def _attempts(rng: Generator, orders: Orders, which: Ints, day: Floats) -> Facts:
    empty = rng.random(len(which)) < _EMPTY_CALM + (_EMPTY - _EMPTY_CALM) * orders.strain[which]
    reason = np.where(empty, 0, rng.integers(*_OTHER_FAILURES, len(which)))
    return facts(
        "payment_failed",
        orders.customer[which],
        day,
        order=which,
        amount=orders.amount[which] - orders.coupon[which],
        payload={"method": words(METHODS, orders.method[which]), "reason": words(FAILURES, reason)},
    )


def _charged_back(
    rng: Generator, population: Population, orders: Orders, outcomes: Outcomes, told: Flags
) -> Facts:
    kind = population.kind[orders.customer]
    chance = np.where(kind == CLAIMER, _CLAIMS_AT_BANK, np.where(kind == RING, _STOLEN, _CHARGED_BACK))
    by_card = told & (orders.method == CARD) & np.isfinite(outcomes.delivered)
    which = np.flatnonzero(by_card & (rng.random(orders.size) < chance))
    reason = np.select([kind[which] == CLAIMER, kind[which] == RING], [0, 1], 2)
    return facts(
        "chargeback_received",
        orders.customer[which],
        outcomes.delivered[which] + rng.uniform(*_BANK_DAYS, len(which)),
        order=which,
        amount=orders.amount[which] - orders.coupon[which],
        payload={"reason": words(CHARGEBACKS, reason)},
    )


def _memberships(orders: Orders, outcomes: Outcomes, told: Flags) -> Facts:
    """A new level on the day on which all that was paid reaches it; a yuan paid is a point."""
    day = np.where(told, outcomes.paid, NEVER)
    which = np.lexsort((day, orders.customer))
    which = which[np.isfinite(day[which])]
    customer, paid = orders.customer[which], (orders.amount - orders.coupon)[which]
    total = _running_totals(customer, paid)
    level, before = (np.searchsorted(LEVELS_FROM, sums, side="right") for sums in (total, total - paid))
    risen = level > before
    return facts(
        "membership_changed",
        customer[risen],
        day[which][risen],
        payload={"level": numbers(level[risen]), "points": numbers(total[risen] // 100)},
    )


def _running_totals(customer: Ints, paid: Ints) -> Ints:
    """What each customer, whose entries stand together, has paid up to each entry."""
    total = np.cumsum(paid)
    begins = np.flatnonzero(np.concatenate([[True], customer[1:] != customer[:-1]])[: len(customer)])
    offsets = total[begins] - paid[begins]
    return np.asarray(total - np.repeat(offsets, np.diff([*begins, len(customer)])))
