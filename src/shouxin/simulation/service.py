"""Simulate: draw a world block by block, write what the shop would send, and put the truth somewhere else."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from shouxin.kernel import Progress, counted_steps, silent
from shouxin.simulation.block import (
    BLOCK_STEPS,
    CHECKOUTS,
    EVENTS,
    LIVE_EVENTS,
    PARTS,
    TRUTHS,
    part,
    write_block,
    write_table,
)
from shouxin.simulation.report import SimulationReport, report_of
from shouxin.simulation.tally import Tally
from shouxin.simulation.truth import truth_of_surroundings
from shouxin.simulation.world import Block, UnableToSimulate, Wanted, blocks

REPORT = "report.json"
WORKERS_MAX = 64
# Measured (docs/simulation.md), rounded up.
BYTES_A_CUSTOMER_MONTH = 140
BYTES_A_VISIT = 100


def simulate(
    out: Path,
    *,
    customers: int,
    months: int,
    start: date,
    seed: int,
    live_days: int = 90,
    live_checkouts: int | None = None,
    visits_a_month: float = 0.0,
    workers: int = 1,
    progress: Progress = silent,
) -> SimulationReport:
    """Write ``events/``, ``live/``, ``truth/`` and ``report.json`` below ``out``, the same bytes every time.

    ``workers`` processes draw blocks side by side; the bytes do not depend on it. An earlier world in
    ``out`` is replaced; ``report.json`` is written last, so its presence says that the rest is whole.
    Raises UnableToSimulate where no such world can be made, or the disk is too small for it.
    """
    wanted = Wanted(customers, months, start, seed, live_days, live_checkouts, visits_a_month)
    if not 1 <= workers <= WORKERS_MAX:
        raise UnableToSimulate(f"workers must be 1 to {WORKERS_MAX}, not {workers}")
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    check_room(wanted, there, free=shutil.disk_usage(there).free)
    _clear(out)
    parts = blocks(wanted)
    steps = counted_steps(progress, total=len(parts) * BLOCK_STEPS + 1)
    counted: Tally = Counter()
    for one in _written(parts, out, workers=min(workers, len(parts)), steps=steps):
        counted.update(one)
    _join_parts(out, len(parts))
    for name, table in truth_of_surroundings(wanted):
        write_table(table, out / "truth" / f"{name}.parquet")
    next(steps)
    size = sum(path.stat().st_size for path in out.rglob("*.parquet"))
    report = report_of(wanted, counted, size=size)
    (out / REPORT).write_text(json.dumps(report.as_data(), indent=1) + "\n", encoding="utf-8")
    return report


def bytes_wanted(*, customers: int, months: int, visits_a_month: float = 0.0) -> int:
    """About how much a world of this size takes on disk, live period and truth included."""
    return int(customers * months * (BYTES_A_CUSTOMER_MONTH + visits_a_month * BYTES_A_VISIT))


def _written(parts: tuple[Block, ...], out: Path, *, workers: int, steps: Iterator[int]) -> Iterator[Tally]:
    if workers == 1:
        yield from (write_block(block, out, advance=steps.__next__) for block in parts)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            for counted in pool.map(partial(write_block, out=out), parts):
                for _ in range(BLOCK_STEPS):
                    next(steps)
                yield counted
        except BrokenProcessPool as gone:
            raise UnableToSimulate(
                "a worker was ended from outside, perhaps for lack of memory: ask for fewer workers"
            ) from gone
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _join_parts(out: Path, count: int) -> None:
    """Put the parts of the shared files together, block after block; checkouts in order of time."""
    for name in TRUTHS:
        first = pq.read_schema(part(out, name, 0))
        with pq.ParquetWriter(out / f"{name}.parquet", first, compression="zstd") as writer:
            for number in range(count):
                writer.write_table(pq.read_table(part(out, name, number)))
    tills = pa.concat_tables(pq.read_table(part(out, CHECKOUTS, number)) for number in range(count))
    write_table(
        tills.sort_by([("at", "ascending"), ("order_ref", "ascending")]), out / f"{CHECKOUTS}.parquet"
    )
    shutil.rmtree(out / PARTS)


def check_room(wanted: Wanted, there: Path, *, free: int) -> None:
    """Raise UnableToSimulate when the world does not fit into the ``free`` bytes of the disk ``there``."""
    needed = bytes_wanted(
        customers=wanted.customers, months=wanted.months, visits_a_month=wanted.visits_a_month
    )
    if needed > free:
        raise UnableToSimulate(
            f"the world takes about {needed / 1e9:.1f} GB and {there} has {free / 1e9:.1f} GB free:"
            " ask for fewer customers or months, or another folder"
        )


def _clear(out: Path) -> None:
    """Take away an earlier world, so that no stale month is loaded with the new ones."""
    (out / REPORT).unlink(missing_ok=True)
    for folder in (EVENTS, LIVE_EVENTS, LIVE_EVENTS.parent, Path("truth"), PARTS):
        (out / folder).mkdir(parents=True, exist_ok=True)
        for path in (out / folder).glob("*.parquet"):
            path.unlink()
