"""What customers agree to when they register, and what some of them take back later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import CHANNELS, NEVER, Flags, Floats, Ints, Population
from shouxin.simulation.facts import Facts, facts, words

# The share of customers who agree to each purpose; the first three come with the shop's terms.
PURPOSE_SHARES: Mapping[str, float] = {
    "credit_assessment": 1.0,
    "behaviour": 1.0,
    "payment_and_address": 1.0,
    "external_data": 0.85,
    "survey": 0.60,
    "marketing": 0.45,
    "social": 0.15,
    "sharing": 0.30,
}
# Of those, the share who withdraw within the time they are known.
_WITHDRAWN = {"external_data": 0.03, "marketing": 0.08}
_TEXT_VERSION = ("2024-01",)


@dataclass(frozen=True, slots=True, eq=False)
class Consents:
    """For each purpose: who agreed, and the day on which it was withdrawn (inf where never)."""

    given: Mapping[str, Flags]
    withdrawn: Mapping[str, Floats]

    def holds(self, purpose: str, customer: Ints, day: Floats) -> Flags:
        """Whether a customer's agreement to a purpose is in force on a day."""
        return np.asarray(self.given[purpose][customer] & (day < self.withdrawn[purpose][customer]))


def draw_consents(rng: Generator, population: Population, *, horizon_days: int) -> Consents:
    """Draw what everybody agrees to, and when some think better of it."""
    size = population.size
    first = np.maximum(population.registered, 0.0) + 1.0
    given, withdrawn = {}, {}
    for purpose, share in PURPOSE_SHARES.items():
        given[purpose] = rng.random(size) < share
        leaves_it = given[purpose] & (rng.random(size) < _WITHDRAWN.get(purpose, 0.0))
        day = first + np.maximum(horizon_days - first, 0.0) * rng.random(size)
        withdrawn[purpose] = np.where(leaves_it, day, NEVER)
    return Consents(given, withdrawn)


def consents_given(population: Population, consents: Consents) -> tuple[Facts, ...]:
    """consent_given at registration, one batch a purpose."""
    return tuple(
        _consents("consent_given", population, np.flatnonzero(given), purpose, _at_registration(population))
        for purpose, given in consents.given.items()
    )


def consents_withdrawn(population: Population, consents: Consents) -> tuple[Facts, ...]:
    """consent_withdrawn, one batch a purpose that people withdraw."""
    return tuple(
        _consents(
            "consent_withdrawn",
            population,
            np.flatnonzero(np.isfinite(consents.withdrawn[purpose])),
            purpose,
            consents.withdrawn[purpose],
        )
        for purpose in _WITHDRAWN
    )


def _at_registration(population: Population) -> Floats:
    return population.registered + 0.0005


def _consents(kind: str, population: Population, who: Ints, purpose: str, day: Floats) -> Facts:
    payload = {
        "purpose": words((purpose,), np.zeros(len(who), dtype=np.int64)),
        "channel": words(CHANNELS, population.channel[who]),
    }
    if kind == "consent_given":
        payload["text_version"] = words(_TEXT_VERSION, np.zeros(len(who), dtype=np.int64))
    return facts(kind, who, day[who], payload=payload)
