"""When customers look in: the careful before they buy or pay, the careless afterwards.

About as many looks either way, so no count tells the two apart; their place among the other events does. Who
compares before an order and looks at an instalment before it is due plans ahead; who orders at once looks
later where the parcel is.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shouxin.simulation.borrowing import Plans
from shouxin.simulation.domain import CHANNELS, Flags, Floats, Ints, Population, sigmoid
from shouxin.simulation.facts import Facts, facts, texts, words
from shouxin.simulation.persons import Persons, device_names
from shouxin.simulation.shop import Orders

# Of the orders and of the instalments, those around which somebody looks in.
LOOKS_SHARE = 0.9
# How much a standard deviation of carelessness moves the logit of looking afterwards.
_CARELESS_LATER = 2.5
_DAYS = (0.15, 1.5)


def account_looks(
    rng: Generator, population: Population, persons: Persons, orders: Orders, plans: Plans, *, told: Flags
) -> Facts:
    """login_recorded up to a day and a half before or after orders that are ``told``, and repayments."""
    placed = np.flatnonzero(told)
    plan, number = np.nonzero(~plans.waived & np.isfinite(plans.paid))
    customer = np.concatenate([orders.customer[placed], orders.customer[plans.order[plan]]])
    around = np.concatenate([orders.placed[placed], plans.paid[plan, number]])
    later = rng.random(len(around)) < sigmoid(_CARELESS_LATER * population.careless[customer])
    apart = rng.uniform(*_DAYS, len(around))
    day = np.where(later, around + apart, around - apart)
    known = day > np.maximum(population.registered[customer], 0.0)
    looks = (rng.random(len(around)) < LOOKS_SHARE) & known
    return _logins(population, persons, customer[looks], day[looks])


def _logins(population: Population, persons: Persons, customer: Ints, day: Floats) -> Facts:
    """From the customer's own first device."""
    return facts(
        "login_recorded",
        customer,
        day,
        payload={"channel": words(CHANNELS, population.channel[customer])},
        personal={"device": texts(device_names(persons, customer, np.zeros(len(customer), dtype=np.int64)))},
    )
