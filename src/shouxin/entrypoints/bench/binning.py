"""binning: one variable of 150,000 rows cut into its best bins."""

from __future__ import annotations

import statistics

import numpy as np
import numpy.typing as npt

from shouxin import scoring
from shouxin.entrypoints.bench import others
from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import absent, seconds_of

_GOAL_SECONDS = 0.1
_GOAL_IV_RATIO = 0.99
_SEED = 11
_EVENT_LOG_ODDS = -2.6  # about 7 of 100
Floats = npt.NDArray[np.float64]


def measure(ground: Ground) -> list[Line]:
    """Seconds a variable; beside optbinning, the share of its information value that we reach."""
    variables, y = _variables(ground.sizes.binned_rows, ground.sizes.variables)
    ours = [_binned(values, y) for values in variables]
    seconds = [took for took, _ in ours]
    why = absent("optbinning", "optbinning", ground.sizes)
    theirs = None if why else [others.optimal_binning(values, y) for values in variables]
    what = f"{len(variables)} numeric variables of {len(y):,} rows, 5 of 100 missing"
    note = f"{what}; peer: {why or 'optbinning'}"
    peer_seconds = statistics.median(took for took, _ in theirs) if theirs else None
    worst = _worst_iv(ours, theirs)
    return [
        Line(
            "a variable, median",
            statistics.median(seconds),
            "s",
            peer=peer_seconds,
            goal=_GOAL_SECONDS,
            note=note,
        ),
        Line("a variable, slowest", max(seconds), "s", goal=_GOAL_SECONDS, note=note),
        Line(
            "information value, the worst variable against the peer",
            worst[0],
            "iv",
            peer=worst[1],
            goal=_GOAL_IV_RATIO,
            of="ratio",
            keeps=">=",
            note=note,
        ),
    ]


def _binned(values: Floats, y: npt.NDArray[np.int64]) -> tuple[float, float]:
    """The least seconds of three runs, and the information value."""
    iv = scoring.bin_numbers(values, y).iv
    return min(seconds_of(lambda: scoring.bin_numbers(values, y)) for _ in range(3)), iv


def _worst_iv(
    ours: list[tuple[float, float]], theirs: list[tuple[float, float]] | None
) -> tuple[float, float | None]:
    """The information values of the variable where ours is smallest beside theirs."""
    if theirs is None:
        return min(iv for _, iv in ours), None
    pairs = [(iv, peer_iv) for (_, iv), (_, peer_iv) in zip(ours, theirs, strict=True)]
    return min(pairs, key=lambda pair: pair[0] / pair[1])


def _variables(rows: int, count: int) -> tuple[list[Floats], npt.NDArray[np.int64]]:
    """Normal, skewed, counted and wavy variables, each with its own pull on the outcome."""
    random = np.random.default_rng(_SEED)
    shapes = (
        lambda: random.normal(size=rows),
        lambda: random.lognormal(size=rows),
        lambda: random.poisson(3.0, size=rows).astype(np.float64),
        lambda: random.uniform(-3.0, 3.0, size=rows),
        lambda: np.round(random.gamma(2.0, 30.0, size=rows)),
    )
    drawn = [shapes[number % len(shapes)]() for number in range(count)]
    pull = sum(
        np.sin(values) * 0.4 if number % len(shapes) == 3 else (values - values.mean()) / values.std() * 0.3
        for number, values in enumerate(drawn)
    )
    y = (random.random(rows) < 1 / (1 + np.exp(-(_EVENT_LOG_ODDS + pull)))).astype(np.int64)
    for values in drawn:
        values[random.random(rows) < 0.05] = np.nan
    return drawn, y
