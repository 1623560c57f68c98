"""Reject inference: what may be said of those who were declined, whose outcome nobody ever saw.

A model that learnt from the approved alone meets the declined as well. These methods guess their outcomes,
each in its own way; no guess holds more than was put into it, so the standard is ``none``, and the remedy is
to approve a small slice by lot and see. ``compare`` measures every method where the truth of the declined is
known. Rows are drawn, not weighted, so every learner can take part; the seed makes a drawing the same again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shouxin.scoring.domain.columns import pd_of_columns
from shouxin.scoring.domain.inputs import Floats, Ints
from shouxin.scoring.domain.metrics import Evaluation, Interval, auc_difference, evaluate, percentiles
from shouxin.scoring.domain.table import Array, is_text
from shouxin.scoring.domain.training import Recipe, TrainedModel, UnableToTrain
from shouxin.scoring.training.fitting import fit_columns

Columns = Mapping[str, Array]
METHODS = ("none", "reweighting", "parcelling", "fuzzy", "self-learning")
DECLINED_MIN = 50
# A row of the approved stands for this many at most.
_WEIGHT_MAX = 10.0
_BANDS = 10
# The declined of a band are taken to be worse than its approved by this factor (Siddiqi 2006 takes 2 to 4 for
# all of them together; within a band of one score far less is left to explain).
_WORSE = 1.3
_ROUNDS = 3
# How many of the declined an exploration slice approves.
SLICE_SHARE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Declined:
    """The rows of those who were declined: the same columns as the approved, and whose row each is."""

    columns: Columns
    groups: Ints | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


@dataclass(frozen=True, slots=True)
class MethodLine:
    """One method where the truth is known, on rows that trained nothing.

    ``everyone`` is measured on approved and declined alike, ``declined_auc`` on the declined alone; ``gain``
    is the AUC on everyone less that of ``none``; ``foretold`` is the mean PD of the declined by their rate.
    """

    method: str
    everyone: Evaluation
    gain: Interval
    declined_auc: Interval | None
    foretold: float

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "method": self.method,
            "everyone": self.everyone.as_data(),
            "gain": self.gain.as_data(),
            "declined_auc": self.declined_auc.as_data() if self.declined_auc else None,
            "foretold_over_observed": round(self.foretold, 4),
        }


def fit_with_declined(
    columns: Columns, y: Ints, declined: Declined, recipe: Recipe, *, method: str
) -> TrainedModel:
    """Fit on the approved and on what ``method`` guesses of the declined. Raises UnableToTrain."""
    if method not in METHODS:
        raise UnableToTrain(f"there is no reject inference {method!r}; there are {', '.join(METHODS)}")
    if method != "none" and len(declined) < DECLINED_MIN:
        raise UnableToTrain(f"{len(declined)} declined rows; {DECLINED_MIN} are needed to infer anything")
    if method == "none":
        return _told(fit_columns(columns, y, recipe), method, declined, None)
    rng = np.random.default_rng(recipe.seed)
    if method == "reweighting":
        chosen = _reweighted(columns, declined, recipe, rng)
        part = {name: values[chosen] for name, values in columns.items()}
        groups = np.arange(len(y)) if recipe.groups is None else recipe.groups
        # Copies of a row belong to one customer, or a check would meet what it has learnt.
        return _told(
            fit_columns(part, y[chosen], replace(recipe, groups=groups[chosen])), method, declined, None
        )
    first = fit_columns(columns, y, recipe)
    guess = _GUESSES[method]
    found, rate = first, None
    for _ in range(_ROUNDS if method == "self-learning" else 1):
        chances = guess(found, columns, y, declined)
        drawn = (rng.random(len(declined)) < chances).astype(np.int64)
        found, rate = fit_columns(*_together(columns, y, declined, drawn, recipe)), float(drawn.mean())
    return _told(found, method, declined, rate)


def compare(
    columns: Columns, y: Ints, declined: Ints, recipe: Recipe, *, training: Any, holdout: Any
) -> list[MethodLine]:
    """Every method on a table where the truth of the declined (1) is known; a slice of it and the truth last.

    What became of declined training rows is hidden from the methods. Raises UnableToTrain, UnableToEvaluate.
    """
    approved, away = training & (declined == 0), training & (declined == 1)
    rows = {name: values[approved] for name, values in columns.items()}
    apart = Declined(
        {name: values[away] for name, values in columns.items()},
        None if recipe.groups is None else recipe.groups[away],
    )
    own = replace(recipe, groups=None if recipe.groups is None else recipe.groups[approved])
    whole = replace(recipe, groups=None if recipe.groups is None else recipe.groups[training])
    fitted: dict[str, TrainedModel] = {
        method: fit_with_declined(rows, y[approved], apart, own, method=method) for method in METHODS
    }
    fitted["slice"] = _with_slice(columns, y, recipe, approved=approved, away=away)
    every = {name: values[training] for name, values in columns.items()}
    fitted["the truth"] = fit_columns(every, y[training], whole)
    held = {name: values[holdout] for name, values in columns.items()}
    pds = {method: pd_of_columns(model.artefact, held) for method, model in fitted.items()}
    truth, outside = y[holdout].astype(np.float64), declined[holdout] == 1
    return [_line(method, pd, pds["none"], truth, outside, seed=recipe.seed) for method, pd in pds.items()]


def _with_slice(columns: Columns, y: Ints, recipe: Recipe, *, approved: Any, away: Any) -> TrainedModel:
    """No guess at all: some of the declined are approved by lot, and each stands for those who were not."""
    rng = np.random.default_rng(recipe.seed)
    drawn = np.flatnonzero(away & (rng.random(len(y)) < SLICE_SHARE))
    rows = np.concatenate([np.flatnonzero(approved), np.repeat(drawn, round(1 / SLICE_SHARE))])
    groups = np.arange(len(y)) if recipe.groups is None else recipe.groups
    part = {name: values[rows] for name, values in columns.items()}
    return fit_columns(part, y[rows], replace(recipe, groups=groups[rows]))


def _reweighted(columns: Columns, declined: Declined, recipe: Recipe, rng: np.random.Generator) -> Ints:
    """Approved rows drawn as often as rows like them are found among everybody (augmentation)."""
    rows = len(next(iter(columns.values())))
    both = {name: _joined(values, declined.columns[name]) for name, values in columns.items()}
    away = np.concatenate([np.zeros(rows, dtype=np.int64), np.ones(len(declined), dtype=np.int64)])
    # Who is declined follows from the features: telling it well is no leak here.
    known = dict.fromkeys(columns, "it is asked who was declined, not who defaulted")
    plain = replace(recipe, model="scorecard", keep=known, groups=None, settings={}, directions={})
    chance = pd_of_columns(fit_columns(both, away, plain).artefact, columns)
    weights = np.minimum(1 / np.maximum(1 - chance, 1e-9), _WEIGHT_MAX)
    # Systematic drawing: each row as often as its weight, give or take one.
    places = (rng.random() + np.arange(rows)) / rows * weights.sum()
    drawn: Ints = np.minimum(np.searchsorted(np.cumsum(weights), places), rows - 1).astype(np.int64)
    return drawn


def _by_band(model: TrainedModel, columns: Columns, y: Ints, declined: Declined) -> Floats:
    """Parcelling: the rate seen among the approved of the same score, times a factor."""
    seen = pd_of_columns(model.artefact, columns)
    asked = pd_of_columns(model.artefact, declined.columns)
    edges = np.unique(np.quantile(np.concatenate([seen, asked]), np.linspace(0, 1, _BANDS + 1)[1:-1]))
    mine, theirs = np.searchsorted(edges, seen), np.searchsorted(edges, asked)
    rows = np.bincount(mine, minlength=len(edges) + 1)
    events = np.bincount(mine, weights=y, minlength=len(edges) + 1)
    foretold = np.bincount(theirs, weights=asked, minlength=len(edges) + 1)
    count = np.maximum(np.bincount(theirs, minlength=len(edges) + 1), 1)
    # Where hardly anybody was approved, what the model foretells stands for what was seen.
    rate = np.where(rows >= DECLINED_MIN, events / np.maximum(rows, 1), foretold / count)
    return np.minimum(rate[theirs] * _WORSE, 0.95)


def _by_model(model: TrainedModel, _columns: Columns, _y: Ints, declined: Declined) -> Floats:
    """Fuzzy: each declined row is an event as often as the model foretells."""
    return pd_of_columns(model.artefact, declined.columns)


_GUESSES: Mapping[str, Callable[[TrainedModel, Columns, Ints, Declined], Floats]] = {
    "parcelling": _by_band,
    "fuzzy": _by_model,
    "self-learning": _by_model,
}


def _together(
    columns: Columns, y: Ints, declined: Declined, drawn: Ints, recipe: Recipe
) -> tuple[dict[str, Array], Ints, Recipe]:
    both = {name: _joined(values, declined.columns[name]) for name, values in columns.items()}
    groups = None
    if recipe.groups is not None and declined.groups is not None:
        groups = np.concatenate([recipe.groups, declined.groups])
    return both, np.concatenate([y, drawn]), replace(recipe, groups=groups)


def _joined(left: Array, right: Array) -> Array:
    if is_text(left) or is_text(right):
        return np.concatenate([left.astype(object), right.astype(object)])
    return np.concatenate([left, right])


def _told(found: TrainedModel, method: str, declined: Declined, rate: float | None) -> TrainedModel:
    told = {"method": method, "declined": len(declined), "event_rate_guessed": rate}
    return replace(found, report={**found.report, "reject_inference": told})


def _line(method: str, pd: Floats, none: Floats, truth: Floats, outside: Any, *, seed: int) -> MethodLine:
    rate = float(truth[outside].mean()) if outside.any() else 0.0
    both = outside.any() and len(np.unique(truth[outside])) == 2
    return MethodLine(
        method,
        evaluate(truth, pd, seed=seed),
        percentiles(0.0, np.zeros(1)) if method == "none" else auc_difference(truth, pd, none),
        evaluate(truth[outside], pd[outside], seed=seed).auc if both else None,
        float(pd[outside].mean()) / rate if rate else float("nan"),
    )
