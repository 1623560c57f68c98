"""What is counted in a block: whole numbers under names, so that blocks add up to the world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shouxin.simulation.domain import CHANNELS
from shouxin.simulation.story import Story
from shouxin.simulation.truth import exposed_and_defaulted
from shouxin.simulation.world import World

# ("events",) -> 12, ("kind", "order_placed") -> 7, ...
Name = tuple[str, ...]
Tally = Counter[Name]


def tally(world: World, story: Story) -> Tally:
    """Everything the report tells of a block."""
    counted: Tally = Counter()
    for part in (_events(world, story), _orders(world), _lines(world)):
        counted.update(dict(part))
    return counted


def _events(world: World, story: Story) -> Iterator[tuple[Name, int]]:
    history = story.received < world.block.wanted.history_days
    fresh = story.events.filter(pa.array(history & ~story.repeated))
    yield ("events",), fresh.num_rows
    yield ("duplicates",), int((history & story.repeated).sum())
    yield ("live events",), int((~history & ~story.repeated).sum())
    yield ("live checkouts",), len(world.intents)
    for row in pc.value_counts(fresh["kind"]).to_pylist():
        yield ("kind", row["values"]), row["counts"]


def _orders(world: World) -> Iterator[tuple[Name, int]]:
    """Orders of the history by day and by channel."""
    days = world.block.wanted.history_days
    past = world.orders.placed < days
    for day, count in enumerate(np.bincount(world.orders.placed[past].astype(np.int64), minlength=days)):
        yield ("day", str(day)), int(count)
    for channel, count in zip(CHANNELS, np.bincount(world.orders.channel[past], minlength=4), strict=True):
        yield ("channel", channel), int(count)


def _lines(world: World) -> Iterator[tuple[Name, int]]:
    exposed, defaulted = exposed_and_defaulted(world)
    yield ("lines exposed",), exposed
    yield ("lines defaulted",), defaulted
