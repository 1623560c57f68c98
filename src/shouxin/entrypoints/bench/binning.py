"""binning: one variable of 150,000 rows cut into its best bins."""

from __future__ import annotations

import statistics
from typing import Literal

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
# The same for both sides: no charge for a bin and no pseudo-rows, which the peer does not know.
_RULES = scoring.BinningRules(bins_max=10, share_min=0.05, rows_min=1, charge=0.0, smoothing=1e-9)
_SHAPES: tuple[tuple[str, tuple[Literal[-1, 0, 1], ...], str | None], ...] = (
    ("without a shape", (0,), None),
    ("rising or falling", (1, -1), "auto_asc_desc"),
)


def measure(ground: Ground) -> list[Line]:
    """Seconds a variable, without a shape and rising or falling; beside optbinning, our share of its IV."""
    variables, y = _variables(ground.sizes.binned_rows, ground.sizes.variables)
    why = absent("optbinning", "optbinning", ground.sizes)
    what = (
        f"{len(variables)} numeric variables of {len(y):,} rows, 5 of 100 missing; at most {_RULES.bins_max}"
    )
    note = f"{what} bins of {_RULES.share_min:.0%}; peer: {why or 'optbinning, the same rules'}"
    lines = []
    for shape, directions, trend in _SHAPES:
        ours = [_binned(values, y, directions) for values in variables]
        theirs = None if why else [others.optimal_binning(values, y, trend, _RULES) for values in variables]
        lines += _lines(shape, ours, theirs, note)
    broken = sum(_broken(values, y) for values in variables)
    lines.append(Line("variables with a bin that breaks a rule", broken, "", goal=0, note=note))
    return lines


def _lines(
    shape: str, ours: list[tuple[float, float]], theirs: list[tuple[float, float]] | None, note: str
) -> list[Line]:
    seconds = [took for took, _ in ours]
    peer = statistics.median(took for took, _ in theirs) if theirs else None
    worst = _worst_iv(ours, theirs)
    median = statistics.median(seconds)
    return [
        Line(f"{shape}: a variable, median", median, "s", peer=peer, goal=_GOAL_SECONDS, note=note),
        Line(f"{shape}: a variable, slowest", max(seconds), "s", goal=_GOAL_SECONDS, note=note),
        Line(
            f"{shape}: information value, the worst variable against the peer",
            worst[0],
            "iv",
            peer=worst[1],
            goal=_GOAL_IV_RATIO,
            of="ratio",
            keeps=">=",
            note=note,
        ),
    ]


def _binned(
    values: Floats, y: npt.NDArray[np.int64], directions: tuple[Literal[-1, 0, 1], ...]
) -> tuple[float, float]:
    """The least seconds of three runs over these directions, and the best information value."""

    def best() -> float:
        found = [scoring.bin_numbers(values, y, direction=each, rules=_RULES) for each in directions]
        return max(_plain_iv(binning) for binning in found)

    return min(seconds_of(best) for _ in range(3)), best()


def _plain_iv(binning: scoring.Binning) -> float:
    """The information value without pseudo-rows, as the peer counts it."""
    rows, events = np.asarray(binning.rows, dtype=np.float64), np.asarray(binning.events, dtype=np.float64)
    others = rows - events
    both = (events > 0) & (others > 0)
    bad, good = events[both] / events.sum(), others[both] / others.sum()
    return float(((bad - good) * np.log(bad / good)).sum())


def _broken(values: Floats, y: npt.NDArray[np.int64]) -> bool:
    """Whether too many bins, a bin below its share, or rates that do not rise were found."""
    binning = scoring.bin_numbers(values, y, direction=1, rules=_RULES)
    regular = len(binning.edges) + 1
    rows = np.asarray(binning.rows[:regular])
    rising = bool((np.diff(binning.woe[:regular]) > 0).all())
    small = regular > 1 and rows.min() < _RULES.share_min * rows.sum()
    return regular > _RULES.bins_max or small or not rising


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
