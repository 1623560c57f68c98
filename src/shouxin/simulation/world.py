"""One simulated world: a seed and a calendar in, everything that happens in it out.

Every behaviour draws from a stream of random numbers of its own, named after it, so that a new
behaviour never shifts the luck of an old one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator

from shouxin.simulation.borrowing import Plans, draw_plans, draw_wishes
from shouxin.simulation.domain import Flags, Floats, Ints, Population, draw_population
from shouxin.simulation.gangs import draw_gangs
from shouxin.simulation.kinds import draw_kinds
from shouxin.simulation.life import Life, draw_life
from shouxin.simulation.offers import draw_offers
from shouxin.simulation.outcomes import Outcomes, draw_outcomes
from shouxin.simulation.settling import draw_cushions, paid_later
from shouxin.simulation.shop import CREDIT, Orders, draw_orders
from shouxin.simulation.surroundings import Surroundings, draw_surroundings

CUSTOMERS_MIN = 20
CUSTOMERS_MAX = 8_000_000  # a made-up telephone number for each (persons.py)
BLOCK_CUSTOMERS = 20_000
# A block of people who browse holds many more events a customer, so it holds fewer customers.
BROWSING_BLOCK_CUSTOMERS = 5_000
# Orders and facts are numbered within a block; the numbers of two blocks are this far apart.
BLOCK_STRIDE = 100_000_000
MONTHS_MIN = 3
MONTHS_MAX = 120
LIVE_DAYS_MAX = 366
VISITS_MAX = 30


class UnableToSimulate(ValueError):
    """The world asked for can not be made; the message says what to ask for instead."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: ``months`` of history from ``start``, then ``live_days`` after it."""

    customers: int
    months: int
    start: date
    seed: int
    live_days: int = 90
    live_checkouts: int | None = None  # default: one for every ten customers
    visits_a_month: float = 0.0  # of an average customer, beside those that end in an order

    def __post_init__(self) -> None:
        if not CUSTOMERS_MIN <= self.customers <= CUSTOMERS_MAX:
            raise UnableToSimulate(
                f"customers must be {CUSTOMERS_MIN} to {CUSTOMERS_MAX}, not {self.customers}"
            )
        if not MONTHS_MIN <= self.months <= MONTHS_MAX:
            raise UnableToSimulate(f"months must be {MONTHS_MIN} to {MONTHS_MAX}, not {self.months}")
        if not 0 <= self.live_days <= LIVE_DAYS_MAX:
            raise UnableToSimulate(f"live days must be 0 to {LIVE_DAYS_MAX}, not {self.live_days}")
        if self.seed < 0 or (self.live_checkouts or 0) < 0:
            raise UnableToSimulate("seed and number of checkouts must not be negative")
        if not 0 <= self.visits_a_month <= VISITS_MAX:
            raise UnableToSimulate(f"visits a month must be 0 to {VISITS_MAX}, not {self.visits_a_month}")

    @property
    def end(self) -> date:
        """The first day after the history."""
        months = self.start.month - 1 + self.months
        return date(self.start.year + months // 12, months % 12 + 1, min(self.start.day, 28))

    @property
    def history_days(self) -> int:
        """How long the history is."""
        return (self.end - self.start).days

    @property
    def horizon_days(self) -> int:
        """How long history and live period are together."""
        return self.history_days + self.live_days

    @property
    def live_end(self) -> date:
        """The first day after the live period."""
        return self.end + timedelta(days=self.live_days)

    @property
    def block_customers(self) -> int:
        """How many customers a whole block has."""
        return BROWSING_BLOCK_CUSTOMERS if self.visits_a_month else BLOCK_CUSTOMERS

    @property
    def checkouts(self) -> int:
        """How many checkouts on credit the live period should have."""
        return self.customers // 10 if self.live_checkouts is None else self.live_checkouts


@dataclass(frozen=True, slots=True)
class Block:
    """Some of the customers of a world, drawn by themselves: what a block holds depends on no other block."""

    wanted: Wanted
    number: int
    customers: int
    checkouts: int

    @property
    def first_customer(self) -> int:
        """How many customers the blocks before it hold."""
        return self.number * self.wanted.block_customers

    def stream(self, name: str) -> Generator:
        """The random numbers of one behaviour of this block's customers."""
        return stream(self.wanted.seed, name, block=self.number)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Everything a block's customers are and do; ``intents`` index the live orders that ask our house."""

    block: Block
    surroundings: Surroundings
    population: Population
    life: Life
    orders: Orders
    outcomes: Outcomes
    plans: Plans
    intents: Ints


def stream(seed: int, name: str, *, block: int = 0) -> Generator:
    """The random numbers of one behaviour."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), block])


def blocks(wanted: Wanted) -> tuple[Block, ...]:
    """The blocks of a world, each with their share of the checkouts."""
    firsts = range(0, wanted.customers, wanted.block_customers)
    edges = [*firsts, wanted.customers]
    checkouts = [wanted.checkouts * edge // wanted.customers for edge in edges]
    return tuple(
        Block(wanted, number, edges[number + 1] - first, checkouts[number + 1] - checkouts[number])
        for number, first in enumerate(firsts)
    )


def surroundings_of(wanted: Wanted) -> Surroundings:
    """What is the same for all blocks of a world."""
    return draw_surroundings(
        stream(wanted.seed, "goods"),
        stream(wanted.seed, "shocks"),
        start=wanted.start,
        history_days=wanted.history_days,
        horizon_days=wanted.horizon_days,
    )


def draw_people(block: Block) -> Population:
    """The accounts of a block, each with its kind, its gang and its offer of a line."""
    days = block.wanted.history_days
    people = draw_population(
        block.stream("population"),
        customers=block.customers,
        history_days=days,
        first=block.first_customer,
    )
    people = draw_kinds(block.stream("kinds"), people, history_days=days)
    people = draw_gangs(block.stream("gangs"), people, history_days=days)
    people = draw_cushions(block.stream("cushions"), people)
    return draw_offers(block.stream("offers"), people)


def draw_world(block: Block, *, advance: Callable[[], object] = lambda: None) -> World:
    """Draw a block's whole world; ``advance`` is called after each of ``WORLD_STEPS`` steps."""
    wanted, around = block.wanted, surroundings_of(block.wanted)
    people = draw_people(block)
    life = draw_life(block.stream("life"), people, horizon_days=wanted.horizon_days, shocks=around.shocks)
    advance()
    first = block.number * BLOCK_STRIDE
    orders = draw_orders(block.stream("orders"), people, life, surroundings=around, first=first)
    advance()
    outcomes = draw_outcomes(block.stream("outcomes"), people, orders, catalogue=around.catalogue)
    advance()
    wishes = draw_wishes(block.stream("wishes"), people, orders, outcomes)
    history = orders.placed < wanted.history_days
    plans = draw_plans(
        block.stream("plans"), people, life, orders, outcomes,
        wishes=np.flatnonzero(wishes & history), shocks=around.shocks, sittings=block.stream("sittings"),
    )  # fmt: skip
    advance()
    intents = _draw_intents(block.stream("intents"), people, orders, wishes & ~history, block.checkouts)
    orders = _paid_by_credit(orders, plans)
    outcomes = paid_later(block.stream("coming back"), people, life, orders, outcomes)
    return World(block, around, people, life, orders, outcomes, plans, intents)


WORLD_STEPS = 4


def _draw_intents(rng: Generator, population: Population, orders: Orders, wishes: Flags, count: int) -> Ints:
    """Choose the checkouts that the live period sends to our house: one in twenty is from a stranger."""
    no_line = ~population.has_line[orders.customer] & (orders.placed >= _first(orders, wishes))
    strangers = _sample(rng, np.flatnonzero(no_line), count // 20)
    known = _sample(rng, np.flatnonzero(wishes), count - len(strangers))
    return np.sort(np.concatenate([known, strangers]))


def _first(orders: Orders, wishes: Flags) -> float:
    return float(orders.placed[wishes].min(initial=np.inf))


def _sample(rng: Generator, pool: Ints, count: int) -> Ints:
    return rng.choice(pool, min(count, len(pool)), replace=False)


def _paid_by_credit(orders: Orders, plans: Plans) -> Orders:
    method = orders.method.copy()
    method[plans.order] = CREDIT
    return replace(orders, method=method)


def instants(wanted: Wanted, days: Floats) -> Ints:
    """Microseconds since 1970 UTC of local days since the start (China Standard Time, no summer time)."""
    midnight = (wanted.start - date(1970, 1, 1)).days * 86_400 - 8 * 3600
    seconds: Ints = midnight + np.round(days * 86_400).astype(np.int64)
    return seconds * 1_000_000
