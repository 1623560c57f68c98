"""What is counted in a block: whole numbers under names, so that blocks add up to the world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shouxin.simulation.catalogue import DEALINGS
from shouxin.simulation.domain import CHANNELS, FARM, KINDS, RING, Flags, Floats, Ints
from shouxin.simulation.offers import ARMS
from shouxin.simulation.shocks import Shock
from shouxin.simulation.shop import SHARED_DEVICE
from shouxin.simulation.story import Story
from shouxin.simulation.truth import default_days, exposed_and_defaulted
from shouxin.simulation.world import World

# ("events",) -> 12, ("kind", "order_placed") -> 7, ...
Name = tuple[str, ...]
Tally = Counter[Name]
Counts = Iterator[tuple[Name, int]]
# A shock is compared with as many days before it and after it.
AROUND_DAYS = 90.0
WHEN = ("before", "in", "after")


def tally(world: World, story: Story) -> Tally:
    """Everything the report tells of a block."""
    counted: Tally = Counter()
    counted.update(dict(_events(world, story)))
    for count in (_orders, _customers, _lines, _arms, _gangs, _merchants, _shocks):
        counted.update(dict(count(world)))
    return counted


def windows(shock: Shock) -> tuple[tuple[float, float], ...]:
    """(first day, day after the last) before, in and after a shock."""
    return (
        (shock.first - AROUND_DAYS, shock.first),
        (shock.first, shock.last),
        (shock.last, shock.last + AROUND_DAYS),
    )


def _events(world: World, story: Story) -> Counts:
    history = story.received < world.block.wanted.history_days
    yield ("events",), int((history & ~story.repeated).sum())
    yield ("duplicates",), int((history & story.repeated).sum())
    yield ("live events",), int((~history & ~story.repeated).sum())
    yield ("live checkouts",), len(world.intents)
    fresh = story.events["kind"].filter(pa.array(history & ~story.repeated))
    for row in pc.value_counts(fresh).to_pylist():
        yield ("kind", row["values"]), row["counts"]


def _orders(world: World) -> Counts:
    """Orders of the history by day and by channel."""
    days = world.block.wanted.history_days
    past = _past(world)
    for day, count in enumerate(_counted(world.orders.placed[past].astype(np.int64), days)):
        yield ("day", str(day)), count
    for channel, count in zip(CHANNELS, _counted(world.orders.channel[past], len(CHANNELS)), strict=True):
        yield ("channel", channel), count


def _customers(world: World) -> Counts:
    """Accounts, lines and defaults by latent kind, and second accounts."""
    people = world.population
    defaulted = np.isfinite(default_days(world))
    for code, name in enumerate(KINDS):
        of_kind = people.kind == code
        yield ("customers", name), int(of_kind.sum())
        yield ("customers with a line", name), int((of_kind & people.has_line).sum())
        yield ("customers in default", name), int((of_kind & people.has_line & defaulted).sum())
    yield ("second accounts",), int((people.person != np.arange(people.size)).sum())


def _lines(world: World) -> Counts:
    exposed, defaulted = exposed_and_defaulted(world)
    yield ("lines exposed",), exposed
    yield ("lines defaulted",), defaulted


def _arms(world: World) -> Counts:
    """Offers, lines and defaults by arm of the two experiments; those who came to cheat are left out."""
    people = world.population
    honest = people.kind < KINDS.index("bust_out")
    defaulted = np.isfinite(default_days(world))
    for experiment, arms in (("limit", people.limit_arm), ("price", people.price_arm)):
        for code, name in enumerate(ARMS):
            offered = honest & (arms == code) & np.isfinite(people.offered)
            yield ("offered", experiment, name), int(offered.sum())
            yield ("taken", experiment, name), int((offered & people.has_line).sum())
            yield ("defaulted", experiment, name), int((offered & people.has_line & defaulted).sum())


def _gangs(world: World) -> Counts:
    """Gangs, their members, and shared devices on which at least two members ordered."""
    people, orders = world.population, world.orders
    shared = (orders.device == SHARED_DEVICE) & _past(world)
    users = np.unique(orders.customer[shared])
    for name, code in (("ring", RING), ("farm", FARM)):
        members = np.flatnonzero(people.kind == code)
        yield ("gangs", name), len(np.unique(people.gang[members]))
        yield ("members", name), len(members)
        _, together = np.unique(people.gang[users[people.kind[users] == code]], return_counts=True)
        yield ("shared devices", name), int((together >= 2).sum())


def _merchants(world: World) -> Counts:
    """Orders, late deliveries, refunds and complaints by how the merchant deals."""
    orders, outcomes = world.orders, world.outcomes
    dealing = world.surroundings.catalogue.dealing[orders.category, orders.merchant]
    for code, name in enumerate(DEALINGS):
        which = _past(world) & (dealing == code)
        came = which & np.isfinite(outcomes.delivered)
        yield ("merchant orders", name), int(which.sum())
        yield ("merchant delivered", name), int(came.sum())
        yield ("merchant late", name), int((came & (outcomes.days_late > 0)).sum())
        yield ("merchant refunds", name), int((which & np.isfinite(outcomes.refunded)).sum())
        yield ("merchant complaints", name), int((which & np.isfinite(outcomes.complained)).sum())


def _shocks(world: World) -> Counts:
    """Days lived with a line and stress begun, instalments due and paid late, before, in and after."""
    people, life, plans = world.population, world.life, world.plans
    due, late = plans.due[~plans.waived], plans.delay[~plans.waived] >= 1
    opened = people.line_opened[people.has_line]
    for number, shock in enumerate(world.surroundings.shocks):
        for when, (first, last) in zip(WHEN, windows(shock), strict=True):
            begun = _within(life.onset, first, last)
            falls = _within(due, first, last)
            yield ("line days", str(number), when), int(_days_lived(opened, first, last).sum())
            yield ("stress begun", str(number), when), int(begun.sum())
            yield ("instalments", str(number), when), int(falls.sum())
            yield ("late instalments", str(number), when), int((falls & late).sum())


def _days_lived(opened: Floats, first: float, last: float) -> Floats:
    return np.clip(last - np.maximum(opened, first), 0.0, None)


def _within(day: Floats, first: float, last: float) -> Flags:
    return np.asarray((day >= first) & (day < last))


def _past(world: World) -> Flags:
    return np.asarray(world.orders.placed < world.block.wanted.history_days)


def _counted(values: Ints, size: int) -> list[int]:
    return [int(count) for count in np.bincount(values, minlength=size)]
