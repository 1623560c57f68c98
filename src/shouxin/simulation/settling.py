"""In which order customers buy and pay: what no count shows of somebody who is short of ready money.

Pure. Two habits of who lives from hand to mouth, and of anybody in the weeks before money stress shows. *Pays
first*: an instalment is often paid in the sitting in which something is bought. Who has money buys and then
settles what is due; who has none pays, which frees the line, and at once buys again. Card issuers know it as
credit cycling and watch for it. *Comes back to pay*: who has money signs in, orders and pays; who has none
orders, and signs in again hours later to pay, when there is some. What is bought, what is paid, how often and
on which day is the same for both; only the order differs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import Flags, Floats, Ints, Population, related, sigmoid
from shouxin.simulation.life import Life, squeeze
from shouxin.simulation.outcomes import Outcomes
from shouxin.simulation.shop import COD, CREDIT, Orders

# How far living from hand to mouth goes with risk; who plans to vanish frees the line to fill it once more.
_BY_RISK, _PLANS = 0.85, 1.5
# How long before an instalment is due somebody who is buying anyway settles it as well.
REACH_DAYS = 10.0
# Of the instalments with an order within reach, the share settled in the same sitting.
_TOGETHER = 0.8
# What is paid by this moment of the day on which it falls due is on time.
_LAST_MOMENT = 0.97
# A sitting in which something is paid and something bought, in days: its mean, at least, at most.
_SITTING, _SITTING_MIN, _SITTING_MAX = 1.5 / 24, 2 / 1440, 8 / 24
# The logit of paying first: of the middle customer in calm times, and what moves it.
_PAYS_FIRST, _CYCLES, _CYCLES_SQUEEZED = -0.5, 2.0, 3.0
# The logit of coming back to pay, and the hours until then.
_COMES_BACK, _WAITS, _WAITS_SQUEEZED = -2.0, 1.2, 2.5
_AWAY_HOURS, AWAY_HOURS_MIN, _AWAY_HOURS_MAX = 1.5, 1.0, 4.5
# Nobody comes back to pay at night or on another day: what is ordered then is paid at once.
_MORNING_HOUR, _MIDNIGHT_HOUR = 6.0, 23.8
_SIGNS_IN_TO_ORDER, _SIGNS_IN_TO_PAY = 0.01, 0.003


def draw_cushions(rng: Generator, population: Population) -> Population:
    """How far each customer lives from hand to mouth, which goes with risk; a person's accounts share it."""
    trait = related(rng, population.risk, correlation=_BY_RISK)
    trait = trait + np.where(np.isfinite(population.busts), _PLANS, 0.0)
    return replace(population, hand_to_mouth=trait[population.person])


def settled(
    rng: Generator, population: Population, life: Life, orders: Orders, *, customer: Ints, due: Floats,
    alone: Floats,
) -> Floats:  # fmt: skip
    """When each instalment that is paid on time is paid.

    ``alone`` is when it is paid where nothing is bought within reach of the day on which it is ``due``.
    """
    near, placed = _latest_order(orders, customer, due)
    together = near & (rng.random(len(due)) < _TOGETHER)
    logit = _PAYS_FIRST + _CYCLES * population.hand_to_mouth[customer]
    first = rng.random(len(due)) < sigmoid(logit + _CYCLES_SQUEEZED * squeeze(life, customer, due))
    apart = np.clip(rng.exponential(_SITTING, len(due)), _SITTING_MIN, _SITTING_MAX)
    return np.where(together, placed + np.where(first, -apart, apart), alone)


def paid_later(
    rng: Generator, population: Population, life: Life, orders: Orders, outcomes: Outcomes
) -> Outcomes:
    """The orders that somebody comes back to pay, hours later on the same day."""
    logit = _COMES_BACK + _WAITS * population.hand_to_mouth[orders.customer]
    returns = rng.random(orders.size) < sigmoid(
        logit + _WAITS_SQUEEZED * squeeze(life, orders.customer, orders.placed)
    )
    hours = 24.0 * (orders.placed % 1.0)
    away = np.clip(rng.exponential(_AWAY_HOURS, orders.size) + AWAY_HOURS_MIN, None, _AWAY_HOURS_MAX)
    away = np.minimum(away, _MIDNIGHT_HOUR - hours)
    # Who cancels had not paid or paid at once, as before: how many orders are paid does not change.
    possible = (
        np.isfinite(outcomes.paid) & np.isinf(outcomes.cancelled) & ~np.isin(orders.method, (COD, CREDIT))
    )
    later = returns & possible & (hours >= _MORNING_HOUR) & (away >= AWAY_HOURS_MIN)
    return replace(outcomes, paid=np.where(later, orders.placed + away / 24.0, outcomes.paid))


def sign_ins(orders: Orders, outcomes: Outcomes) -> Floats:
    """When who signs in to buy does: before ordering, or to pay where that is hours later."""
    away = (outcomes.paid - orders.placed >= AWAY_HOURS_MIN / 24.0) & np.isfinite(outcomes.paid)
    to_pay = away & ~np.isin(orders.method, (COD, CREDIT))
    return np.where(to_pay, outcomes.paid - _SIGNS_IN_TO_PAY, orders.placed - _SIGNS_IN_TO_ORDER)


def _latest_order(orders: Orders, customer: Ints, due: Floats) -> tuple[Flags, Floats]:
    """(whether there is one within reach, when it was placed) of the last order before paying is late."""
    far = 2.0 * (float(max(orders.placed.max(initial=0.0), due.max(initial=0.0))) + REACH_DAYS + 1.0)
    # Every customer's days on one line, one customer after the other: one search finds a customer's day.
    line = np.sort(orders.customer * far + orders.placed)
    at = customer * far + due
    found = np.append(line, -np.inf)[np.searchsorted(line, at + _LAST_MOMENT - _SITTING_MAX) - 1]
    return np.asarray(found > at - REACH_DAYS), found - customer * far
