"""Comparing: every learner on the same folds of the same rows, out of fold, with intervals.

No row is predicted by a model that saw it. Two learners are told apart only where the paired difference of
their AUC (DeLong 1988) says so; of those within ``TIE`` of the best the shortest document is chosen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual, content_hash
from shouxin.scoring.domain.columns import pd_of_columns
from shouxin.scoring.domain.metrics import Evaluation, Interval, auc, auc_difference, evaluate
from shouxin.scoring.domain.split import folds
from shouxin.scoring.domain.table import Array
from shouxin.scoring.domain.training import Recipe, UnableToTrain

# Below this difference of AUC there is no winner: the simpler model is taken.
TIE = 0.003
Advance = Callable[[int, int], None]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A learner that could be trained; ``missing`` names the extra that has to be installed first."""

    name: str
    meaning: Bilingual
    missing: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One learner out of fold. ``size`` is the length of its document (bytes), ``family`` how it scores."""

    name: str
    family: str
    figures: Evaluation
    by_fold: tuple[float, ...]
    seconds: float
    size: int
    settings: tuple[dict[str, Any], ...]
    pd: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All learners that could be trained, the best AUC first, and why the others could not."""

    y: Ints
    models: tuple[Compared, ...]
    left_out: dict[str, str]

    @property
    def best(self) -> Compared:
        """The learner with the highest AUC."""
        return self.models[0]

    @property
    def chosen(self) -> Compared:
        """The simplest of those that the best does not beat by ``TIE``."""
        near = [m for m in self.models if self.best.figures.auc.value - m.figures.auc.value <= TIE]
        return min(near, key=lambda model: model.size)

    def behind(self, model: Compared) -> Interval:
        """AUC of the best less that of ``model``, paired."""
        truth = self.y.astype(np.float64)
        return auc_difference(truth, self.best.pd, model.pd)


def model_choices() -> tuple[ModelChoice, ...]:
    """Every learner there is, in the order of their simplicity."""
    from shouxin.scoring.training.fitting import LEARNERS

    return tuple(
        ModelChoice(one.name, one.meaning, None if _installed(one.tools) else one.extra or "the base")
        for one in LEARNERS.values()
    )


def compare(
    columns: Mapping[str, Array],
    y: Ints,
    *,
    models: Sequence[str],
    recipe: Recipe,
    count: int = 5,
    trials: int = 0,
    keep_in: Path | None = None,
    advance: Advance = lambda _done, _total: None,
) -> Comparison:
    """Every model of ``models`` on the same ``count`` stratified folds; ``recipe`` says all but the model.

    With ``trials`` each is tuned anew inside every fold's training rows. ``keep_in`` is a folder where every
    fold is kept when done, so that an interrupted comparison goes on. Raises UnableToTrain where none could.
    """
    fold = folds(y, count=count, seed=recipe.seed, groups=recipe.groups)
    found, left_out = [], {}
    for place, name in enumerate(models):
        try:
            parts = []
            for number in range(count):
                advance(place * count + number, len(models) * count)
                rows = fold == number
                parts.append(_kept_part(columns, y, rows, name, recipe, trials, keep_in, number))
        except UnableToTrain as error:
            left_out[name] = str(error)
            continue
        found.append(_compared(name, parts, y, fold, recipe.seed))
    advance(len(models) * count, len(models) * count)
    if not found:
        raise UnableToTrain("; ".join(f"{name}: {why}" for name, why in left_out.items()))
    return Comparison(y, tuple(sorted(found, key=lambda model: -model.figures.auc.value)), left_out)


def _installed(tools: Sequence[str]) -> bool:
    try:
        return all(version(tool) for tool in tools)
    except PackageNotFoundError:
        return False


def _kept_part(
    columns: Mapping[str, Array],
    y: Ints,
    rows: npt.NDArray[np.bool_],
    name: str,
    recipe: Recipe,
    trials: int,
    keep_in: Path | None,
    number: int,
) -> dict[str, Any]:
    """What a fold gave: from the folder where it was done before, else by doing it."""
    if keep_in is None:
        return _part(columns, y, rows, name, recipe, trials)
    held = np.flatnonzero(rows).tolist()
    what = content_hash([name, held, trials, recipe.seed, sorted(columns), list(recipe.special)])
    path = keep_in / f"{name}-{number}-{what[7:19]}.json"
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_bytes())
        return kept
    part = _part(columns, y, rows, name, recipe, trials)
    keep_in.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text(json.dumps(part), encoding="utf-8")
    half.replace(path)
    return part


def _part(
    columns: Mapping[str, Array],
    y: Ints,
    rows: npt.NDArray[np.bool_],
    name: str,
    recipe: Recipe,
    trials: int,
) -> dict[str, Any]:
    from shouxin.scoring.training.fitting import fit_columns

    started = time.perf_counter()
    learnt = {column: values[~rows] for column, values in columns.items()}
    groups = None if recipe.groups is None else recipe.groups[~rows]
    own = replace(recipe, model=name, groups=groups, settings={}, trials=trials)
    trained = fit_columns(learnt, y[~rows], own)
    artefact = trained.artefact
    pd = pd_of_columns(artefact, {column: columns[column][rows] for column in artefact.names})
    return {
        "family": type(artefact.body).__name__.casefold(),
        "size": len(artefact.to_json()),
        "settings": trained.report["settings"],
        "tuning": trained.report["tuning"],
        "pd": pd.tolist(),
        "seconds": time.perf_counter() - started,
    }


def _compared(name: str, parts: Sequence[dict[str, Any]], y: Ints, fold: Ints, seed: int) -> Compared:
    pd = np.empty(len(y))
    for number, part in enumerate(parts):
        pd[fold == number] = part["pd"]
    return Compared(
        name=name,
        family=parts[0]["family"],
        figures=evaluate(y, pd, seed=seed),
        by_fold=tuple(auc(y[fold == number], pd[fold == number]) for number in range(len(parts))),
        seconds=sum(part["seconds"] for part in parts),
        size=max(part["size"] for part in parts),
        settings=tuple(part["settings"] for part in parts),
        pd=pd,
    )
