"""features: the catalogue over a whole shop, beside a query that somebody wrote by hand, and beside Feast."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib import resources, util
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shouxin import features
from shouxin.entrypoints.bench.ground import Ground, World
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import medians_in_turn, seconds_of

_GOAL_RATIO = 2.0
# Ten times as quick as Feast.
_GOAL_FEAST = 0.1
_FEAST_PYTHON = "SHOUXIN_FEAST_PYTHON"
_POINTS = 6
# Feast's own default store joins every value that was stored before; more than this it does not hold.
_SNAPSHOTS = 12


def measure(ground: Ground) -> list[Line]:
    """Seconds of both over the same files; and whether they say the same."""
    world = ground.world
    query = resources.files("shouxin.entrypoints.bench").joinpath("features_by_hand.sql").read_text()
    by_hand = _by_hand(world, query)
    chosen = features.definitions_of(by_hand.column_names)
    ground.say(f"computing {len(chosen)} features of {world.links.num_rows:,} customers")
    ours = _ours(world, chosen)
    seconds, peer_seconds = medians_in_turn(
        lambda: _ours(world, chosen), lambda: _by_hand(world, query), repeats=ground.sizes.repeats
    )
    note = (
        f"{len(chosen)} features, {ours.num_rows:,} customers; peer: one DuckDB query by hand, "
        "one currency, same files, same threads"
    )
    return [
        Line("batch", seconds, "s", peer=peer_seconds, goal=_GOAL_RATIO, of="ratio", note=note),
        Line(
            "cells that differ",
            float(_differing(ours, by_hand)),
            "cells",
            goal=0.0,
            note="beyond one part in a billion",
        ),
        Line(
            "whole catalogue",
            seconds_of(lambda: _ours(world, features.CATALOGUE)),
            "s",
            note=f"all {len(features.CATALOGUE)} features, once",
        ),
        *(_beside_feast(ground, chosen) if ground.sizes.others else ()),
    ]


def _ours(world: World, definitions: Sequence[features.FeatureDefinition]) -> pa.Table:
    return features.compute(world.history, world.links, as_of=world.ends_at, definitions=definitions)


def _by_hand(world: World, query: str) -> pa.Table:
    files = [str(path) for path in sorted(world.history.glob("*.parquet"))]
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute("SET enable_progress_bar = false")  # it would be drawn among the figures
        engine.register("link", world.links)
        return engine.sql(query, params={"files": files, "as_of": world.ends_at}).to_arrow_table()


def _differing(ours: pa.Table, theirs: pa.Table) -> int:
    """How many cells of the features that both have are not the same number."""
    assert ours["customer_id"].equals(theirs["customer_id"]), "both are of the same customers in one order"
    names = [name for name in theirs.column_names if name in ours.column_names and name != "customer_id"]
    return sum(_unlike(ours[name], theirs[name]) for name in names)


def _unlike(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> int:
    left, right = (column.to_numpy().astype(np.float64) for column in (ours, theirs))
    return int((~np.isclose(left, right, rtol=1e-9, atol=1e-9, equal_nan=True)).sum())


def _beside_feast(ground: Ground, definitions: Sequence[features.FeatureDefinition]) -> list[Line]:
    """A point-in-time set both ways: ours from the events, Feast's from values that are stored already."""
    python = _feast_python()
    if python is None:
        ground.say(f"Feast is not installed here; {_FEAST_PYTHON} may name a Python that has it")
        return []
    world, folder = ground.world, ground.folder / "feast"
    folder.mkdir()
    points = [world.ends_at - timedelta(days=30 * number) for number in range(_SNAPSHOTS)]
    ground.say(f"storing {_SNAPSHOTS} monthly snapshots for Feast")
    stored = _valued(world, definitions, points)
    wanted = points[:_POINTS]
    ours_seconds = seconds_of(lambda: _valued(world, definitions, wanted))
    pq.write_table(stored, folder / "values.parquet")
    rows = stored.filter(pa.array([at in wanted for at in stored["event_timestamp"].to_pylist()]))
    pq.write_table(rows.select(["customer_id", "event_timestamp"]), folder / "wanted.parquet")
    told = _run_feast(python, folder)
    keys = [("customer_id", "ascending"), ("event_timestamp", "ascending")]
    found = pq.read_table(folder / "found.parquet").sort_by(keys)
    ours = rows.sort_by(keys)
    unlike = sum(_unlike(ours[item.name], found[item.name]) for item in definitions)
    note = (
        f"{told['rows']:,} rows of (customer, as_of), {told['features']} features; ours from the events, "
        f"Feast's from {stored.num_rows:,} stored rows"
    )
    return [
        Line(
            "point-in-time set",
            ours_seconds,
            "s",
            peer=told["seconds"],
            goal=_GOAL_FEAST,
            of="ratio",
            note=note,
        ),
        Line("cells that differ from Feast's", float(unlike), "cells", goal=0.0),
    ]


def _valued(
    world: World, definitions: Sequence[features.FeatureDefinition], points: list[datetime]
) -> pa.Table:
    """Every feature of everybody known at each of some instants, as Feast wants to have it."""
    tables = features.compute_at(world.history, world.links, as_ofs=points, definitions=definitions)
    return tables.rename_columns({"as_of": "event_timestamp"})


def _feast_python() -> str | None:
    """The Python that has Feast, if there is one."""
    named = os.environ.get(_FEAST_PYTHON)
    return named or (sys.executable if util.find_spec("feast") else None)


def _run_feast(python: str, folder: Path) -> dict[str, float]:
    script = resources.files("shouxin.entrypoints.bench").joinpath("feast_peer.py")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, str(script), str(folder)], env=environment, check=True, capture_output=True, text=True
    )
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told
