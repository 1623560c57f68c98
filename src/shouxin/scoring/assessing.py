"""Assessing: every figure of a model on a table, by month, by segment, with its worst mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Progress, silent
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.assessment import Assessment, Given, performance
from shouxin.scoring.domain.assessment.cut_off import cut_off_of
from shouxin.scoring.domain.assessment.lines import calibration_table, curves, gains_table
from shouxin.scoring.domain.assessment.mistakes import error_sources, worst_mistakes
from shouxin.scoring.domain.assessment.segments import Segmentation, segmentation
from shouxin.scoring.domain.columns import pd_of_columns, score_columns
from shouxin.scoring.domain.metrics import Floats, Ints
from shouxin.scoring.domain.table import Array, Table, as_text, group_codes, is_text, known
from shouxin.scoring.robustness import Lever, Robustness, examine
from shouxin.scoring.training.preparation import instants, outcomes

# A file is thin where the model finds nothing for this share of what it reads, or more.
THIN_SHARE = 1 / 3
MISTAKES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Judging:
    """How a table is judged: which columns say what, and how the cut-off is chosen.

    ``group`` says whose row each is, ``time`` when it was, ``segments`` are columns to judge by.
    """

    target: str
    row_id: str | None = None
    time: str | None = None
    group: str | None = None
    segments: tuple[str, ...] = ()
    given: Given = field(default_factory=Given)
    mistakes: int = MISTAKES_SHOWN
    seed: int = 7


def assess_table(artefact: Artefact, table: Table, judging: Judging) -> Assessment:
    """Judge a model on every row of ``table`` whose target is known.

    Raises UnableToFindColumn, UnableToTrain (a target or a time that can not be read), UnableToScore,
    UnableToEvaluate.
    """
    y, told = outcomes(table.column(judging.target), name=judging.target)
    rows = table.rows(told)
    names = _texts(rows.column(judging.row_id)) if judging.row_id else list(map(str, np.flatnonzero(told)))
    groups = group_codes(rows.column(judging.group)) if judging.group else None
    by = {name: _texts(rows.column(name)) for name in judging.segments}
    if judging.time:
        by = {"month": months(rows.column(judging.time), name=judging.time)} | by
    columns = rows.select(artefact.names)
    return assess_columns(artefact, columns, y[told], judging=judging, names=names, groups=groups, by=by)


def assess_columns(
    artefact: Artefact,
    columns: Mapping[str, Array],
    y: npt.ArrayLike,
    *,
    judging: Judging,
    names: Sequence[str] | None = None,
    groups: Ints | None = None,
    by: Mapping[str, Sequence[str]] | None = None,
) -> Assessment:
    """Judge a model on columns; ``by`` has segments, one name a row. Raises as ``assess_table``."""
    truth = np.asarray(y, dtype=np.float64)
    scored = score_columns(artefact, columns)
    found = performance(truth, scored.pd, given=judging.given, groups=groups, seed=judging.seed)
    cut = found.cut_off.pd
    meanings = {feature.name: feature.label for feature in artefact.features}
    rows = names if names is not None else list(map(str, range(len(truth))))
    return Assessment(
        artefact.hash,
        found,
        calibration_table(truth, scored.pd),
        gains_table(truth, scored.pd),
        curves(truth, scored.pd),
        _segmentations(
            {**(by or {}), **_thickness(artefact, columns)},
            truth,
            scored.pd,
            cut_off=cut,
            groups=groups,
            seed=judging.seed,
        ),
        worst_mistakes(scored, columns, truth, names=rows, meanings=meanings, limit=judging.mistakes),
        error_sources(scored, columns, truth, cut_off=cut),
    )


def examine_table(
    artefact: Artefact,
    table: Table,
    judging: Judging,
    *,
    levers: Sequence[Lever],
    bounds: Sequence[float] = (),
    progress: Progress = silent,
) -> Robustness:
    """Put a model under stress on every row of ``table`` whose target is known.

    ``levers`` say what a customer could make up, ``bounds`` at which PDs a better grade begins. Raises as
    ``assess_table``.
    """
    y, told = outcomes(table.column(judging.target), name=judging.target)
    rows = table.rows(told)
    columns = rows.select(artefact.names)
    truth = y[told].astype(np.float64)
    cut = cut_off_of(truth, pd_of_columns(artefact, columns), judging.given)
    by_month = months(rows.column(judging.time), name=judging.time) if judging.time else None
    return examine(
        artefact,
        columns,
        truth,
        levers,
        cut_off=cut.pd,
        bounds=bounds,
        months=by_month,
        seed=judging.seed,
        progress=progress,
    )


def months(values: Array, *, name: str) -> list[str]:
    """The month of every row (2026-03), by UTC; a number stands for itself.

    Raises UnableToTrain for a time that can not be read.
    """
    if not is_text(values):
        return _texts(values)
    seconds, _ = instants(values, name=name)
    return [f"{datetime.fromtimestamp(second, UTC):%Y-%m}" for second in seconds.tolist()]


def _segmentations(
    by: Mapping[str, Sequence[str]],
    y: Floats,
    pd: Floats,
    *,
    cut_off: float,
    groups: Ints | None,
    seed: int,
) -> tuple[Segmentation, ...]:
    return tuple(
        segmentation(column, names, y, pd, cut_off=cut_off, groups=groups, seed=seed)
        for column, names in by.items()
    )


def _thickness(artefact: Artefact, columns: Mapping[str, Array]) -> dict[str, list[str]]:
    """Which files are thin, where there are both sorts."""
    missing = np.mean([~known(columns[name]) for name in artefact.names], axis=0)
    thin = missing >= THIN_SHARE
    if thin.all() or not thin.any():
        return {}
    return {"file": np.where(thin, "thin", "thick").tolist()}


def _texts(values: Array) -> list[str]:
    """A column as names; a value that is not there is a group of its own."""
    if is_text(values):
        return [text if text is not None else "(missing)" for text in as_text(values)]
    return [_name(value) for value in np.asarray(values, dtype=np.float64).tolist()]


def _name(value: Any) -> str:
    if value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
        return "(missing)"
    return str(int(value)) if float(value).is_integer() else f"{value:g}"
