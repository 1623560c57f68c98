"""Gaming: how much has to be spent to look better than one is.

Somebody who wants credit and does not mean to repay changes what they can: cheap things first. They may ask
the model as often as they like (the worst case) and pay for every change by how far it moves a feature,
counted in spreads: a usual difference between two customers. The costs are relative, as data: clicks are
cheap, a record of repayments is dear, what a bureau says can not be bought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.features.domain import Topic
from shouxin.kernel import Progress, silent
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.columns import pd_columns
from shouxin.scoring.domain.inputs import Floats, Ints
from shouxin.scoring.domain.metrics import Interval, auc
from shouxin.scoring.domain.noise import spread_of
from shouxin.scoring.robustness.stress import Columns

BUDGETS = (1.0, 2.0, 4.0, 8.0, 16.0)
ROWS_MAX = 1_000
_LEVELS = 9
STEPS_MAX = 12
# What it costs to move a feature of this topic by one spread, by what it takes to make the facts up. None: it
# can not be done, because others tell it.
GAMING_COSTS: Mapping[Topic, float | None] = {
    Topic.ACTIVITY: 0.5, Topic.CARTS: 0.5, Topic.REVIEWS: 1, Topic.SURVEY: 0.5, Topic.COMPLAINTS: 1,
    Topic.CATEGORIES: 3, Topic.PURCHASES: 4, Topic.PRICES: 4, Topic.MEMBERSHIP: 6, Topic.PAYMENTS: 5,
    Topic.CANCELLATIONS: 3, Topic.RETURNS: 3, Topic.DELIVERIES: 3, Topic.STABILITY: 2, Topic.CREDIT_USE: 8,
    Topic.REPAYMENTS: 16, Topic.GRAPH: 12, Topic.PATTERNS: 4, Topic.EXTERNAL: None,
}  # fmt: skip


class UnableToGame(ValueError):
    """Nothing that the model reads can be changed, or nobody is turned away."""


@dataclass(frozen=True, slots=True)
class Lever:
    """A numeric feature that a customer can change, and what a spread of it costs."""

    feature: str
    cost: float


@dataclass(frozen=True, slots=True)
class AtBudget:
    """What a budget buys: events let in, the rise of points, and the AUC when every event spends it."""

    budget: float
    let_in: Interval
    points: Interval
    auc: float

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "budget": self.budget,
            "let_in": self.let_in.as_data(),
            "points": self.points.as_data(),
            "auc": round(self.auc, 6),
        }


@dataclass(frozen=True, slots=True)
class Gaming:
    """What gaming buys.

    ``cost`` is the median to get below the cut-off, or to gain a grade where bounds are given; None where
    fewer than half ever get there. ``reached`` is the share who do; ``first`` the features that were changed
    first, and in how many rows.
    """

    rows: int
    cut_off: float
    cost: Interval | None
    reached: float
    budgets: tuple[AtBudget, ...]
    first: Mapping[str, int]

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "rows": self.rows,
            "cut_off": round(self.cut_off, 9),
            "cost": self.cost.as_data() if self.cost else None,
            "reached": round(self.reached, 6),
            "budgets": [line.as_data() for line in self.budgets],
            "first": dict(self.first),
        }


def levers_for(artefact: Artefact) -> tuple[Lever, ...]:
    """The features of a model that can be gamed, by their topics."""
    costs = {topic.value: cost for topic, cost in GAMING_COSTS.items()}
    found = []
    for feature in artefact.features:
        cost = costs.get(feature.topic) if isinstance(feature.topic, str) else None
        if cost is not None and feature.type == "numeric":
            found.append(Lever(feature.name, cost))
    return tuple(found)


def game(
    artefact: Artefact,
    columns: Columns,
    y: Floats,
    levers: Sequence[Lever],
    *,
    cut_off: float,
    bounds: Sequence[float] = (),
    rng: np.random.Generator,
    progress: Progress = silent,
) -> Gaming:
    """Let events who are turned away at ``cut_off`` (at most ROWS_MAX of them, drawn) game the model.

    ``bounds`` are the PDs at which a better grade begins: with them the cost is that of gaining one grade.
    ``progress`` counts the levers that were tried in each of at most STEPS_MAX rounds.
    Raises UnableToGame.
    """
    used = [lever for lever in levers if lever.feature in artefact.names]
    if not used:
        raise UnableToGame("nothing that the model reads is said to be changeable by a customer")
    log_odds = _log_odds(artefact, columns)
    pd = pd_columns(log_odds)
    away = np.flatnonzero((y == 1) & (pd >= cut_off))
    if not len(away):
        raise UnableToGame(f"no event is turned away at a PD of {cut_off:g}")
    chosen = np.sort(rng.choice(away, size=min(ROWS_MAX, len(away)), replace=False))
    picked = {name: np.asarray(columns[name])[chosen].copy() for name in artefact.names}
    path = _attacked(artefact, picked, used, columns, log_odds[chosen], progress=progress)
    wanted = _wanted(pd[chosen], cut_off, bounds)
    costs = path.cost_below(wanted)
    return Gaming(
        len(chosen),
        cut_off,
        _median(costs, rng),
        float(np.isfinite(costs).mean()),
        tuple(_at_budget(artefact, path, pd, y, budget, cut_off, rng) for budget in BUDGETS),
        path.first(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """The way of an attack: (steps + 1, rows) of spent and of log-odds (millionths), and what moved first."""

    spent: Floats
    log_odds: Ints
    moved: list[list[str]]

    def cost_below(self, wanted: Floats) -> Floats:
        """What each row has spent when its PD is first below ``wanted``; inf where it never is."""
        below = np.array([pd_columns(step) < wanted for step in self.log_odds])
        return np.where(below.any(axis=0), self.spent[below.argmax(axis=0), np.arange(len(wanted))], np.inf)

    def log_odds_at(self, budget: float) -> Ints:
        """The log-odds of each row with no more than ``budget`` spent."""
        within = np.where(self.spent <= budget, self.log_odds, np.iinfo(np.int64).max)
        found: Ints = within.min(axis=0)
        return found

    def first(self) -> dict[str, int]:
        """Which feature was changed first, and in how many rows."""
        names = [names[0] for names in self.moved if names]
        return dict(sorted(((name, names.count(name)) for name in set(names)), key=lambda item: -item[1]))


def _attacked(
    artefact: Artefact,
    rows: dict[str, npt.NDArray[Any]],
    levers: Sequence[Lever],
    columns: Columns,
    start: Ints,
    *,
    progress: Progress,
) -> _Path:
    """Greedy: again and again the change that lowers the log-odds most for its price."""
    count = len(start)
    grids = [(lever, *_grid(np.asarray(columns[lever.feature], dtype=np.float64))) for lever in levers]
    spent, risk = [np.zeros(count)], [start]
    moved: list[list[str]] = [[] for _ in range(count)]
    for step in range(STEPS_MAX):
        best = np.zeros(count)
        pick = [np.full(count, -1), np.zeros(count), np.zeros(count), risk[-1].copy()]
        for place, (lever, grid, spread) in enumerate(grids):
            own = np.asarray(rows[lever.feature], dtype=np.float64)
            for value in grid:
                # Whoever has no record yet makes one up from nothing.
                price = lever.cost * np.abs(value - np.nan_to_num(own)) / spread
                tried = _log_odds(artefact, {**rows, lever.feature: np.full(count, value)})
                gain = (risk[-1] - tried) / np.maximum(price, 1e-3)
                better = (gain > best) & (price > 0) & (spent[-1] + price <= max(BUDGETS))
                best = np.where(better, gain, best)
                for store, new in zip(pick, (place, value, price, tried), strict=True):
                    store[better] = new[better] if isinstance(new, np.ndarray) else new
            progress(step * len(grids) + place + 1, STEPS_MAX * len(grids))
        if not (pick[0] >= 0).any():
            break
        for row in np.flatnonzero(pick[0] >= 0):
            name = levers[int(pick[0][row])].feature
            rows[name] = rows[name].astype(np.float64)
            rows[name][row] = pick[1][row]
            moved[row].append(name)
        spent.append(spent[-1] + pick[2])
        risk.append(np.asarray(pick[3], dtype=np.int64))
    return _Path(np.array(spent), np.array(risk), moved)


def _grid(values: Floats) -> tuple[Floats, float]:
    """Values that others have, from the first to the ninety-ninth percentile, and the spread."""
    there = values[np.isfinite(values)]
    grid = np.unique(np.quantile(there, np.linspace(0.01, 0.99, _LEVELS), method="nearest"))
    return grid, spread_of(values) or 1.0


def _wanted(pd: Floats, cut_off: float, bounds: Sequence[float]) -> Floats:
    """Below what each row wants to come: the bound of the next better grade, or the cut-off."""
    if not bounds:
        return np.full(len(pd), cut_off)
    ordered = np.asarray(sorted(bounds))
    places = np.searchsorted(ordered, pd, side="right") - 1
    return np.where(places >= 0, ordered[np.maximum(places, 0)], ordered[0])


def _at_budget(
    artefact: Artefact,
    path: _Path,
    pd: Floats,
    y: Floats,
    budget: float,
    cut_off: float,
    rng: np.random.Generator,
) -> AtBudget:
    after = path.log_odds_at(budget)
    in_now = (pd_columns(after) < cut_off).astype(np.float64)
    rise = np.array(
        [
            artefact.scaling.points_at(int(now)) - artefact.scaling.points_at(int(then))
            for now, then in zip(after, path.log_odds[0], strict=True)
        ],
        dtype=np.float64,
    )
    # Those who were drawn stand for all events that are turned away.
    others, away = y == 0, (y == 1) & (pd >= cut_off)
    gamed = np.resize(pd_columns(after), int(away.sum()))
    mixed = np.concatenate([pd[others], gamed, pd[(y == 1) & ~away]])
    truth = np.concatenate([np.zeros(int(others.sum())), np.ones(len(mixed) - int(others.sum()))])
    return AtBudget(budget, _mean(in_now, rng), _mean(rise, rng), auc(truth, mixed))


def _mean(values: Floats, rng: np.random.Generator) -> Interval:
    draws = values[rng.integers(0, len(values), (200, len(values)))].mean(axis=1)
    return _interval(float(values.mean()), draws)


def _median(costs: Floats, rng: np.random.Generator) -> Interval | None:
    middle = float(np.median(costs))
    if not np.isfinite(middle):
        return None
    draws = np.median(costs[rng.integers(0, len(costs), (200, len(costs)))], axis=1)
    return _interval(middle, np.minimum(draws, max(BUDGETS)))


def _interval(value: float, draws: Floats) -> Interval:
    low, high = np.percentile(draws, (2.5, 97.5)).tolist()
    return Interval(value, min(low, value), max(high, value))


def _log_odds(artefact: Artefact, columns: Columns) -> Ints:
    ready = artefact.scorer.prepared([np.asarray(columns[name]) for name in artefact.names])
    deltas: Ints = artefact.scorer.deltas_of_rows(ready)
    return np.asarray(deltas.sum(axis=0) + artefact.reference, dtype=np.int64)
