"""What customers answer to surveys: after a delivery, and once a year."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shouxin.simulation.catalogue import COUNTERFEIT, Catalogue
from shouxin.simulation.consent_facts import Consents
from shouxin.simulation.domain import Flags, Floats, Ints, Population
from shouxin.simulation.facts import Facts, facts, numbers, words
from shouxin.simulation.outcomes import Outcomes
from shouxin.simulation.shop import Orders

METHODS = ("app", "web", "store", "phone")
_ANSWERS = 0.03  # of the deliveries to people who agreed to surveys
_LOYAL_SHARE = 0.08


def survey_facts(
    rng: Generator,
    population: Population,
    orders: Orders,
    outcomes: Outcomes,
    consents: Consents,
    *,
    catalogue: Catalogue,
    told: Flags,
    horizon_days: int,
) -> tuple[Facts, ...]:
    """survey_answered after some deliveries, and by some customers once."""
    return (
        _after_delivery(rng, population, orders, outcomes, consents, catalogue=catalogue, told=told),
        _loyalty(rng, population, consents, horizon_days=horizon_days),
    )


def _after_delivery(
    rng: Generator,
    population: Population,
    orders: Orders,
    outcomes: Outcomes,
    consents: Consents,
    *,
    catalogue: Catalogue,
    told: Flags,
) -> Facts:
    day = outcomes.delivered + rng.uniform(1.0, 5.0, orders.size)
    answers = told & np.isfinite(day) & (rng.random(orders.size) < _ANSWERS)
    which = np.flatnonzero(answers & consents.holds("survey", orders.customer, day))
    who = orders.customer[which]
    fake = catalogue.dealing[orders.category[which], orders.merchant[which]] == COUNTERFEIT
    mood = 4.3 - 0.5 * outcomes.days_late[which] - 0.2 * population.impulsive[who] - 1.4 * fake
    satisfied = _stars(mood + 0.7 * rng.standard_normal(len(which)))
    recommends = np.clip(2 * satisfied + rng.integers(-1, 2, len(which)), 0, 10)
    return facts(
        "survey_answered",
        who,
        day[which],
        order=which,
        payload={
            "survey": words(("after_delivery",), np.zeros(len(which), dtype=np.int64)),
            "method": words(METHODS, population.channel[who]),
            "satisfaction": numbers(satisfied),
            "likely_to_recommend": numbers(recommends, present=rng.random(len(which)) < 0.5),
        },
    )


def _loyalty(rng: Generator, population: Population, consents: Consents, *, horizon_days: int) -> Facts:
    first = np.maximum(population.registered, 0.0) + 30.0
    day = first + np.maximum(horizon_days - first, 0.0) * rng.random(population.size)
    everyone = np.arange(population.size)
    answers = consents.holds("survey", everyone, day) & (rng.random(population.size) < _LOYAL_SHARE)
    who = np.flatnonzero(answers & (day < np.minimum(population.leaves, horizon_days)))
    mood = 3.4 + 0.5 * np.log(population.pace[who] + 0.1) + 0.9 * rng.standard_normal(len(who))
    return facts(
        "survey_answered",
        who,
        day[who],
        payload={
            "survey": words(("loyalty",), np.zeros(len(who), dtype=np.int64)),
            "method": words(METHODS, population.channel[who]),
            "loyalty": numbers(_stars(mood)),
        },
    )


def _stars(mood: Floats) -> Ints:
    return np.asarray(np.clip(np.round(mood), 1, 5).astype(np.int64))
