"""features: the catalogue over a whole shop, beside a query that somebody wrote by hand, and beside Feast."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib import resources, util
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shouxin import features
from shouxin.entrypoints.bench.ground import Ground, World, quiet_engine
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import median_seconds, medians_in_turn, seconds_of

_GOAL_RATIO = 2.0
_GOAL_MEMORY = 8.0
# Ten times as quick as Feast.
_GOAL_FEAST = 0.1
_FEAST_PYTHON = "SHOUXIN_FEAST_PYTHON"
_POINTS = 6
# Feast's own default store joins every value that was stored before; more than this it does not hold.
_SNAPSHOTS = 12


def measure(ground: Ground) -> list[Line]:
    """Seconds of both over the same files; whether they say the same; and what ours held in memory."""
    world = ground.world
    query = resources.files("shouxin.entrypoints.bench").joinpath("features_by_hand.sql").read_text()
    chosen = features.definitions_of(_names_by_hand(world, query))
    ground.say(f"computing {len(chosen)} features of {world.links.num_rows:,} customers")
    told: dict[str, pa.Table] = {}
    held: list[int] = []

    def ours() -> None:
        told["ours"] = _ours(world, chosen)
        held.append(_most_held())

    def by_hand() -> None:
        told["by hand"] = _by_hand(world, query)

    seconds, peer_seconds = medians_in_turn(ours, by_hand, repeats=ground.sizes.repeats)
    note = (
        f"{len(chosen)} features, {told['ours'].num_rows:,} customers, {_events(world):,} events; "
        "peer: one DuckDB query by hand, one currency, same files, same threads"
    )
    lines = [
        Line("batch", seconds, "s", peer=peer_seconds, goal=_GOAL_RATIO, of="ratio", note=note),
        Line(
            "cells that differ",
            float(_differing(told["ours"], told["by hand"])),
            "cells",
            goal=0.0,
            note="beyond one part in a billion",
        ),
        Line(
            "memory",
            held[0] / 2**30,
            "GiB",
            goal=_GOAL_MEMORY,
            note="the most that the process ever held until ours was done for the first time",
        ),
    ]
    told.clear()
    if ground.sizes.copies == 1:
        whole = seconds_of(lambda: _ours(world, features.CATALOGUE))
        lines.append(
            Line("whole catalogue", whole, "s", note=f"all {len(features.CATALOGUE)} features, once")
        )
    return [*lines, *(_beside_feast(ground, chosen) if ground.sizes.others else ())]


def _most_held() -> int:
    """The most memory that this process ever held, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _events(world: World) -> int:
    return sum(pq.read_metadata(path).num_rows for path in world.history.glob("*.parquet"))


def _names_by_hand(world: World, query: str) -> list[str]:
    """The features that the query by hand computes."""
    with _engine(world) as engine:
        return engine.sql(query, params=_params(world)).columns


def _ours(world: World, definitions: Sequence[features.FeatureDefinition]) -> pa.Table:
    return features.compute(world.history, world.links, as_of=world.ends_at, definitions=definitions)


def _by_hand(world: World, query: str) -> pa.Table:
    with _engine(world) as engine:
        return engine.sql(query, params=_params(world)).to_arrow_table()


@contextmanager
def _engine(world: World) -> Iterator[duckdb.DuckDBPyConnection]:
    with quiet_engine() as engine:
        engine.register("link", world.links)
        yield engine


def _params(world: World) -> dict[str, Any]:
    return {"files": [str(path) for path in sorted(world.history.glob("*.parquet"))], "as_of": world.ends_at}


def _differing(ours: pa.Table, theirs: pa.Table) -> int:
    """How many cells of the features that both have are not the same number."""
    assert ours["customer_id"].equals(theirs["customer_id"]), "both are of the same customers in one order"
    names = [name for name in theirs.column_names if name in ours.column_names and name != "customer_id"]
    return sum(_unlike(ours[name], theirs[name]) for name in names)


def _unlike(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> int:
    left, right = (column.to_numpy().astype(np.float64) for column in (ours, theirs))
    return int((~np.isclose(left, right, rtol=1e-9, atol=1e-9, equal_nan=True)).sum())


def _beside_feast(ground: Ground, definitions: Sequence[features.FeatureDefinition]) -> list[Line]:
    """A point-in-time set both ways from values that are stored already; and ours from the events."""
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
    rows = stored.filter(pa.array([at in wanted for at in stored["as_of"].to_pylist()]))
    pq.write_table(rows.select(["customer_id", "as_of"]), folder / "wanted.parquet")

    def joined() -> pa.Table:
        return features.join_stored(folder / "values.parquet", folder / "wanted.parquet")

    joined_seconds = median_seconds(joined, repeats=ground.sizes.repeats)
    told = _run_feast(python, folder)
    keys = [("customer_id", "ascending"), ("as_of", "ascending")]
    found = pq.read_table(folder / "found.parquet").sort_by(keys)
    both = (joined().sort_by(keys), rows.sort_by(keys))
    unlike = sum(_unlike(ours[item.name], found[item.name]) for ours in both for item in definitions)
    note = (
        f"{told['rows']:,} rows of (customer, as_of), {told['features']} features, "
        f"both joining {stored.num_rows:,} stored rows"
    )
    return [
        Line(
            "point-in-time set of stored values",
            joined_seconds,
            "s",
            peer=told["seconds"],
            goal=_GOAL_FEAST,
            of="ratio",
            note=note,
        ),
        Line(
            "the same set from the events",
            ours_seconds,
            "s",
            peer=told["seconds"],
            note="computing included, which Feast's join of stored values has not to do",
        ),
        Line("cells that differ from Feast's", float(unlike), "cells", goal=0.0),
    ]


def _valued(
    world: World, definitions: Sequence[features.FeatureDefinition], points: list[datetime]
) -> pa.Table:
    """Every feature of everybody known at each of some instants."""
    return features.compute_at(world.history, world.links, as_ofs=points, definitions=definitions)


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
