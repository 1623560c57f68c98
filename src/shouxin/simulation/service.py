"""Simulate: draw a world, write what the shop would send, and put the truth somewhere else."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shouxin.simulation.checkouts import checkouts
from shouxin.simulation.story import Story, tell
from shouxin.simulation.truth import default_rate, truth_of_customers, truth_of_plans
from shouxin.simulation.world import WORLD_STEPS, Wanted, World, draw_world, instants

Progress = Callable[[int, int], None]
REPORT = "report.json"
FOLDERS = ("events", "live", "truth")
_OTHER_FILES = 4


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What was made. The instants are UTC; ``default_rate_180d`` is the truth, told to people only."""

    customers: int
    months: int
    seed: int
    starts_at: str
    history_ends_at: str
    live_ends_at: str
    history_end: str  # the first business date of the live period, China time
    events: int
    duplicates: int
    live_events: int
    live_checkouts: int
    by_kind: dict[str, int]
    default_rate_180d: float

    def as_data(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def simulate(
    out: Path,
    *,
    customers: int,
    months: int,
    start: date,
    seed: int,
    live_days: int = 90,
    live_checkouts: int | None = None,
    progress: Progress | None = None,
) -> SimulationReport:
    """Write ``events/``, ``live/``, ``truth/`` and ``report.json`` below ``out``, the same bytes every time.

    An earlier world in ``out`` is replaced; ``report.json`` is written last, so its presence says that
    the rest is whole. Raises UnableToSimulate where no such world can be made.
    """
    wanted = Wanted(customers, months, start, seed, live_days, live_checkouts)
    steps = _steps(progress, total=WORLD_STEPS + 1 + len(list(chunks(wanted))) + _OTHER_FILES)
    world = draw_world(wanted, advance=steps.__next__)
    story = tell(world)
    next(steps)
    _clear(out)
    for name, first, last in chunks(wanted):
        _write(story.between(first, last), out / "events" / f"{name}.parquet")
        next(steps)
    for path, table in _other_files(world, story):
        _write(table, out / path)
        next(steps)
    report = _report(world, story)
    (out / REPORT).write_text(json.dumps(report.as_data(), indent=1) + "\n", encoding="utf-8")
    return report


def chunks(wanted: Wanted) -> Iterator[tuple[str, float, float]]:
    """(file name, first day, day after the last), month by month."""
    days = [day for day in range(1, wanted.history_days) if (wanted.start + timedelta(days=day)).day == 1]
    edges = [0, *days, wanted.history_days]
    for number, (first, last) in enumerate(itertools.pairwise(edges), 1):
        yield f"{number:03d}-{wanted.start + timedelta(days=first):%Y-%m}", float(first), float(last)


def _other_files(world: World, story: Story) -> Iterator[tuple[str, Any]]:
    wanted = world.wanted
    yield "live/events.parquet", story.between(wanted.history_days, wanted.horizon_days)
    yield "live/checkouts.parquet", checkouts(world, days=wanted.live_days)
    yield "truth/customers.parquet", truth_of_customers(world)
    yield "truth/plans.parquet", truth_of_plans(world)


def _report(world: World, story: Story) -> SimulationReport:
    wanted = world.wanted
    history = story.received < wanted.history_days
    fresh = story.events.filter(pa.array(history & ~story.repeated))
    counted = pc.value_counts(fresh["kind"]).to_pylist()
    return SimulationReport(
        customers=wanted.customers,
        months=wanted.months,
        seed=wanted.seed,
        starts_at=_instant_text(wanted, 0),
        history_ends_at=_instant_text(wanted, wanted.history_days),
        live_ends_at=_instant_text(wanted, wanted.horizon_days),
        history_end=wanted.end.isoformat(),
        events=fresh.num_rows,
        duplicates=int((history & story.repeated).sum()),
        live_events=int((~history & ~story.repeated).sum()),
        live_checkouts=len(world.intents),
        by_kind={row["values"]: row["counts"] for row in sorted(counted, key=lambda row: row["values"])},
        default_rate_180d=round(default_rate(world), 6),
    )


def _instant_text(wanted: Wanted, day: int) -> str:
    seconds = int(instants(wanted, _day(day))[0]) // 1_000_000
    return (datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(seconds=seconds)).isoformat()


def _day(day: int) -> Any:
    return pa.array([float(day)]).to_numpy()


def _clear(out: Path) -> None:
    """Take away an earlier world, so that no stale month is loaded with the new ones."""
    (out / REPORT).unlink(missing_ok=True)
    for folder in FOLDERS:
        (out / folder).mkdir(parents=True, exist_ok=True)
        for path in (out / folder).glob("*.parquet"):
            path.unlink()


def _write(table: Any, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", use_dictionary=True)


def _steps(progress: Progress | None, *, total: int) -> Iterator[int]:
    for done in range(1, total + 1):
        if progress:
            progress(done, total)
        yield done
