"""The live period's checkouts: who asks our house for credit, when and for what, and how they will pay.

The demo sends each intent through the real checkout call and, where the answer is yes, repays as ``pays``
says. The intents drive the shop's side of the counter; the house never reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shouxin.kernel import Money
from shouxin.simulation.borrowing import INSTALMENT_DAYS, INSTALMENTS, draw_delays
from shouxin.simulation.catalogue import CATEGORIES
from shouxin.simulation.domain import CHANNELS, Floats
from shouxin.simulation.shop_facts import merchant_refs
from shouxin.simulation.story import CURRENCY, INSTANT, SOURCE, customer_refs, order_refs
from shouxin.simulation.world import World, instants

PLAN = "pay_in_3"


@dataclass(frozen=True, slots=True)
class CheckoutIntent:
    """A customer at the till. ``pays``: days after due for each instalment, 0 on time, None never."""

    at: datetime
    source: str
    customer_ref: str
    order_ref: str
    amount: Money
    items: int
    category: str
    merchant_ref: str
    channel: str
    plan: str
    pays: tuple[int | None, ...]


def checkouts(world: World, *, days: int) -> Any:
    """The intents of the first ``days`` of the live period, a pyarrow table in order of time."""
    wanted, orders = world.block.wanted, world.orders
    which = world.intents[orders.placed[world.intents] < wanted.history_days + days]
    delays = _draw_pays(world)[np.isin(world.intents, which)]
    return pa.table(
        {
            "at": pa.array(instants(wanted, orders.placed[which])).cast(INSTANT),
            "source": pa.repeat(pa.scalar(SOURCE), len(which)),
            "customer_ref": customer_refs(world.population, orders.customer[which]),
            "order_ref": order_refs(orders, which),
            "amount_minor": pa.array(orders.amount[which]),
            "currency": pa.repeat(pa.scalar(CURRENCY), len(which)),
            "items": pa.array(orders.items[which]),
            "category": pa.array(np.array(CATEGORIES)[orders.category[which]].tolist(), pa.string()),
            "merchant_ref": merchant_refs(orders.category[which], orders.merchant[which]),
            "channel": pa.array(np.array(CHANNELS)[orders.channel[which]].tolist(), pa.string()),
            "plan": pa.repeat(pa.scalar(PLAN), len(which)),
            "pays": _pays_column(delays),
        }
    )


def read_checkouts(path: Path) -> Iterator[CheckoutIntent]:
    """The intents of a checkouts file, in order of time."""
    for row in pq.read_table(path).to_pylist():
        amount = Money(row.pop("amount_minor"), row.pop("currency"))
        yield CheckoutIntent(amount=amount, **{**row, "pays": tuple(row["pays"])})


def _draw_pays(world: World) -> Floats:
    """Delays of every intent's instalments, as the same customers' life has it."""
    placed = np.floor(world.orders.placed[world.intents])
    due: Floats = placed[:, None] + INSTALMENT_DAYS * np.arange(1.0, INSTALMENTS + 1)[None, :]
    customer = np.repeat(world.orders.customer[world.intents], INSTALMENTS)
    rng = world.block.stream("checkout pays")
    return draw_delays(rng, world.population, world.life, customer, due.ravel()).reshape(due.shape)


def _pays_column(delays: Floats) -> Any:
    never = np.isinf(delays).ravel()
    days = pa.array(np.where(np.isinf(delays), 0, delays).ravel().astype(np.int32), mask=never)
    return pa.ListArray.from_arrays(np.arange(len(delays) + 1, dtype=np.int32) * INSTALMENTS, days)
