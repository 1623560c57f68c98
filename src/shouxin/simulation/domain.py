"""The people of the simulated shop and what is hidden in them: who they are, and when life goes wrong.

Arrays in, arrays out; a generator of random numbers is an argument. Times are days since the first
local midnight of the history, as floats; ``inf`` means never and negative means before the history.
Nothing of this page is written where the house could read it: it sees the events only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = float("inf")
CHANNELS = ("app", "web", "store", "phone")
REGIONS = ("east", "south", "north", "west", "centre")
# A shop's log of orders is younger than its book of customers.
OLDEST_REGISTRATION_DAYS = 720
OLD_CUSTOMERS_SHARE = 0.55
LINE_SHARE = 0.70
SECOND_ACCOUNTS_SHARE = 0.01
KINDS = (
    "steady", "thin_file", "stressed", "refund_abuser", "claimer", "bust_out", "ring", "farm",
)  # fmt: skip
STEADY, THIN_FILE, STRESSED, REFUND_ABUSER, CLAIMER, BUST_OUT, RING, FARM = range(8)
# What a limit arm does to the limit; the middle arm is the ordinary offer.
LIMIT_FACTORS = np.array([0.6, 1.0, 1.6])


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """One array entry a customer account; latent traits are standard normal unless said otherwise."""

    number: Ints  # the account's place in the whole world
    person: Ints  # accounts with the same one belong to one human being
    registered: Floats
    leaves: Floats
    risk: Floats
    careless: Floats
    impulsive: Floats
    hand_to_mouth: Floats  # how little is set aside
    income: Floats  # CNY a month
    pace: Floats  # orders a month
    credit_taste: Floats  # logit of choosing credit when there is a line
    channel: Ints
    region: Ints
    devices: Ints
    line_opened: Floats
    limit_minor: Ints
    raised: Floats
    kind: Ints
    gang: Ints  # position of the gang's leader; an account's own where there is no gang
    busts: Floats  # the planned day of vanishing
    offered: Floats  # when a line was offered, taken or not
    limit_arm: Ints
    price_arm: Ints

    @property
    def size(self) -> int:
        """How many accounts there are."""
        return len(self.person)

    @property
    def has_line(self) -> Flags:
        """Which accounts ever get a line in the shop's older books."""
        return np.isfinite(self.line_opened)


def in_gang(population: Population, customer: Ints) -> Flags:
    """Which accounts act for a gang."""
    return np.asarray(population.kind[customer] >= RING)


def is_fraud(population: Population) -> Flags:
    """Which accounts were opened to cheat with credit or coupons."""
    return np.asarray(population.kind >= BUST_OUT)


def sigmoid(logit: Floats) -> Floats:
    """The probability of a logit."""
    probability: Floats = 1.0 / (1.0 + np.exp(-logit))
    return probability


def related(rng: Generator, trait: Floats, *, correlation: float) -> Floats:
    """A standard normal trait with this correlation to another."""
    noise = rng.standard_normal(len(trait))
    mixed: Floats = correlation * trait + np.sqrt(1 - correlation**2) * noise
    return mixed


def draw_population(rng: Generator, *, customers: int, history_days: int, first: int = 0) -> Population:
    """Draw the accounts, numbered from ``first``; new customers keep arriving for ``history_days``."""
    registered = _draw_registered(rng, customers=customers, history_days=history_days)
    # Who has stayed for a year or two is a little safer than who has just come.
    risk = rng.standard_normal(customers) + np.where(registered < 0, -0.3, 0.3)
    impulsive = related(rng, risk, correlation=0.80)
    income = np.exp(8.8 + 0.5 * related(rng, risk, correlation=-0.65))
    line_opened = _draw_lines(rng, registered, history_days=history_days)
    pace = 0.63 * np.exp(0.55 * rng.standard_normal(customers) + 0.08 * impulsive)
    population = Population(
        number=first + np.arange(customers, dtype=np.int64),
        person=np.arange(customers, dtype=np.int64),
        registered=registered,
        leaves=np.maximum(registered, 0) + rng.exponential(900, customers),
        risk=risk,
        careless=related(rng, risk, correlation=0.85),
        impulsive=impulsive,
        hand_to_mouth=np.zeros(customers),
        income=income,
        pace=pace,
        credit_taste=-1.0 + 0.95 * risk + 0.4 * rng.standard_normal(customers),
        channel=rng.choice(len(CHANNELS), customers, p=(0.66, 0.22, 0.09, 0.03)),
        region=rng.choice(len(REGIONS), customers, p=(0.34, 0.26, 0.17, 0.10, 0.13)),
        devices=1 + rng.poisson(0.35 * np.exp(0.35 * impulsive)),
        line_opened=line_opened,
        limit_minor=_draw_limits(rng, income),
        raised=_draw_raises(rng, line_opened),
        kind=np.full(customers, STEADY),
        gang=np.arange(customers, dtype=np.int64),
        busts=np.full(customers, NEVER),
        offered=line_opened.copy(),
        limit_arm=np.ones(customers, dtype=np.int64),
        price_arm=np.ones(customers, dtype=np.int64),
    )
    return _with_second_accounts(rng, population)


def _draw_registered(rng: Generator, *, customers: int, history_days: int) -> Floats:
    old = rng.random(customers) < OLD_CUSTOMERS_SHARE
    before = -OLDEST_REGISTRATION_DAYS * rng.random(customers)
    during = (history_days - 1) * rng.random(customers)
    return np.where(old, before, during)


def _draw_lines(rng: Generator, registered: Floats, *, history_days: int) -> Floats:
    """One to three months after registration; after the history our own house opens the lines."""
    wants = rng.random(len(registered)) < LINE_SHARE
    opened = registered + rng.uniform(30, 90, len(registered))
    return np.where(wants & (opened < history_days), opened, NEVER)


def _draw_limits(rng: Generator, income: Floats) -> Ints:
    wished = income * rng.uniform(0.5, 1.1, len(income))
    return (np.clip(np.round(wished / 500), 2, 60) * 500 * 100).astype(np.int64)


def _draw_raises(rng: Generator, line_opened: Floats) -> Floats:
    lucky = rng.random(len(line_opened)) < 0.15
    return np.where(lucky, line_opened + rng.uniform(200, 500, len(line_opened)), NEVER)


def _with_second_accounts(rng: Generator, population: Population) -> Population:
    """Let a few accounts be second accounts of earlier people: same human being, no line of their own."""
    second = np.flatnonzero(rng.random(population.size) < SECOND_ACCOUNTS_SHARE)
    first = rng.integers(0, population.size, len(second))
    chosen = ~np.isin(first, second)
    second, first = second[chosen], first[chosen]
    for trait in (population.person, population.risk, population.careless, population.impulsive):
        trait[second] = trait[first]
    for trait in (population.income, population.credit_taste):
        trait[second] = trait[first]
    population.region[second] = population.region[first]
    population.line_opened[second] = NEVER
    population.raised[second] = NEVER
    return population
