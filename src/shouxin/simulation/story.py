"""The story of a world: all its facts as one canonical table of events, in the order they were learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shouxin.simulation.browsing_facts import browsing_facts
from shouxin.simulation.cart_facts import left_carts
from shouxin.simulation.consent_facts import consents_given, consents_withdrawn, draw_consents
from shouxin.simulation.credit_facts import credit_facts
from shouxin.simulation.domain import Flags, Floats, Ints, Population
from shouxin.simulation.facts import Facts, learnt_soon, numbered
from shouxin.simulation.outside_facts import external_facts
from shouxin.simulation.payment_facts import payment_facts
from shouxin.simulation.people_facts import moves, registrations, verifications, violations, visits
from shouxin.simulation.persons import Persons, make_persons
from shouxin.simulation.settling import sign_ins
from shouxin.simulation.shop import Orders
from shouxin.simulation.shop_facts import order_facts
from shouxin.simulation.survey_facts import survey_facts
from shouxin.simulation.world import BLOCK_STRIDE, Block, Wanted, World, instants

SOURCE = "shop"
CURRENCY = "CNY"
# One message in two thousand is sent twice, as networks do.
REPEATED_SHARE = 1 / 2000

INSTANT = pa.timestamp("us", tz="UTC")
EVENT_COLUMNS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("version", pa.int32(), nullable=False),
        pa.field("customer_ref", pa.string(), nullable=False),
        pa.field("occurred_at", INSTANT, nullable=False),
        pa.field("received_at", INSTANT, nullable=False),
        pa.field("order_ref", pa.string()),
        pa.field("amount_minor", pa.int64()),
        pa.field("currency", pa.string()),
        pa.field("payload", pa.string(), nullable=False),
        pa.field("personal", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """``events`` in order of ``received`` (days since the start), up to the end of the live period."""

    events: Any
    received: Floats
    repeated: Flags  # a message that was already sent once

    def between(self, first: float, last: float) -> Any:
        """The events that were learnt from day ``first`` until before day ``last``."""
        low, high = np.searchsorted(self.received, [first, last])
        return self.events.slice(int(low), int(high - low))


def customer_refs(population: Population, customer: Ints) -> Any:
    """The shop's own references of customers."""
    return numbered("C", population.number[customer] + 1, digits=6)


def order_refs(orders: Orders, order: Ints) -> Any:
    """The shop's own references of orders."""
    return numbered("O", orders.number[order] + 1, digits=7)


def tell(world: World) -> Story:
    """Everything that happens, as events; what lies beyond the live period is not told."""
    block, wanted = world.block, world.block.wanted
    batches = [batch for batch in _batches(world) if batch.size]
    received = handed_over(np.concatenate([batch.received for batch in batches]))
    received = learnt_soon(block.stream("messages"), received)
    numbered_batches = _with_serials(batches, first=block.number * BLOCK_STRIDE)
    table = pa.concat_tables(_table(world, batch, serial) for batch, serial in numbered_batches)
    order = np.argsort(received, kind="stable")
    order = order[received[order] < wanted.horizon_days]
    order, repeated = _repeat_some(block, order)
    table = table.append_column("received_at", _instant_column(wanted, received)).select(EVENT_COLUMNS.names)
    return Story(table.take(order).cast(EVENT_COLUMNS), received[order], repeated)


def handed_over(received: Floats) -> Floats:
    """What happened before the history is learnt in its first hour, when the shop hands its register over.

    What happens in the first two hours waits for that, so that nobody acts who is not registered yet. The
    order of the facts stays.
    """
    before = np.exp(np.minimum(received, 0.0) / 365.0) / 24.0
    waits = np.where(received < 2 / 24, 1 / 24 + received / 2, received)
    return np.where(received < 0, before, waits)


def _batches(world: World) -> list[Facts]:
    block, people, orders = world.block, world.population, world.orders
    persons = make_persons(block.stream("persons"), people.person, numbers=people.number, gang=people.gang)
    told = np.ones(orders.size, dtype=np.bool_)
    told[world.intents] = False
    rng = block.stream("people facts")
    horizon = block.wanted.horizon_days
    return [
        registrations(rng, people, persons),
        *verifications(rng, people, persons),
        moves(rng, people, persons, horizon_days=horizon),
        *visits(
            block.stream("visits"), people, persons, orders,
            sign_ins=sign_ins(orders, world.outcomes), travel=block.stream("travel"), horizon_days=horizon,
        ),
        *left_carts(
            block.stream("left carts"), people, world.life,
            catalogue=world.surroundings.catalogue, horizon_days=horizon,
        ),
        violations(block.stream("violations"), people, horizon_days=horizon),
        *order_facts(
            block.stream("order facts"), orders, world.outcomes, persons,
            told=told, pen=block.stream("review texts"),
        ),
        *payment_facts(block.stream("payments"), people, orders, world.outcomes, told=told),
        *credit_facts(block.stream("credit facts"), people, orders, world.plans),
        *_agreed(world, told),
        *_browsing(world, persons),
    ]  # fmt: skip


def _agreed(world: World, told: Flags) -> tuple[Facts, ...]:
    """Consents, and what the shop learns because of them: answers of providers, answers to surveys."""
    block, people = world.block, world.population
    horizon = block.wanted.horizon_days
    consents = draw_consents(block.stream("consents"), people, horizon_days=horizon)
    return (
        *consents_given(people, consents),
        *consents_withdrawn(people, consents),
        *external_facts(block.stream("external"), people, world.life, consents, horizon_days=horizon),
        *survey_facts(
            block.stream("surveys"), people, world.orders, world.outcomes, consents,
            catalogue=world.surroundings.catalogue, told=told, horizon_days=horizon,
        ),
    )  # fmt: skip


def _browsing(world: World, persons: Persons) -> tuple[Facts, ...]:
    block, around = world.block, world.surroundings
    if not block.wanted.visits_a_month:
        return ()
    return browsing_facts(
        block.stream("browsing"), world.population, persons,
        catalogue=around.catalogue, weights=around.weights, visits_a_month=block.wanted.visits_a_month,
    )  # fmt: skip


def _with_serials(batches: list[Facts], *, first: int) -> list[tuple[Facts, Ints]]:
    """Number the facts of each kind, so that kind and number name a fact for ever."""
    used: dict[str, int] = {}
    numbered_batches = []
    for batch in batches:
        begin = used.get(batch.kind, first)
        used[batch.kind] = begin + batch.size
        numbered_batches.append((batch, np.arange(begin, used[batch.kind])))
    assert all(last <= first + BLOCK_STRIDE for last in used.values())
    return numbered_batches


def _table(world: World, batch: Facts, serial: Ints) -> Any:
    amounts = pa.array(batch.amount, mask=batch.amount < 0)
    size, wanted = batch.size, world.block.wanted
    return pa.table(
        {
            "source": _same(SOURCE, size),
            "source_id": numbered(f"{batch.kind}-", serial, digits=7),
            "kind": _same(batch.kind, size),
            "version": pa.array(np.ones(size, dtype=np.int32)),
            "customer_ref": customer_refs(world.population, batch.customer),
            "occurred_at": _instant_column(wanted, batch.occurred),
            "order_ref": _order_column(world.orders, batch.order),
            "amount_minor": amounts,
            "currency": _where(batch.amount >= 0, _same(CURRENCY, size)),
            "payload": batch.payload,
            "personal": batch.personal,
        }
    )


def _order_column(orders: Orders, order: Ints) -> Any:
    """References; an order of -1 is none."""
    if not orders.size:
        return pa.nulls(len(order), pa.string())
    return _where(order >= 0, order_refs(orders, order))


def _instant_column(wanted: Wanted, days: Floats) -> Any:
    return pa.array(instants(wanted, days)).cast(INSTANT)


def _same(value: str, size: int) -> Any:
    return pa.repeat(pa.scalar(value, pa.string()), size)


def _where(present: Flags, values: Any) -> Any:
    return pc.if_else(pa.array(present), values, pa.scalar(None, pa.string()))


def _repeat_some(block: Block, order: Ints) -> tuple[Ints, Flags]:
    again = block.stream("repeats").random(len(order)) < REPEATED_SHARE
    times = 1 + again.astype(np.int64)
    repeated = np.zeros(int(times.sum()), dtype=np.bool_)
    repeated[(np.cumsum(times) - 1)[again]] = True
    return np.repeat(order, times), repeated
