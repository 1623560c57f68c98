"""What the shop learns about people: registrations, verifications, changes, visits, violations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from shouxin.simulation.catalogue import CATEGORIES, PRODUCTS_A_CATEGORY
from shouxin.simulation.domain import (
    CHANNELS,
    CLAIMER,
    FARM,
    KINDS,
    REFUND_ABUSER,
    REGIONS,
    RING,
    Floats,
    Ints,
    Population,
    in_gang,
)
from shouxin.simulation.facts import Facts, facts, numbered, numbers, texts, words
from shouxin.simulation.persons import CITIES, Persons, device_names
from shouxin.simulation.seasons import time_of_day
from shouxin.simulation.shop import SHARED_DEVICE, Orders

IDENTIFIERS = ("phone", "email", "national_id")
VERIFICATION_METHODS = ("sms_code", "mail_link", "id_document")
VIOLATIONS = ("coupon_abuse", "refund_abuse")
LOGINS_A_MONTH = 0.40
_AWAY = 0.06  # of the logins
# The chance of being caught, one entry a kind of customer (``domain.KINDS``).
_CAUGHT = np.full(len(KINDS), 0.004)
_CAUGHT[[REFUND_ABUSER, CLAIMER, RING, FARM]] = 0.30, 0.15, 0.10, 0.15


def registrations(rng: Generator, population: Population, persons: Persons) -> Facts:
    """Every account's registration, with what the customer gave away about themselves."""
    size = population.size
    everyone = np.arange(size)
    return facts(
        "customer_registered",
        everyone,
        population.registered,
        payload={
            "channel": words(CHANNELS, population.channel),
            "region": words(REGIONS, population.region, present=rng.random(size) < 0.9),
        },
        personal={
            "name": texts(persons.name),
            "phone": texts(persons.phone),
            "email": texts(persons.email, present=rng.random(size) < 0.6),
            "address": texts(persons.addresses[0], present=rng.random(size) < 0.5),
        },
    )


def verifications(rng: Generator, population: Population, persons: Persons) -> tuple[Facts, ...]:
    """Most telephones are verified at once, some e-mail addresses; a line needs an identity number."""
    size = population.size
    phone = np.flatnonzero(rng.random(size) < 0.92)
    email = np.flatnonzero(rng.random(size) < 0.30)
    lined = np.flatnonzero(population.has_line)
    return (
        _verified(phone, population.registered[phone] + 0.003, persons, which=0),
        _verified(email, population.registered[email] + rng.exponential(2.0, len(email)), persons, which=1),
        _verified(
            lined, population.line_opened[lined] - rng.uniform(0.02, 1.0, len(lined)), persons, which=2
        ),
    )


def moves(rng: Generator, population: Population, persons: Persons, *, horizon_days: int) -> Facts:
    """Now and then a customer gives a new address."""
    mover = np.flatnonzero(rng.random(population.size) < 0.08)
    day = _while_known(rng, population, mover, horizon_days=horizon_days)
    return facts(
        "customer_updated",
        mover,
        day,
        payload={"channel": words(CHANNELS, population.channel[mover])},
        personal={"address": texts(persons.addresses[1].take(mover))},
    )


def visits(
    rng: Generator,
    population: Population,
    persons: Persons,
    orders: Orders,
    *,
    sign_ins: Floats,
    travel: Generator,
    horizon_days: int,
) -> tuple[Facts, ...]:
    """Logins (some around an order), products looked at and carts filled on the way to an order.

    ``sign_ins`` says when who signs in for an order does; where people are comes from ``travel``.
    """
    customer, day, device = _draw_logins(rng, population, orders, sign_ins, horizon_days=horizon_days)
    login = facts(
        "login_recorded",
        customer,
        day,
        payload={
            "channel": words(CHANNELS, population.channel[customer]),
            "city": words(CITIES, _draw_cities(travel, persons, customer)),
        },
        personal={"device": texts(device_names(persons, customer, device))},
    )
    viewing = np.flatnonzero(rng.random(orders.size) < 0.22)
    filling = np.flatnonzero(rng.random(orders.size) < 0.12)
    return login, _views(rng, orders, viewing), _carts(rng, orders, filling)


def violations(rng: Generator, population: Population, *, horizon_days: int) -> Facts:
    """Few customers are caught breaking the shop's rules; who abuses them more often than others."""
    who = np.flatnonzero(rng.random(population.size) < _CAUGHT[population.kind])
    abuse = np.isin(population.kind[who], (REFUND_ABUSER, CLAIMER))
    severity = 1 + abuse + (rng.random(len(who)) < 0.2)
    return facts(
        "violation_recorded",
        who,
        _while_known(rng, population, who, horizon_days=horizon_days),
        payload={"rule": words(VIOLATIONS, abuse), "severity": numbers(severity)},
    )


def product_names(category: Ints, product: Ints) -> Any:
    """The shop's own names of products."""
    return numbered("SKU", category * PRODUCTS_A_CATEGORY + product, digits=5)


def _verified(customer: Ints, day: Floats, persons: Persons, *, which: int) -> Facts:
    column = (persons.phone, persons.email, persons.national_id)[which]
    same = np.full(len(customer), which)
    return facts(
        "customer_verified",
        customer,
        day,
        payload={"identifier": words(IDENTIFIERS, same), "method": words(VERIFICATION_METHODS, same)},
        personal={IDENTIFIERS[which]: texts(column.take(customer))},
    )


def _while_known(rng: Generator, population: Population, who: Ints, *, horizon_days: int) -> Floats:
    first = np.maximum(population.registered[who], 0.0)
    return first + (horizon_days - first) * rng.random(len(who))


def _draw_logins(
    rng: Generator, population: Population, orders: Orders, sign_ins: Floats, *, horizon_days: int
) -> tuple[Ints, Floats, Ints]:
    """(customer, day, device): idle visits at any time, and visits for an order."""
    present = np.maximum(
        0.0, np.minimum(population.leaves, horizon_days) - np.maximum(population.registered, 0)
    )
    counts = rng.poisson(LOGINS_A_MONTH * present / 30.0)
    idle = np.repeat(np.arange(population.size), counts)
    first = np.maximum(population.registered[idle], 0.0)
    day = np.floor(first + 1 + present[idle] * rng.random(len(idle)))
    night = rng.random(len(idle)) < 0.05
    buying = np.flatnonzero(rng.random(orders.size) < 0.30)
    return (
        np.concatenate([idle, orders.customer[buying]]),
        np.concatenate([day + time_of_day(rng, night), sign_ins[buying]]),
        np.concatenate([np.where(in_gang(population, idle), SHARED_DEVICE, 0), orders.device[buying]]),
    )


def _draw_cities(rng: Generator, persons: Persons, customer: Ints) -> Ints:
    """Where a customer signs in: at home, now and then elsewhere; a gang sits in one place."""
    home = persons.key[persons.gang[customer]] % len(CITIES)
    away = rng.random(len(customer)) < _AWAY
    return np.where(away, rng.integers(0, len(CITIES), len(customer)), home)


def _views(rng: Generator, orders: Orders, which: Ints) -> Facts:
    category = orders.category[which]
    # Half of what is looked at is bought; the rest was compared with it.
    other = rng.integers(0, PRODUCTS_A_CATEGORY, len(which))
    product = np.where(rng.random(len(which)) < 0.5, orders.product[which], other)
    return facts(
        "product_viewed",
        orders.customer[which],
        orders.placed[which] - rng.uniform(0.002, 0.009, len(which)),
        payload={
            "sku": texts(product_names(category, product)),
            "category": words(CATEGORIES, category),
        },
    )


def _carts(rng: Generator, orders: Orders, which: Ints) -> Facts:
    product = orders.product[which]
    return facts(
        "cart_changed",
        orders.customer[which],
        orders.placed[which] - rng.uniform(0.0005, 0.002, len(which)),
        payload={
            "sku": texts(product_names(orders.category[which], product)),
            "quantity": numbers(orders.items[which]),
        },
    )
