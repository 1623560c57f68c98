"""features: the catalogue over a whole shop, beside a query that somebody wrote by hand."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from time import perf_counter

import duckdb
import numpy as np
import pyarrow as pa

from shouxin import features
from shouxin.entrypoints.bench.ground import Ground, World, columns_of
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import medians_in_turn

_GOAL_RATIO = 2.0


def measure(ground: Ground) -> list[Line]:
    """Seconds of both over the same files; whether they say the same; and the whole catalogue alone."""
    world = ground.world
    query = resources.files("shouxin.entrypoints.bench").joinpath("features_by_hand.sql").read_text()
    by_hand = _by_hand(world, query)
    compared = features.definitions_of(by_hand.column_names)
    ground.say(f"computing {len(compared)} features of {world.links.num_rows:,} customers")
    ours = _ours(world, compared)
    seconds, peer_seconds = medians_in_turn(
        lambda: _ours(world, compared), lambda: _by_hand(world, query), repeats=ground.sizes.repeats
    )
    note = (
        f"{len(compared)} features, {ours.num_rows:,} customers; peer: one DuckDB query by hand, "
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
        _whole_catalogue(ground),
    ]


def _whole_catalogue(ground: Ground) -> Line:
    ground.say(f"computing the whole catalogue, {len(features.CATALOGUE)} features")
    begun = perf_counter()
    _ours(ground.world, features.CATALOGUE)
    return Line("whole catalogue", perf_counter() - begun, "s", note=f"{len(features.CATALOGUE)} features, once")


def _ours(world: World, definitions: Sequence[features.FeatureDefinition]) -> pa.Table:
    return features.compute(world.history, world.links, as_of=world.ends_at, definitions=definitions)


def _by_hand(world: World, query: str) -> pa.Table:
    files = [str(path) for path in sorted(world.history.glob("*.parquet"))]
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("link", world.links)
        return engine.sql(query, params={"files": files, "as_of": world.ends_at}).to_arrow_table()


def _differing(ours: pa.Table, by_hand: pa.Table) -> int:
    assert ours["customer_id"].equals(by_hand["customer_id"]), "both are of the same customers in one order"
    theirs = columns_of(by_hand)
    return sum(
        int((~np.isclose(values, theirs[name], rtol=1e-9, atol=1e-9, equal_nan=True)).sum())
        for name, values in columns_of(ours).items()
    )
