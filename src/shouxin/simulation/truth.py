"""The truth of a world, for those who judge the house: never among the events, never read by the chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shouxin.simulation.borrowing import DEFAULT_AT_DAYS, Plans, defaults
from shouxin.simulation.catalogue import CATEGORIES, DEALINGS, Catalogue
from shouxin.simulation.domain import KINDS, Floats, Population, in_gang
from shouxin.simulation.life import stress_hazard
from shouxin.simulation.offers import ARMS
from shouxin.simulation.people_facts import product_names
from shouxin.simulation.shocks import Shock
from shouxin.simulation.shop_facts import merchant_refs
from shouxin.simulation.story import INSTANT, customer_refs, order_refs
from shouxin.simulation.world import Wanted, World, instants, surroundings_of

OUTCOME_DAYS = 180


def default_days(world: World) -> Floats:
    """The day each customer first reaches 60 days past due in the older books; inf if not before the end."""
    day = defaults(world.orders, world.plans, customers=world.population.size)
    return np.where(day < world.block.wanted.horizon_days, day, np.inf)


def exposed_and_defaulted(world: World) -> tuple[int, int]:
    """(lines not in default 180 days before the end of the history, those of them in default by its end)."""
    as_of = max(0, world.block.wanted.history_days - OUTCOME_DAYS)
    day = default_days(world)
    exposed = (world.population.line_opened < as_of) & (day >= as_of)
    return int(exposed.sum()), int((day[exposed] < as_of + OUTCOME_DAYS).sum())


def truth_of_customers(world: World) -> Any:
    """One row an account: who they are and what they will do."""
    people, life = world.population, world.life
    return pa.table(
        {
            "customer_ref": customer_refs(people, np.arange(people.size)),
            "person": pa.array(people.number[people.person]),
            "latent_risk": pa.array(people.risk),
            "stress_hazard_daily": pa.array(stress_hazard(people)),
            "careless": pa.array(people.careless),
            "impulsive": pa.array(people.impulsive),
            "hand_to_mouth": pa.array(people.hand_to_mouth),
            "income_monthly": pa.array(people.income),
            "kind": pa.array(np.array(KINDS)[people.kind].tolist(), pa.string()),
            "gang": _gangs(people),
            "vanishes_at": _moments(world, people.busts),
            "limit_arm": pa.array(np.array(ARMS)[people.limit_arm].tolist(), pa.string()),
            "price_arm": pa.array(np.array(ARMS)[people.price_arm].tolist(), pa.string()),
            "line_offered_at": _moments(world, people.offered),
            "has_line": pa.array(people.has_line),
            "stress_at": _moments(world, life.onset[:, 0]),
            "stops_paying_at": _moments(world, life.stop.min(axis=1)),
            "first_default_at": _moments(world, default_days(world)),
        }
    )


def truth_of_plans(world: World) -> Any:
    """One row a plan of the older books: how each instalment will be paid (null: never)."""
    plans: Plans = world.plans
    never = np.isinf(plans.delay)
    days = np.where(never, 0, plans.delay).astype(np.int32)
    columns = {
        f"delay_{number + 1}": pa.array(days[:, number], mask=never[:, number])
        for number in range(plans.delay.shape[1])
    }
    reaches = (~plans.waived & (plans.delay >= DEFAULT_AT_DAYS)).any(axis=1)
    return pa.table(
        {
            "order_ref": order_refs(world.orders, plans.order),
            "customer_ref": customer_refs(world.population, world.orders.customer[plans.order]),
            **columns,
            "reaches_60_days": pa.array(reaches),
        }
    )


def truth_of_surroundings(wanted: Wanted) -> Iterator[tuple[str, Any]]:
    """(name, table) of what is the same for everybody: the shocks, the merchants, the products."""
    around = surroundings_of(wanted)
    yield "shocks", _shocks_table(wanted, around.shocks)
    yield "merchants", _merchants_table(around.catalogue)
    yield "products", _products_table(around.catalogue)


def _shocks_table(wanted: Wanted, shocks: tuple[Shock, ...]) -> Any:
    bounds = np.array([(shock.first, shock.last) for shock in shocks]).reshape(-1, 2)
    return pa.table(
        {
            "starts_at": pa.array(instants(wanted, bounds[:, 0])).cast(INSTANT),
            "ends_at": pa.array(instants(wanted, bounds[:, 1])).cast(INSTANT),
            "severity": pa.array([shock.severity for shock in shocks], pa.float64()),
        }
    )


def _merchants_table(catalogue: Catalogue) -> Any:
    category, merchant = np.divmod(np.arange(catalogue.dealing.size), catalogue.dealing.shape[1])
    return pa.table(
        {
            "merchant_ref": merchant_refs(category, merchant),
            "category": pa.array(np.array(CATEGORIES)[category].tolist(), pa.string()),
            "dealing": pa.array(np.array(DEALINGS)[catalogue.dealing.ravel()].tolist(), pa.string()),
        }
    )


def _products_table(catalogue: Catalogue) -> Any:
    category, product = np.divmod(np.arange(catalogue.price.size), catalogue.price.shape[1])
    return pa.table(
        {
            "sku": product_names(category, product),
            "category": pa.array(np.array(CATEGORIES)[category].tolist(), pa.string()),
            "merchant_ref": merchant_refs(category, catalogue.merchant.ravel()),
            "price_minor": pa.array(catalogue.price.ravel()),
            "demand_share": pa.array(np.diff(catalogue.demand, axis=1, prepend=0.0).ravel()),
        }
    )


def _gangs(people: Population) -> Any:
    """The leader's reference, for members of a gang."""
    everyone = np.arange(people.size)
    leaders = customer_refs(people, people.gang)
    return pc.if_else(pa.array(in_gang(people, everyone)), leaders, pa.scalar(None, pa.string()))


def _moments(world: World, days: Floats) -> Any:
    # Beyond ten years a draw means never; it only tells how long the exponential tail is.
    never = ~(np.abs(days) < 3650)
    return pa.array(instants(world.block.wanted, np.where(never, 0.0, days)), mask=never).cast(INSTANT)
