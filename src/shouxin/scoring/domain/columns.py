"""Scoring many rows: the same slots, the same integers, the same numbers as one row at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.families.contract import sums_of
from shouxin.scoring.domain.inputs import Floats, Ints, UnableToScore
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.score import (
    BILLION,
    LOG_ODDS_CLAMP,
    Contribution,
    Plan,
    Score,
    plan_of,
)

# Rows worked on at a time: few enough to stay in the processor's cache.
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class ScoredColumns:
    """Scores of n rows. ``contributions`` is (n, features): millionths of a log-odd against the average.

    ``points`` and ``pd`` follow from ``log_odds`` exactly as for one row; ``feature_points`` is
    (n, features) and adds up to ``points - reference_points``.
    """

    names: tuple[str, ...]
    points: Ints
    pd: Floats
    log_odds: Ints
    contributions: npt.NDArray[np.int32]
    feature_points: npt.NDArray[np.int32]
    reference_points: int
    reference_log_odds: int

    def __len__(self) -> int:
        return len(self.points)


def score_columns(artefact: Artefact, columns: Mapping[str, npt.NDArray[Any]]) -> ScoredColumns:
    """Score every row of ``columns`` (equal lengths; NaN and None are missing). Raises UnableToScore."""
    plan = plan_of(artefact)
    ready = plan.scorer.prepared(_found(plan.names, columns))
    rows = len(ready[0])
    contributions = np.empty((rows, len(ready)), dtype=np.int32)
    feature_points = np.empty((rows, len(ready)), dtype=np.int32)
    log_odds = np.empty(rows, dtype=np.int64)
    for start in range(0, rows, _CHUNK):
        part = slice(start, min(start + _CHUNK, rows))
        deltas = plan.scorer.deltas_of_rows([values[part] for values in ready])
        contributions[part] = deltas.T
        log_odds[part] = deltas.sum(axis=0) + plan.base
        feature_points[part] = _points_steps(plan, deltas).T
    points = (plan.offset - plan.factor * log_odds) // (MILLION * MILLION)
    return ScoredColumns(
        artefact.names,
        points,
        pd_columns(log_odds),
        log_odds,
        contributions,
        feature_points,
        plan.base_points,
        plan.base,
    )


def pd_of_columns(artefact: Artefact, columns: Mapping[str, npt.NDArray[Any]]) -> Floats:
    """The ``pd`` of ``score_columns`` alone, quicker where a family can add up without contributions.

    Raises UnableToScore.
    """
    plan = plan_of(artefact)
    ready = plan.scorer.prepared(_found(plan.names, columns))
    return pd_columns(sums_of(plan.scorer, ready) + artefact.intercept)


def _found(names: Sequence[str], columns: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    lacking = [name for name in names if name not in columns]
    if lacking:
        raise UnableToScore(f"the table lacks {lacking[0]!r}, which the model reads")
    return [columns[name] for name in names]


def score_at(artefact: Artefact, scored: ScoredColumns, row: int, values: Mapping[str, Any]) -> Score:
    """One row of a batch as a Score, without scoring it again; ``values`` are that row's inputs."""
    plan = plan_of(artefact)
    contributions = tuple(
        Contribution(name, term, values[name], int(points), int(delta))
        for name, term, points, delta in zip(
            plan.names, plan.terms, scored.feature_points[row], scored.contributions[row], strict=True
        )
    )
    return Score(
        int(scored.points[row]),
        float(scored.pd[row]),
        int(scored.log_odds[row]),
        contributions,
        plan.base_points,
        plan.base,
    )


def pd_columns(log_odds: Ints) -> Floats:
    """``pd_at`` for every entry. math.exp, not numpy.exp: the two differ in the last bit on some CPUs."""
    exponents = np.clip(log_odds, -LOG_ODDS_CLAMP, LOG_ODDS_CLAMP) / -MILLION
    powers = np.fromiter(map(math.exp, exponents.tolist()), np.float64, len(exponents))
    return np.floor(BILLION / (1.0 + powers) + 0.5) / BILLION


def _points_steps(plan: Plan, deltas: Ints) -> Ints:
    running = np.cumsum(deltas, axis=0)
    running += plan.base
    after = (plan.offset - plan.factor * running) // (MILLION * MILLION)
    return np.diff(after, axis=0, prepend=plan.base_points)
