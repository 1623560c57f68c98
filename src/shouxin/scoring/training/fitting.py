"""Fitting: columns and outcomes in, an artefact and its report out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.kernel import Progress, silent
from shouxin.scoring.domain.artefact import Artefact, Trained
from shouxin.scoring.domain.columns import pd_of_columns
from shouxin.scoring.domain.drift import baseline_of
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.scaling import SCALINGS
from shouxin.scoring.domain.table import Array
from shouxin.scoring.domain.training import Recipe, TrainedModel, UnableToTrain
from shouxin.scoring.training.anomalies import ANOMALY_LEARNERS
from shouxin.scoring.training.boosting import EBM
from shouxin.scoring.training.cross_fitting import cross_fitted, spoken_out
from shouxin.scoring.training.deep import DEEP_LEARNERS
from shouxin.scoring.training.fold_selection import selection_by_fold
from shouxin.scoring.training.learners import Fitted, Learner, Task
from shouxin.scoring.training.preparation import Variable, check_counts, nothing_left, separating, variables
from shouxin.scoring.training.scorecard import SCORECARD
from shouxin.scoring.training.stacking import stacking_learners
from shouxin.scoring.training.trees.tree_learners import TREE_LEARNERS
from shouxin.scoring.training.tuning import Journal, Tuned, raced, task_name

STACKED = ("lightgbm", "xgboost", "catboost")

LEARNERS: dict[str, Learner] = {
    learner.name: learner
    for learner in (
        SCORECARD,
        EBM,
        *TREE_LEARNERS,
        *stacking_learners([learner for learner in TREE_LEARNERS if learner.name in STACKED]),
        *ANOMALY_LEARNERS,
        *DEEP_LEARNERS,
    )
}


def fit_columns(
    columns: Mapping[str, Array],
    y: npt.ArrayLike,
    recipe: Recipe,
    *,
    advance: Progress = silent,
) -> TrainedModel:
    """Fit on every row given; ``advance`` is told of the trials of a search. Raises UnableToTrain."""
    learner = _learner(recipe)
    _check_bins_are_kept(learner, recipe)
    if recipe.scaling not in SCALINGS:
        raise UnableToTrain(f"there is no scaling {recipe.scaling!r}; there are {', '.join(SCALINGS)}")
    truth = np.asarray(y).astype(np.int64)
    check_counts(truth, where="rows to train on")
    kept, dropped = _read_by(learner, columns, recipe)
    leaks = separating(kept, truth)
    _stop_at_leaks(leaks, recipe.keep)
    settings = _settings(learner, recipe.settings)
    task = Task(kept, truth, recipe.seed, settings, recipe.groups, recipe.months)
    tuned = _tuned(learner, task, recipe, advance=advance)
    if tuned is not None:
        settings = tuned.settings
        task = replace(task, settings=settings)
    fitted = learner.fit(task)
    if not learner.stops_itself:
        fitted = cross_fitted(learner.fit, task, fitted)
    elif learner.apart is not None:
        fitted = spoken_out(learner.apart, task, fitted)
    artefact = _artefact(fitted, truth, recipe, tools=learner.tools)
    left = {**dropped, **fitted.dropped}
    pd = pd_of_columns(artefact, {name: columns[name] for name in artefact.names})
    report = _report(artefact, fitted, recipe) | {
        "baseline": baseline_of(artefact, columns, pd).as_data(),
        "settings": settings,
        "selection": fitted.selection or (selection_by_fold(task) if recipe.tells_folds else None),
        "tuning": tuned.as_data() if tuned is not None else None,
        "dropped": [{"name": name, "reason": reason} for name, reason in left.items()],
        "leaks": [
            {"name": name, "auc": round(area, 4), "kept_because": recipe.keep[name]}
            for name, area in leaks.items()
        ],
    }
    return TrainedModel(artefact, report)


def _read_by(
    learner: Learner, columns: Mapping[str, Array], recipe: Recipe
) -> tuple[list[Variable], dict[str, str]]:
    """The variables that a learner reads of the columns, and why the others are left out."""
    kept, dropped = variables(
        columns,
        special=recipe.special,
        directions=recipe.directions,
        meanings=recipe.meanings,
        layouts=recipe.layouts,
        edges=recipe.edges,
        periods=recipe.periods,
    )
    if "sequence" not in learner.reads:
        dropped |= {v.name: f"a sequence, which {learner.name} does not read" for v in kept if v.layout}
        kept = [variable for variable in kept if variable.layout is None]
    if not kept:
        raise nothing_left(dropped)
    return kept, dropped


def _tuned(learner: Learner, task: Task, recipe: Recipe, *, advance: Progress) -> Tuned | None:
    """What a search over the learner's space found, where one was asked for; settings asked for stay."""
    if recipe.trials < 1 or not learner.space:
        return None
    space = {
        name: (recipe.settings[name],) if name in recipe.settings else values
        for name, values in learner.space.items()
    }
    journal = Journal(recipe.journal, task=task_name(task, learner=learner.name))
    return raced(replace(learner, space=space), task, trials=recipe.trials, journal=journal, advance=advance)


def _learner(recipe: Recipe) -> Learner:
    if recipe.model not in LEARNERS:
        raise UnableToTrain(f"there is no model {recipe.model!r}; there are {', '.join(LEARNERS)}")
    learner = LEARNERS[recipe.model]
    try:
        for tool in learner.tools:
            version(tool)
    except PackageNotFoundError as lacking:
        raise UnableToTrain(
            f"to train a {learner.name}, {lacking.name} has to be installed: "
            f"pip install 'shouxin[{learner.extra}]'"
        ) from None
    return learner


def _check_bins_are_kept(learner: Learner, recipe: Recipe) -> None:
    """Raise UnableToTrain for what only a learner with bins of its own keeps: silence would be a promise."""
    shaped = [name for name, shape in recipe.directions.items() if shape in {"peak", "valley"}]
    asked = {
        "own edges": bool(recipe.edges),
        "periods": recipe.periods is not None,
        "a peak or valley": shaped,
    }
    found = [words for words, there in asked.items() if there]
    if found and not learner.bins:
        there = ", ".join(name for name, other in LEARNERS.items() if other.bins)
        asked_for = " and ".join(found)
        raise UnableToTrain(
            f"{learner.name} has no bins that would keep {asked_for}; {there} has, or leave that out"
        )


def _settings(learner: Learner, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting of the learner, as asked or by default."""
    unknown = next((name for name in asked if name not in learner.space), None)
    if unknown is not None:
        there = f"it has {', '.join(learner.space)}" if learner.space else "it has none"
        raise UnableToTrain(f"{learner.name} has no setting {unknown!r}; {there}")
    return {**learner.defaults, **asked}


def _about(feature: Feature, topics: Mapping[str, str]) -> Feature:
    """The feature with its topic, where one was told."""
    topic = topics.get(feature.name)
    return feature if topic is None else msgspec.structs.replace(feature, topic=topic)


def _artefact(fitted: Fitted, y: npt.NDArray[np.int64], recipe: Recipe, *, tools: Sequence[str]) -> Artefact:
    return Artefact(
        format=2,
        model=recipe.model,
        outcome=recipe.outcome,
        features=tuple(_about(feature, recipe.topics) for feature in fitted.features),
        body=fitted.body,
        intercept=fitted.intercept,
        scaling=SCALINGS[recipe.scaling],
        trained=Trained(
            len(y), int(y.sum()), recipe.seed, {name: version(name) for name in tools}, recipe.period
        ),
    )


def _report(artefact: Artefact, fitted: Fitted, recipe: Recipe) -> dict[str, Any]:
    used = set(artefact.names)
    told = [{**variable, "used": variable["name"] in used} for variable in fitted.variables]
    return {
        "model": artefact.model,
        "hash": artefact.hash,
        "outcome": artefact.outcome,
        "rows": artefact.trained.rows,
        "events": artefact.trained.events,
        "seed": recipe.seed,
        "scaling": recipe.scaling,
        "variables": sorted(told, key=lambda variable: -variable["iv"]["value"]),
        "notes": fitted.notes,
    }


def _stop_at_leaks(leaks: Mapping[str, float], keep: Mapping[str, str]) -> None:
    found = {name: area for name, area in leaks.items() if name not in keep}
    if found:
        named = ", ".join(f"{name!r} (AUC {area:.3f})" for name, area in found.items())
        raise UnableToTrain(
            f"leak: {named} tells the target all by itself, which only a fact from after the outcome does; "
            "leave it out of the file, or keep it and say why it is known in time "
            f"(--keep '{next(iter(found))}=why')"
        )
