"""What customers borrow in the shop's older books: credit orders in three monthly instalments.

Pure. A credit order must fit the line as it stands at that moment, so orders are granted in rounds:
everybody's first wish, then everybody's second, and so on, each round at once for all customers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import (
    NEVER,
    Flags,
    Floats,
    Ints,
    Population,
    sigmoid,
)
from shouxin.simulation.kinds import on_spree
from shouxin.simulation.life import Life, fallen, pays_again, strain
from shouxin.simulation.outcomes import Outcomes
from shouxin.simulation.settling import settled
from shouxin.simulation.shocks import Shock, gloom
from shouxin.simulation.shop import COD, Orders

INSTALMENTS = 3
INSTALMENT_DAYS = 30
CREDIT_MIN_MINOR = 80_00
RAISE_FACTOR = 1.5
# 30 days past due closes the line for new orders. Default is counted from 60 days: plans run for 90 days
# in all, so that the 90 days of Basel would come after the last instalment.
BLOCKED_AT_DAYS = 30
DEFAULT_AT_DAYS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Plans:
    """Granted credit orders: ``order`` indexes the orders, the rest has one column an instalment."""

    order: Ints
    due: Floats
    amount: Ints
    delay: Floats  # whole days after due; 0 on time, inf never
    paid: Floats  # the moment of repayment; may be a little before due
    waived: Flags  # refunded before it fell due

    @property
    def size(self) -> int:
        """How many plans there are."""
        return len(self.order)


def draw_wishes(rng: Generator, population: Population, orders: Orders, outcomes: Outcomes) -> Flags:
    """Which orders the customer wants on credit, whether or not the line allows it."""
    who = orders.customer
    dear = 0.35 * np.log(orders.amount / 15_000)
    spree = 4.0 * on_spree(population, who, orders.placed)
    logit = population.credit_taste[who] + 1.0 * orders.strain + dear + spree
    wants = rng.random(orders.size) < sigmoid(logit)
    possible = (orders.amount >= CREDIT_MIN_MINOR) & np.isinf(outcomes.cancelled) & (orders.method != COD)
    return np.asarray(wants & possible & (orders.placed > population.line_opened[who]))


def draw_delays(
    rng: Generator,
    population: Population,
    life: Life,
    customer: Ints,
    due: Floats,
    *,
    shocks: tuple[Shock, ...] = (),
) -> Floats:
    """Whole days after ``due`` until each instalment is paid; 0 on time, inf never."""
    shown = strain(life, customer, due)
    tight = 0.6 * gloom(shocks, due)
    late = rng.random(len(due)) < sigmoid(-3.5 + 1.3 * population.careless[customer] + 1.8 * shown + tight)
    days = 1 + np.floor(np.minimum(rng.exponential(3.0 + 9.0 * shown), 50))
    delay = np.where(late, days, 0.0)
    paid = due + delay
    stopped = fallen(life, customer, paid)
    again = np.where(stopped, pays_again(life, customer, paid), paid)
    return np.where(stopped, np.ceil(again - due), delay)


def draw_plans(
    rng: Generator, population: Population, life: Life, orders: Orders, outcomes: Outcomes,
    *, wishes: Ints, sittings: Generator, shocks: tuple[Shock, ...] = (),
) -> Plans:  # fmt: skip
    """Grant what fits among ``wishes`` (order indices, in order of time).

    In which sittings instalments are paid comes from ``sittings``.
    """
    candidates = _candidate_plans(rng, population, life, orders, outcomes, wishes, shocks)
    candidates = _settled(sittings, population, life, orders, candidates)
    granted = grant(population, orders, candidates)
    return _chosen(candidates, granted)


def grant(population: Population, orders: Orders, candidates: Plans) -> Flags:
    """Which candidates fit into their customer's line, given what was granted before."""
    customer = orders.customer[candidates.order]
    rank = _rank_within(customer)
    granted = np.zeros(candidates.size, dtype=np.bool_)
    by_customer = np.argsort(customer, kind="stable")
    first = np.searchsorted(customer[by_customer], np.arange(population.size))
    for turn in range(int(rank.max(initial=-1)) + 1):
        now = np.flatnonzero(rank == turn)
        earlier = by_customer[first[customer[now]][:, None] + np.arange(turn)[None, :]]
        granted[now] = _fits(population, orders, candidates, granted, now=now, earlier=earlier)
    return granted


def defaults(orders: Orders, plans: Plans, *, customers: int) -> Floats:
    """The day each customer first reaches 60 days past due; inf if never."""
    reached = np.where(~plans.waived & (plans.delay >= DEFAULT_AT_DAYS), plans.due + DEFAULT_AT_DAYS, NEVER)
    day = np.full(customers, NEVER)
    np.minimum.at(day, orders.customer[plans.order], reached.min(axis=1, initial=NEVER))
    return day


def limit_at(population: Population, customer: Ints, day: Floats) -> Floats:
    """The line's limit in minor units on a day."""
    raised = day >= population.raised[customer]
    return np.where(raised, RAISE_FACTOR, 1.0) * population.limit_minor[customer].astype(np.float64)


def _candidate_plans(
    rng: Generator, population: Population, life: Life, orders: Orders, outcomes: Outcomes,
    wishes: Ints, shocks: tuple[Shock, ...],
) -> Plans:  # fmt: skip
    customer = np.repeat(orders.customer[wishes], INSTALMENTS)
    step = INSTALMENT_DAYS * np.arange(1, INSTALMENTS + 1)
    due: Floats = np.floor(orders.placed[wishes])[:, None] + step[None, :].astype(np.float64)
    delay = draw_delays(rng, population, life, customer, due.ravel(), shocks=shocks).reshape(due.shape)
    early = np.where(delay == 0, -4 * rng.random(due.shape) ** 3, 0.0)
    moment = rng.uniform(0.35, 0.95, due.shape)
    return Plans(
        order=wishes,
        due=due,
        amount=split(orders.amount[wishes]),
        delay=delay,
        paid=due + delay + early + moment,
        waived=due > outcomes.refunded[wishes][:, None],
    )


def _settled(rng: Generator, population: Population, life: Life, orders: Orders, plans: Plans) -> Plans:
    """The plans with what is paid on time paid in its sitting."""
    plan, number = np.nonzero(plans.delay == 0)
    paid = plans.paid.copy()
    paid[plan, number] = settled(
        rng, population, life, orders,
        customer=orders.customer[plans.order[plan]], due=plans.due[plan, number], alone=paid[plan, number],
    )  # fmt: skip
    return replace(plans, paid=paid)


def split(amount: Ints) -> Ints:
    """Three shares that differ by at most one minor unit and add up; the larger ones first."""
    share, rest = np.divmod(amount, INSTALMENTS)
    return share[:, None] + (np.arange(INSTALMENTS)[None, :] < rest[:, None])


def _fits(
    population: Population, orders: Orders, plans: Plans, granted: Flags, *, now: Ints, earlier: Ints
) -> Flags:
    at = orders.placed[plans.order[now]]
    moment = at[:, None, None]
    running = granted[earlier][:, :, None] & ~plans.waived[earlier] & (plans.paid[earlier] > moment)
    outstanding = np.where(running, plans.amount[earlier], 0).sum(axis=(1, 2))
    blocked = (running & (plans.due[earlier] + BLOCKED_AT_DAYS <= moment)).any(axis=(1, 2))
    customer = orders.customer[plans.order[now]]
    room = limit_at(population, customer, at) - outstanding
    fits: Flags = ~blocked & (orders.amount[plans.order[now]] <= room)
    return fits


def _rank_within(customer: Ints) -> Ints:
    """0 for a customer's first entry, 1 for the second, and so on."""
    order = np.argsort(customer, kind="stable")
    ordered = customer[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    rank = np.empty(len(customer), dtype=np.int64)
    rank[order] = np.arange(len(customer)) - starts
    return rank


def _chosen(plans: Plans, which: Flags) -> Plans:
    return Plans(
        order=plans.order[which],
        due=plans.due[which],
        amount=plans.amount[which],
        delay=plans.delay[which],
        paid=plans.paid[which],
        waived=plans.waived[which],
    )
