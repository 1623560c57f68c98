"""One block of a world on disk: its share of every month's events, and its parts of the joined files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from shouxin.simulation.checkouts import checkouts
from shouxin.simulation.story import tell
from shouxin.simulation.tally import Tally, tally
from shouxin.simulation.truth import truth_of_customers, truth_of_plans
from shouxin.simulation.world import WORLD_STEPS, Block, Wanted, World, draw_world

EVENTS, LIVE_EVENTS, PARTS = Path("events"), Path("live/events"), Path("parts")
CHECKOUTS = "live/checkouts"
TRUTHS = ("truth/customers", "truth/plans")
BLOCK_STEPS = WORLD_STEPS + 2


def write_block(block: Block, out: Path, *, advance: Callable[[], object] = lambda: None) -> Tally:
    """Draw a block and write its files below ``out``; ``advance`` is called ``BLOCK_STEPS`` times."""
    world = draw_world(block, advance=advance)
    story = tell(world)
    advance()
    for folder, (first, last) in ((EVENTS, _history(block.wanted)), (LIVE_EVENTS, _live(block.wanted))):
        for name, begin, end in chunks(block.wanted, first=first, last=last):
            write_table(story.between(begin, end), out / folder / f"{name}-b{block.number:03d}.parquet")
    for name, table in _parts(world):
        write_table(table, part(out, name, block.number))
    counted = tally(world, story)
    advance()
    return counted


def chunks(wanted: Wanted, *, first: int, last: int) -> Iterator[tuple[str, float, float]]:
    """(name, first day, day after the last), month by month of the days from ``first`` until ``last``."""
    edges = [first, *(day for day in range(first + 1, last) if _on(wanted, day).day == 1), last]
    for number, (begin, end) in enumerate(itertools.pairwise(edges), 1):
        if begin < end:
            yield f"{number:03d}-{_on(wanted, begin):%Y-%m}", float(begin), float(end)


def part(out: Path, name: str, number: int) -> Path:
    """Where a block leaves its part of a file that all blocks share."""
    return out / PARTS / f"{name.replace('/', '-')}-b{number:03d}.parquet"


def write_table(table: Any, path: Path) -> None:
    """Write a table as every file of a world is written."""
    pq.write_table(table, path, compression="zstd", use_dictionary=True)


def _parts(world: World) -> Iterator[tuple[str, Any]]:
    yield CHECKOUTS, checkouts(world, days=world.block.wanted.live_days)
    yield TRUTHS[0], truth_of_customers(world)
    yield TRUTHS[1], truth_of_plans(world)


def _history(wanted: Wanted) -> tuple[int, int]:
    return 0, wanted.history_days


def _live(wanted: Wanted) -> tuple[int, int]:
    return wanted.history_days, wanted.horizon_days


def _on(wanted: Wanted, day: int) -> Any:
    return wanted.start + timedelta(days=day)
