"""models: every learner on the same folds of a public set, with intervals, beside what is known of the set.

A figure is of predictions for rows that the model did not see: five stratified folds, each predicted by a
model of the other four. Scorecard and EBM are held to the directions that credit sense gives; the others are
free, as the ceiling. An AUC beyond what is known of honest work, by three standard errors, stops the run:
it is a leak.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin import scoring
from shouxin.entrypoints.bench.credit_sets import CreditSet, read_set
from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line, Report
from shouxin.kernel import content_hash
from shouxin.scoring import Evaluation, Interval
from shouxin.scoring.domain.split import folds

_SEED = 7
# No winner inside 0.003 AUC: the simpler one.
_ROPE = 0.003
_GLASS_BOX = ("scorecard", "ebm")
_Z = 1.959964
_DATA_ASKED = "name the folder of public sets with --data (docs/benchmarks.md says where each comes from)"


class UnableToBenchModels(RuntimeError):
    """The bench was stopped: no data, no learner, or a figure that only a leak can give."""


@dataclass(frozen=True, slots=True)
class ModelResult:
    """What one learner reached, out of fold; ``seconds`` are of training all folds."""

    name: str
    meaning: str
    evaluation: Evaluation
    pd: npt.NDArray[np.float64]
    seconds: float
    variables: int
    gap: Interval | None = None
    by_fold: tuple[float, ...] = ()
    settings: tuple[dict[str, Any], ...] = ()

    def as_data(self) -> dict[str, Any]:
        """A row of the bench table; ``behind`` is the best's AUC less this one's, paired."""
        figures = self.evaluation.as_data()
        return {
            "name": self.name,
            "tier": self.meaning,
            **{key: figures[key] for key in ("auc", "ks", "gini", "brier", "slope")},
            "variables": self.variables,
            "seconds": round(self.seconds, 2),
            "behind": self.gap.as_data() if self.gap else None,
            "auc_by_fold": [round(area, 6) for area in self.by_fold],
            "settings": list(self.settings),
        }


def run_models(ground: Ground) -> Report:
    """Train and measure every learner that is installed, and write the table into the home."""
    sizes = ground.sizes
    if sizes.data is None:
        raise UnableToBenchModels(_DATA_ASKED)
    known, columns, y = read_set(sizes.set_name, sizes.data, raw=sizes.raw)
    fold = folds(y, count=sizes.folds, seed=_SEED)
    results: list[ModelResult] = []
    left_out: dict[str, str] = {}
    unfinished = ground.home.path / "bench" / f"models-{known.name}-unfinished"
    for name in _wanted(sizes.learners):
        try:
            found = _measured(ground, name, known, columns, y, fold, unfinished)
        except scoring.UnableToTrain as error:
            left_out[name] = str(error)
            ground.say(f"  {name} is left out: {error}")
            continue
        _stop_at_a_leak(known, found)
        results.append(found)
        ground.say(f"  {name}: AUC {found.evaluation.auc.value:.4f} in {found.seconds:.1f} s")
    if not results:
        raise UnableToBenchModels("; ".join(f"{name}: {why}" for name, why in left_out.items()))
    compared = _compared(results, y)
    told = _told(known, compared, y, sizes.folds) | {
        "columns": len(columns),
        "raw": sizes.raw,
        "trials": sizes.trials,
        "left_out": left_out,
    }
    report = Report("models", tuple(_goals(known, compared)), told)
    shutil.rmtree(unfinished, ignore_errors=True)
    _keep(ground.home.path / "bench" / f"models-{known.name}.json", report)
    return report


def _wanted(asked: Sequence[str]) -> list[str]:
    """The learners asked for, or all that this installation can train, the simplest first."""
    there = scoring.learners()
    if unknown := [name for name in asked if name not in there]:
        raise UnableToBenchModels(f"there is no model {unknown[0]!r}; there are {', '.join(there)}")
    return list(asked) or [name for name, learner in there.items() if all(map(_installed, learner.tools))]


def _installed(distribution: str) -> bool:
    module = {"scikit-learn": "sklearn", "interpret-core": "interpret", "xgboost-cpu": "xgboost"}
    return find_spec(module.get(distribution, distribution)) is not None


def _measured(
    ground: Ground,
    name: str,
    known: CreditSet,
    columns: Mapping[str, npt.NDArray[Any]],
    y: npt.NDArray[np.int64],
    fold: npt.NDArray[np.int64],
    unfinished: Path,
) -> ModelResult:
    """One learner on every fold. A fold that is done is kept in ``unfinished`` until the whole run is."""
    parts, count, trials = [], int(fold.max()) + 1, ground.sizes.trials
    rows = content_hash([list(columns), len(y), np.flatnonzero(y).tolist()])[7:19]
    with ground.bar(f"{known.name}: {name}") as advance:
        for number in range(count):
            path = unfinished / f"{name}-{number}-of-{count}-{trials}-{rows}.json"
            if not path.is_file():
                part = _fold(name, known, columns, y, fold == number, trials)
                path.parent.mkdir(parents=True, exist_ok=True)
                half = path.with_suffix(".half")
                half.write_text(json.dumps(part), encoding="utf-8")
                half.replace(path)
            parts.append(json.loads(path.read_bytes()))
            advance(number + 1, count)
    pd = np.empty(len(y))
    for number, part in enumerate(parts):
        pd[fold == number] = part["pd"]
    return ModelResult(
        name=name,
        meaning=scoring.learners()[name].meaning.en,
        evaluation=scoring.evaluate(y, pd),
        pd=pd,
        seconds=sum(part["seconds"] for part in parts),
        variables=max(part["variables"] for part in parts),
        by_fold=tuple(
            scoring.evaluate(y[fold == number], part["pd"]).auc.value for number, part in enumerate(parts)
        ),
        settings=tuple(part["settings"] for part in parts),
    )


def _fold(
    name: str,
    known: CreditSet,
    columns: Mapping[str, npt.NDArray[Any]],
    y: npt.NDArray[np.int64],
    apart: npt.NDArray[np.bool_],
    trials: int,
) -> dict[str, Any]:
    """What a model of the other folds says of one; with ``trials`` it is tuned on those others alone."""
    started = perf_counter()
    trained = scoring.train_columns(
        {column: values[~apart] for column, values in columns.items()},
        y[~apart],
        model=name,
        special=known.special,
        directions=_directions(name, known, columns),
        trials=trials,
        seed=_SEED,
    )
    seconds = perf_counter() - started
    held = {column: columns[column][apart] for column in trained.artefact.names}
    return {
        "pd": scoring.pd_of_columns(trained.artefact, held).tolist(),
        "seconds": seconds,
        "variables": len(trained.artefact.names),
        "settings": trained.report["settings"],
    }


def _directions(name: str, known: CreditSet, columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, int]:
    """What a learner is held to: a model that decides keeps to credit sense, the others are free."""
    if name not in _GLASS_BOX:
        return {}
    return {column: way for column, way in known.directions.items() if column in columns}


def _stop_at_a_leak(known: CreditSet, found: ModelResult) -> None:
    area = found.evaluation.auc
    error = (area.high - area.low) / 2 / _Z
    if area.value - 3 * error > known.ceiling:
        raise UnableToBenchModels(
            f"leak: {found.name} reaches an AUC of {area.value:.4f} on {known.name}, three standard errors "
            f"above {known.ceiling}, the best that is known of honest work; look for a column of after "
            "the event"
        )


def _compared(results: Sequence[ModelResult], y: npt.NDArray[np.int64]) -> list[ModelResult]:
    """Each with how far it is behind the best, by DeLong's test for paired curves; the best first."""
    from dataclasses import replace

    ordered = sorted(results, key=lambda one: -one.evaluation.auc.value)
    truth = y.astype(np.float64)
    return [
        replace(one, gap=scoring.auc_difference(truth, ordered[0].pd, one.pd))
        if one is not ordered[0]
        else one
        for one in ordered
    ]


def _winner(ordered: Sequence[ModelResult]) -> str:
    """The simplest of those within 0.003 of the best; learners are listed the simplest first."""
    near = {one.name for one in ordered if ordered[0].evaluation.auc.value - one.evaluation.auc.value < _ROPE}
    return next(name for name in scoring.learners() if name in near)


def _goals(known: CreditSet, ordered: Sequence[ModelResult]) -> list[Line]:
    areas = {one.name: one.evaluation.auc.value for one in ordered}
    best = ordered[0]
    lines = [
        Line(
            f"best of the bench ({best.name})",
            best.evaluation.auc.value,
            "AUC",
            goal=known.goals.get("best"),
            keeps=">=",
        )
    ]
    boxes = [areas[name] for name in _GLASS_BOX if name in areas]
    if boxes:
        behind = best.evaluation.auc.value - max(boxes)
        lines.append(Line("glass box behind the best", behind, "AUC", goal=known.goals.get("glass_box_gap")))
    if "scorecard" in areas:
        lines.append(
            Line("scorecard", areas["scorecard"], "AUC", goal=known.goals.get("scorecard"), keeps=">=")
        )
    return lines


def _told(
    known: CreditSet, ordered: Sequence[ModelResult], y: npt.NDArray[np.int64], count: int
) -> dict[str, Any]:
    return {
        "set": known.name,
        "rows": len(y),
        "events": int(y.sum()),
        "folds": count,
        "ceiling": known.ceiling,
        "winner": _winner(ordered),
        "models": [one.as_data() for one in ordered],
    }


def _keep(path: Path, report: Report) -> None:
    """Where the console looks for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report.as_data(), ensure_ascii=False, indent=1), encoding="utf-8")
