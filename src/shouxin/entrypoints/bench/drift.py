"""drift: the stability index of 200 columns of a million rows, in bins that were fixed before."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import absent, seconds_of
from shouxin.scoring.domain.drift import bins_of, counted, shift

_COLUMNS = 200
# Evidently is asked about so many columns and rows; its time is told for as many as ours.
_PEER_COLUMNS, _PEER_ROWS = 4, 50_000
_GOAL_SECONDS, _GOAL_TIMES = 10.0, 50.0
_SEED = 5
Floats = npt.NDArray[np.float64]


def measure(ground: Ground) -> list[Line]:
    """Seconds for all columns; beside Evidently, how many times as quick a cell is."""
    rows = ground.sizes.rows
    random = np.random.default_rng(_SEED)
    then = [random.normal(size=20_000) for _ in range(_COLUMNS)]
    bins = [bins_of(f"x{place}", values) for place, values in enumerate(then)]
    # A few columns, asked about many times: 200 of a million would fill the memory, not the time.
    now = [_drawn(random, rows) for _ in range(4)]
    seconds = seconds_of(
        lambda: [shift(one, counted(now[place % 4], one.edges or ())) for place, one in enumerate(bins)]
    )
    cells = rows * _COLUMNS
    why = absent("evidently", "evidently", ground.sizes)
    peer = None if why else _evidently(then[0], now[0])
    note = f"{_COLUMNS} columns of {rows:,} rows, ten bins and missing; peer: {why or 'evidently'}"
    return [
        Line(f"all {_COLUMNS} columns", seconds, "s", goal=_GOAL_SECONDS * rows / 1_000_000, note=note),
        Line(
            "cells a second",
            cells / seconds,
            "cells/s",
            peer=peer,
            goal=_GOAL_TIMES,
            of="ratio",
            keeps=">=",
            note=note,
        ),
    ]


def _drawn(random: np.random.Generator, rows: int) -> Floats:
    values = random.normal(0.1, 1.0, rows)
    values[random.random(rows) < 0.03] = np.nan
    return values


def _evidently(then: Floats, now: Floats) -> float:
    """Cells a second of its drift preset, by PSI."""
    evidently, presets, pandas = (
        import_module("evidently"),
        import_module("evidently.presets"),
        import_module("pandas"),
    )
    reference = pandas.DataFrame({f"x{i}": then for i in range(_PEER_COLUMNS)})
    current = pandas.DataFrame({f"x{i}": now[:_PEER_ROWS] for i in range(_PEER_COLUMNS)})
    report: Any = evidently.Report([presets.DataDriftPreset(method="psi")])
    return _PEER_COLUMNS * len(current) / seconds_of(lambda: report.run(current, reference))
