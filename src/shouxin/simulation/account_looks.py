"""When customers look at their credit account: who is calm after they have paid, who is worried before.

About as many looks either way, so no count tells the two apart; their place among the instalments does. That
is the point: trouble shows in the order of things weeks before it shows in a late payment.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shouxin.simulation.borrowing import Plans
from shouxin.simulation.domain import CHANNELS, Floats, Ints, Population
from shouxin.simulation.facts import Facts, facts, texts, words
from shouxin.simulation.life import Life, strain
from shouxin.simulation.persons import Persons, device_names
from shouxin.simulation.shop import Orders

# Of the instalments, those around which somebody looks.
LOOKS_SHARE = 0.6
# The chance to look before, and not after, for somebody calm; and what full stress adds.
_BEFORE_CALM, _BEFORE_STRESSED = 0.10, 0.75


def account_looks(
    rng: Generator, population: Population, persons: Persons, life: Life, orders: Orders, plans: Plans
) -> Facts:
    """login_recorded around instalments: up to four days before one is due, or two after it was paid."""
    plan, number = np.nonzero(~plans.waived)
    customer = orders.customer[plans.order[plan]]
    due, paid = plans.due[plan, number], plans.paid[plan, number]
    shown = strain(life, customer, due - 5.0)
    before = rng.random(len(plan)) < _BEFORE_CALM + _BEFORE_STRESSED * shown
    day = np.where(before, due - rng.uniform(0.2, 4.0, len(plan)), paid + rng.uniform(0.1, 2.0, len(plan)))
    looks = (rng.random(len(plan)) < LOOKS_SHARE) & np.isfinite(day) & (day > 0)
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
