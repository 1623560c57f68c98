"""Fitting: columns and outcomes in, an artefact and its report out."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.artefact import SCALINGS, Artefact, Trained
from shouxin.scoring.domain.table import Array
from shouxin.scoring.domain.training import Recipe, TrainedModel, UnableToTrain
from shouxin.scoring.training.boosting import fit_ebm
from shouxin.scoring.training.preparation import check_counts, nothing_left, separating, variables
from shouxin.scoring.training.scorecard import Fitted, fit_scorecard

MODELS = {"scorecard": fit_scorecard, "ebm": fit_ebm}
_TOOLS = {
    "scorecard": ("shouxin", "numpy", "scikit-learn"),
    "ebm": ("shouxin", "numpy", "interpret-core"),
}


def fit_columns(columns: Mapping[str, Array], y: npt.ArrayLike, recipe: Recipe) -> TrainedModel:
    """Fit on every row given. Raises UnableToTrain."""
    if recipe.model not in MODELS:
        raise UnableToTrain(f"there is no model {recipe.model!r}; there are {' and '.join(MODELS)}")
    if recipe.scaling not in SCALINGS:
        raise UnableToTrain(f"there is no scaling {recipe.scaling!r}; there are {', '.join(SCALINGS)}")
    truth = np.asarray(y).astype(np.int64)
    check_counts(truth, where="rows to train on")
    kept, dropped = variables(
        columns, special=recipe.special, directions=recipe.directions, meanings=recipe.meanings
    )
    if not kept:
        raise nothing_left(dropped)
    leaks = separating(kept, truth)
    _stop_at_leaks(leaks, recipe.keep)
    fitted = MODELS[recipe.model](kept, truth, seed=recipe.seed, groups=recipe.groups)
    artefact = _artefact(fitted, truth, recipe)
    left = {**dropped, **fitted.dropped}
    report = _report(artefact, fitted, recipe) | {
        "dropped": [{"name": name, "reason": reason} for name, reason in left.items()],
        "leaks": [
            {"name": name, "auc": round(area, 4), "kept_because": recipe.keep[name]}
            for name, area in leaks.items()
        ],
    }
    return TrainedModel(artefact, report)


def _artefact(fitted: Fitted, y: npt.NDArray[np.int64], recipe: Recipe) -> Artefact:
    tools = {name: version(name) for name in _TOOLS[recipe.model]}
    return Artefact(
        format=1,
        model=cast(Literal["scorecard", "ebm"], recipe.model),
        outcome=recipe.outcome,
        features=fitted.features,
        terms=fitted.terms,
        intercept=fitted.intercept,
        scaling=SCALINGS[recipe.scaling],
        trained=Trained(len(y), int(y.sum()), recipe.seed, tools, recipe.period),
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
