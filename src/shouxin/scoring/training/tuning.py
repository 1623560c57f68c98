"""Tuning: one search for every learner, with the same number of trials, and every trial written down.

Random search with a race (Bergstra and Bengio 2012; Jamieson and Talwalkar 2016): the first trial is the
defaults, the others are drawn from the learner's space without repeating. All are asked about the first
fold; the better third goes on to the other folds, the defaults always do. The winner
has the highest mean AUC out of fold. Rows of one group are never on both sides.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Progress, content_hash
from shouxin.scoring.domain.metrics import auc
from shouxin.scoring.domain.split import folds
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.learners import Learner, Task
from shouxin.scoring.training.parts import part_of, predicted

_FOLDS = 3
_GO_ON = 3  # one in three
_DRAWS_MAX = 1_000

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting asked about one fold: its AUC there, or why there is none."""

    settings: dict[str, Any]
    fold: int
    auc: float | None
    seconds: float
    seed: int
    error: str | None = None

    def as_data(self) -> dict[str, Any]:
        """A line of ``trials.jsonl``."""
        return {
            "settings": self.settings,
            "fold": self.fold,
            "auc": None if self.auc is None else round(self.auc, 6),
            "seconds": round(self.seconds, 2),
            "seed": self.seed,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Tuned:
    """The settings that won, and everything that was tried."""

    settings: dict[str, Any]
    trials: tuple[Trial, ...]

    def as_data(self) -> dict[str, Any]:
        """For the report of a model."""
        return {
            "settings": self.settings,
            "seconds": round(sum(trial.seconds for trial in self.trials), 1),
            "trials": [trial.as_data() for trial in self.trials],
        }


class Journal:
    """Trials as lines of a file; what was done before is not done again, on the same task only."""

    def __init__(self, path: Path | None, *, task: str) -> None:
        self._path, self._task = path, task
        self._done: dict[str, Trial] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path and path.is_file() else ():
            try:
                told = json.loads(line)
                if told.pop("task") == task:
                    trial = Trial(**told)
                    self._done[_key(trial.settings, trial.fold)] = trial
            except (ValueError, KeyError, TypeError):
                continue  # the last line of an interrupted run; the trial is done again

    def find(self, settings: Mapping[str, Any], fold: int) -> Trial | None:
        """The trial as it was done before."""
        return self._done.get(_key(settings, fold))

    def add(self, trial: Trial) -> None:
        """Write a trial down at once."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"task": self._task, **trial.as_data()}, ensure_ascii=False) + "\n")


def drawn(learner: Learner, *, trials: int, seed: int) -> list[dict[str, Any]]:
    """The settings to try: the defaults, then others drawn from the space, none twice."""
    rng = np.random.default_rng(seed)
    found = {content_hash(learner.defaults): learner.defaults}
    for _ in range(_DRAWS_MAX):
        if len(found) >= trials:
            break
        settings = {name: values[int(rng.integers(len(values)))] for name, values in learner.space.items()}
        found.setdefault(content_hash(settings), settings)
    return list(found.values())


def raced(learner: Learner, task: Task, *, trials: int, journal: Journal, advance: Progress) -> Tuned:
    """The race; ``task`` brings everything but the settings. Raises UnableToTrain where no trial succeeds."""
    fold = folds(task.y, count=_FOLDS, seed=task.seed, groups=task.groups)
    waiting = drawn(learner, trials=trials, seed=task.seed)
    going_on = max(1, math.ceil(len(waiting) / _GO_ON))
    total = len(waiting) + (_FOLDS - 1) * (going_on + 1)
    done: list[Trial] = []

    def ask(settings: dict[str, Any], number: int) -> Trial:
        trial = journal.find(settings, number)
        if trial is None:
            trial = _tried(learner, task, settings, fold == number, number)
            journal.add(trial)
        done.append(trial)
        advance(len(done), total)
        return trial

    first = [ask(settings, 0) for settings in waiting]
    better = sorted((t for t in first if t.auc is not None), key=lambda t: -(t.auc or 0.0))[:going_on]
    kept = {content_hash(t.settings): t.settings for t in (first[0], *better)}
    for settings in kept.values():
        for number in range(1, _FOLDS):
            ask(settings, number)
    advance(total, total)
    means = {key: _mean(done, settings) for key, settings in kept.items()}
    best = max(means, key=lambda key: means[key])
    if means[best] == -math.inf:
        raise UnableToTrain(f"no trial of {learner.name} succeeded; the first said: {first[0].error}")
    return Tuned(kept[best], tuple(done))


def task_name(task: Task, *, learner: str) -> str:
    """What a journal's lines belong to: the learner, the rows and the seed."""
    sums = [round(float(np.nansum(v.values)), 6) if v.numeric else 0.0 for v in task.kept]
    names = [variable.name for variable in task.kept]
    return content_hash([learner, names, sums, len(task.y), int(task.y.sum()), task.seed])


def _tried(
    learner: Learner, task: Task, settings: dict[str, Any], apart: npt.NDArray[np.bool_], number: int
) -> Trial:
    started = time.perf_counter()
    try:
        fitted = learner.fit(part_of(replace(task, settings=settings), ~apart))
        found = auc(task.y[apart], predicted(fitted, task, apart))
        return Trial(settings, number, found, time.perf_counter() - started, task.seed)
    except UnableToTrain as error:
        return Trial(settings, number, None, time.perf_counter() - started, task.seed, str(error))


def _mean(done: Sequence[Trial], settings: Mapping[str, Any]) -> float:
    areas = [trial.auc for trial in done if trial.settings == settings]
    known = [area for area in areas if area is not None]
    return sum(known) / len(known) if len(known) == len(areas) else -math.inf


def _key(settings: Mapping[str, Any], fold: int) -> str:
    return content_hash([dict(settings), fold])
