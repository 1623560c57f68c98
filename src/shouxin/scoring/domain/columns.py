"""Scoring many rows: the same slots, the same integers, the same numbers as one row at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.artefact import MILLION, Artefact
from shouxin.scoring.domain.score import (
    BILLION,
    LOG_ODDS_CLAMP,
    Column,
    Contribution,
    Plan,
    Score,
    UnableToScore,
    category_text,
    plan_of,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
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
    lacking = [column.name for column in plan.columns if column.name not in columns]
    if lacking:
        raise UnableToScore(f"the table lacks {lacking[0]!r}, which the model reads")
    ready = [prepared(column, columns[column.name]) for column in plan.columns]
    rows = len(ready[0])
    contributions = np.empty((rows, len(ready)), dtype=np.int32)
    feature_points = np.empty((rows, len(ready)), dtype=np.int32)
    log_odds = np.empty(rows, dtype=np.int64)
    for start in range(0, rows, _CHUNK):
        part = slice(start, min(start + _CHUNK, rows))
        deltas = _deltas(plan, [values[part] for values in ready])
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


def score_at(artefact: Artefact, scored: ScoredColumns, row: int, values: Mapping[str, Any]) -> Score:
    """One row of a batch as a Score, without scoring it again; ``values`` are that row's inputs."""
    plan = plan_of(artefact)
    contributions = tuple(
        Contribution(column.name, column.term, values[column.name], int(points), int(delta))
        for column, points, delta in zip(
            plan.columns, scored.feature_points[row], scored.contributions[row], strict=True
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


def prepared(column: Column, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers as float64; categories as their slots, which are the same in every table."""
    if column.numeric:
        return numbers(column.name, values)
    if values.dtype.kind in "fiub":  # codes such as 1, 2, 3: few different ones, spelt once each
        distinct, inverse = np.unique(values, return_inverse=True)
        slots = np.array([column.slot(value, ()) for value in distinct.tolist()], dtype=np.int64)
        return slots[inverse]
    known: dict[Any, int] = {None: column.missing}
    slots_of = [
        known[value] if value in known else known.setdefault(value, column.slot(category_text(value), ()))
        for value in values.tolist()
    ]
    return np.array(slots_of, dtype=np.int64)


def numbers(name: str, values: npt.NDArray[Any]) -> Floats:
    """A column as float64, None becoming NaN. Raises UnableToScore for text."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise UnableToScore(f"{name!r} is a number to the model, but the column holds text") from None


def numeric_slots(values: Floats, edges: tuple[float, ...], special: Mapping[float, int]) -> Ints:
    """The slot of every value of a numeric feature."""
    slots = np.searchsorted(np.asarray(edges), values, side="right")
    slots[np.isnan(values)] = len(edges) + 1
    for value, index in special.items():
        slots[values == value] = len(edges) + 2 + index
    return slots


def _deltas(plan: Plan, ready: list[npt.NDArray[Any]]) -> Ints:
    """(features, rows): what every feature did, pair tables shared half and half as for one row."""
    deltas = np.empty((len(ready), len(ready[0])), dtype=np.int64)
    for index, (column, values) in enumerate(zip(plan.columns, ready, strict=True)):
        np.take(np.asarray(column.deltas), _slots(column, values, column.edges), out=deltas[index])
    paired = sorted({index for pair in plan.pairs for index in (pair.first, pair.second)})
    coarse = {i: _slots(plan.columns[i], ready[i], plan.columns[i].pair_edges) for i in paired}
    for pair in plan.pairs:
        delta = np.asarray(pair.deltas)[coarse[pair.first] * pair.width + coarse[pair.second]]
        half = delta >> 1
        deltas[pair.first] += delta - half
        deltas[pair.second] += half
    return deltas


def _slots(column: Column, values: npt.NDArray[Any], edges: tuple[float, ...]) -> Ints:
    return numeric_slots(values, edges, column.special) if column.numeric else values


def _points_steps(plan: Plan, deltas: Ints) -> Ints:
    running = np.cumsum(deltas, axis=0)
    running += plan.base
    after = (plan.offset - plan.factor * running) // (MILLION * MILLION)
    return np.diff(after, axis=0, prepend=plan.base_points)
