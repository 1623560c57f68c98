"""Training from a table, and measuring on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shouxin.features.sequences.domain import RECENT_EVENTS, SequenceLayout
from shouxin.kernel import Bilingual, Progress, silent
from shouxin.scoring.declined import RejectInference, declined_rows
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.calibrating import CalibrationRefusal, is_later
from shouxin.scoring.domain.columns import pd_of_columns
from shouxin.scoring.domain.metrics import Evaluation, evaluate
from shouxin.scoring.domain.split import Split, split_rows
from shouxin.scoring.domain.table import Array, Table, UnableToFindColumn, group_codes
from shouxin.scoring.domain.training import Holdout, Recipe, TrainedModel, UnableToTrain
from shouxin.scoring.training.calibration import calibrate_trained
from shouxin.scoring.training.preparation import (
    check_counts,
    instants,
    nothing_left,
    outcomes,
    periods_of,
    useless,
)

if TYPE_CHECKING:
    from shouxin.scoring.training.learners import Learner

_STEPS = 4


def train(  # noqa: PLR0913 - all that can be said of a table
    table: Table,
    *,
    target: str,
    model: str = "scorecard",
    id_column: str | None = None,
    time_column: str | None = None,
    group_column: str | None = None,
    period_column: str | None = None,
    special: Sequence[float] = (),
    directions: Mapping[str, Any] | None = None,
    edges: Mapping[str, Sequence[float]] | None = None,
    meanings: Mapping[str, Bilingual] | None = None,
    keep: Mapping[str, str] | Sequence[str] = (),
    scaling: str = "600@50:1/20",
    settings: Mapping[str, Any] | None = None,
    layouts: Sequence[SequenceLayout] = (RECENT_EVENTS.layout,),
    seed: int = 7,
    holdout: float = 0.3,
    trials: int = 0,
    journal: Path | None = None,
    calibrate: float | None = None,
    rejects: RejectInference | None = None,
    progress: Progress = silent,
) -> TrainedModel:
    """Train on a part of ``table`` and evaluate on the rest, which the shipped model never saw.

    Held out are the latest rows where ``time_column`` is given, whole groups where ``group_column`` is,
    else a random share stratified by outcome. With ``trials`` settings are searched for on the training
    rows alone; ``journal`` keeps every trial, and an interrupted search goes on from it. ``calibrate`` is the
    share of the other rows, the latest of them, that only the probabilities are made true on. ``rejects``
    says which rows without an outcome were declined, and what is guessed of them.

    Of a scorecard's bins: ``directions`` say the shape of a column (1 or "rising", -1 or "falling", "peak",
    "valley"), ``edges`` are somebody's own, and in each period of ``period_column`` (dates count by
    month) bins keep their ranking. Raises UnableToTrain.
    """
    recipe = Recipe(
        model=model, special=special, directions=directions or {}, edges=edges or {},
        meanings=meanings or {}, keep=_reasons(keep), scaling=scaling, settings=settings or {},
        layouts=layouts, seed=seed, trials=trials, journal=journal,
    )  # fmt: skip
    roles = _Roles(target, id_column, time_column, group_column, period_column)
    try:
        return _experiment(table, roles, recipe, _Apart(holdout, calibrate, rejects), progress)
    except UnableToFindColumn as error:
        raise UnableToTrain(str(error)) from None


class _Apart(NamedTuple):
    """What of the rows trains nothing, or in another way: shares held out and calibrated on, the declined."""

    holdout: float
    calibrate: float | None
    rejects: RejectInference | None


class _Roles(NamedTuple):
    """The columns that are not features."""

    target: str
    row_id: str | None
    time: str | None
    group: str | None
    period: str | None


def _experiment(
    table: Table, roles: _Roles, recipe: Recipe, wanted: _Apart, advance: Progress
) -> TrainedModel:
    # Here, because the learners behind it take seconds to import and a server never trains.
    from shouxin.scoring.training.fitting import fit_columns
    from shouxin.scoring.training.rejects import fit_with_declined

    share, calibrate, rejects = wanted
    advance(0, _STEPS)
    apart = {table.name(name) for name in (*roles, rejects.decision if rejects else None) if name}
    recipe = _in_names_of(table, recipe, apart=apart)
    y, known = outcomes(table.column(roles.target), name=roles.target)
    rows, y = table.rows(known), y[known]
    split, period = _split(rows, y, roles, share=share, seed=recipe.seed)
    if calibrate is not None:
        split = _with_window(rows, y, roles, split, share=calibrate, seed=recipe.seed)
    check_counts(y[split.training], where="training rows")
    check_counts(y[split.holdout], where="hold-out rows")
    advance(1, _STEPS)
    columns = {name: values for name, values in rows.columns.items() if name not in apart}
    dropped = useless(columns)
    learnt = {name: values[split.training] for name, values in columns.items() if name not in dropped}
    if not learnt:
        raise nothing_left(dropped)
    # Numbered over the whole table, so that a declined customer has the number of their other rows.
    groups = group_codes(table.column(roles.group))[known][split.training] if roles.group else None
    periods, months = _periods(rows, roles, split, rejects)
    recipe = replace(
        recipe, outcome=table.name(roles.target), period=period, groups=groups, periods=periods,
        months=months, tells_folds=rejects is None,
    )  # fmt: skip
    if rejects is None:
        fitted = fit_columns(learnt, y[split.training], recipe, advance=advance)
    else:
        declined = declined_rows(
            table, known, split, rejects, time=roles.time, group=roles.group, names=list(learnt)
        )
        fitted = fit_with_declined(learnt, y[split.training], declined, recipe, method=rejects.method)
    if split.window is not None:
        fitted = _calibrated(fitted, learnt, rows, y, roles, split.window)
    advance(3, _STEPS)
    fitted.report["dropped"] += [{"name": name, "reason": reason} for name, reason in dropped.items()]
    evaluated = _evaluated(fitted, columns, y, split, known=known, seed=recipe.seed)
    advance(4, _STEPS)
    return evaluated


def _in_names_of(table: Table, recipe: Recipe, *, apart: set[str]) -> Recipe:
    """The recipe with the table's own names for columns; ``apart`` are those that are no variables."""
    recipe = replace(
        recipe,
        keep={table.name(name): why for name, why in recipe.keep.items()},
        directions={table.name(name): shape for name, shape in recipe.directions.items()},
        edges={table.name(name): edges for name, edges in recipe.edges.items()},
    )
    if idle := sorted(apart & {*recipe.directions, *recipe.edges}):
        raise UnableToTrain(f"{idle[0]!r} has another part here and is no variable: it has no shape or edges")
    return recipe


def _periods(
    rows: Table, roles: _Roles, split: Split, rejects: RejectInference | None
) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.int64] | None]:
    """Of every training row: its period where bins are held to it, and what its stability is told by."""
    from shouxin.scoring.training.selecting import months_of

    if rejects is not None:
        # With the declined, rows are drawn and added that nobody has numbered.
        if roles.period:
            raise UnableToTrain("reject inference draws rows anew, of no period; leave --period out")
        return None, None
    if roles.period:
        periods = periods_of(rows.column(roles.period), name=roles.period)[split.training]
        return periods, periods
    if roles.time:
        return None, months_of(rows.column(roles.time), name=roles.time)[split.training]
    return None, None


def _reasons(keep: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    if isinstance(keep, Mapping):
        return dict(keep)
    return dict.fromkeys(keep, "no reason was given")


def _split(
    rows: Table, y: npt.NDArray[np.int64], roles: _Roles, *, share: float, seed: int
) -> tuple[Split, tuple[str, str] | None]:
    assert 0 < share < 1, share
    times, period = (None, None)
    if roles.time:
        times, period = instants(rows.column(roles.time), name=roles.time)
    groups = group_codes(rows.column(roles.group)) if roles.group else None
    return split_rows(y, share=share, seed=seed, times=times, groups=groups), period


def _with_window(
    rows: Table, y: npt.NDArray[np.int64], roles: _Roles, split: Split, *, share: float, seed: int
) -> Split:
    """The split with the latest of its training rows set apart for calibrating."""
    if not roles.time:
        raise UnableToTrain(
            "a calibration window is later than what is learnt; name the column with the time (--time COL)"
        )
    if not 0 < share < 1:
        raise UnableToTrain(f"the calibration window is a share of the rows between 0 and 1, not {share:g}")
    places = np.flatnonzero(split.training)
    times, _ = instants(rows.column(roles.time), name=roles.time)
    groups = group_codes(rows.column(roles.group))[places] if roles.group else None
    inner = split_rows(y[places], share=share, seed=seed, times=times[places], groups=groups)
    training, window = np.zeros((2, len(y)), dtype=np.bool_)
    training[places[inner.training]], window[places[inner.holdout]] = True, True
    if not is_later(times[window], times[training]):
        raise UnableToTrain("there is no time after that of the training rows to calibrate on")
    return replace(split, training=training, window=window)


def _calibrated(
    fitted: TrainedModel,
    learnt: Mapping[str, Array],
    rows: Table,
    y: npt.NDArray[np.int64],
    roles: _Roles,
    window: npt.NDArray[np.bool_],
) -> TrainedModel:
    assert roles.time, "a window has a time"
    _, period = instants(rows.column(roles.time)[window], name=roles.time)
    later = rows.rows(window).select(fitted.artefact.names)
    found = calibrate_trained(fitted, learnt, later, y[window], period=period)
    if isinstance(found, CalibrationRefusal):
        raise UnableToTrain(f"not calibrated: {found.reason}")
    return found


def _evaluated(
    fitted: TrainedModel,
    columns: Mapping[str, Array],
    y: npt.NDArray[np.int64],
    split: Split,
    *,
    known: npt.NDArray[np.bool_],
    seed: int,
) -> TrainedModel:
    """The same model with its figures; ``known`` is where the whole table has a target."""
    needed = {name: columns[name] for name in fitted.artefact.names}
    pd = pd_of_columns(fitted.artefact, needed)
    held = evaluate(y[split.holdout], pd[split.holdout], seed=seed)
    learnt = evaluate(y[split.training], pd[split.training], seed=seed)
    report = {
        **fitted.report,
        "split": split.as_data() | {"without_target": int((~known).sum())},
        "holdout": held.as_data(),
        "training": learnt.as_data(),
        "evaluated": "the shipped model is the one evaluated here; it was trained on the training rows only",
    }
    places = np.flatnonzero(known)[split.holdout]
    return TrainedModel(fitted.artefact, report, Holdout(places, y[split.holdout], pd[split.holdout]))


def learners() -> dict[str, Learner]:
    """Every learner by its name, the simplest first; some need an extra to be installed."""
    from shouxin.scoring.training.fitting import LEARNERS

    return dict(LEARNERS)


def train_columns(  # noqa: PLR0913 - all that can be said of columns
    columns: Mapping[str, Array],
    y: npt.ArrayLike,
    *,
    model: str = "scorecard",
    outcome: str = "event",
    special: Sequence[float] = (),
    directions: Mapping[str, Any] | None = None,
    meanings: Mapping[str, Bilingual] | None = None,
    topics: Mapping[str, str] | None = None,
    keep: Mapping[str, str] | Sequence[str] = (),
    scaling: str = "600@50:1/20",
    period: tuple[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    layouts: Sequence[SequenceLayout] = (RECENT_EVENTS.layout,),
    seed: int = 7,
    groups: npt.NDArray[np.int64] | None = None,
    months: npt.NDArray[np.int64] | None = None,
    trials: int = 0,
) -> TrainedModel:
    """Train on every row given; the caller holds rows out itself. Raises UnableToTrain.

    ``groups`` (one whole number a row) says which rows are of one customer, where one comes more than once,
    ``months`` of which month each is: then the selection of each fold is told, with its stability.
    With ``trials`` settings are searched for first.
    """
    # Here, because the learners behind it take seconds to import and a server never trains.
    from shouxin.scoring.training.fitting import fit_columns

    recipe = Recipe(
        model=model,
        outcome=outcome,
        special=special,
        directions=directions or {},
        meanings=meanings or {},
        topics=topics or {},
        keep=_reasons(keep),
        scaling=scaling,
        period=period,
        settings=settings or {},
        layouts=layouts,
        seed=seed,
        groups=groups,
        months=months,
        tells_folds=months is not None,
        trials=trials,
    )
    return fit_columns(columns, y, recipe)


def evaluate_table(artefact: Artefact, table: Table, *, target: str, seed: int = 7) -> Evaluation:
    """Score every row of ``table`` whose target is known, and measure.

    Raises UnableToFindColumn, UnableToTrain (a target that is not 0 and 1), UnableToScore.
    """
    y, known = outcomes(table.column(target), name=target)
    rows = table.rows(known)
    pd = pd_of_columns(artefact, rows.select(artefact.names))
    return evaluate(y[known], pd, seed=seed)
