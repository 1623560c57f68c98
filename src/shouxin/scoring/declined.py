"""Those who were declined, out of a table: who they are, and what every method makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.split import Split, split_rows
from shouxin.scoring.domain.table import Array, Table, as_text, group_codes, is_text
from shouxin.scoring.domain.training import Recipe, UnableToTrain
from shouxin.scoring.training.preparation import check_counts, instants, outcomes, useless

if TYPE_CHECKING:
    from shouxin.scoring.training.rejects import Declined, MethodLine


class RejectInference(NamedTuple):
    """How those who were declined take part: ``decision`` is the column that says who was.

    A declined row has no outcome and one of DECLINED_WORDS there.
    """

    method: str
    decision: str


DECLINED_WORDS = frozenset({"decline", "declined", "reject", "rejected", "拒绝"})


def declined_rows(
    table: Table,
    known: npt.NDArray[np.bool_],
    split: Split,
    rejects: RejectInference,
    *,
    time: str | None,
    group: str | None,
    names: Sequence[str],
) -> Declined:
    """The declined rows, of the time that was learnt from, of nobody who is held out.

    ``known`` is where the table has an outcome; ``split`` is of those rows.
    """
    from shouxin.scoring.training.rejects import Declined

    away = is_declined(table.column(rejects.decision)) & ~known
    groups = None
    if time:
        times, _ = instants(table.column(time), name=time)
        away &= times <= times[known][split.training].max()
    if group:
        codes = group_codes(table.column(group))
        away &= ~np.isin(codes, codes[known][~split.training])
        groups = codes[away]
    return Declined({name: table.columns[name][away] for name in names}, groups)


def is_declined(values: Array) -> npt.NDArray[np.bool_]:
    """Where a column of decisions says that somebody was declined."""
    if not is_text(values):
        return np.zeros(len(values), dtype=np.bool_)
    return np.array([(text or "").strip().lower() in DECLINED_WORDS for text in as_text(values)])


def compare_rejects(
    table: Table,
    *,
    target: str,
    decision: str,
    model: str = "scorecard",
    time_column: str | None = None,
    group_column: str | None = None,
    id_column: str | None = None,
    share: float = 0.3,
    seed: int = 7,
) -> list[MethodLine]:
    """Every method on a table that knows the outcome of the declined as well: of an exploration slice, say.

    Raises UnableToTrain, UnableToEvaluate, UnableToFindColumn.
    """
    # Here, because the learners behind it take seconds to import and a server never trains.
    from shouxin.scoring.training.rejects import DECLINED_MIN, compare

    apart = {table.name(name) for name in (target, decision, time_column, group_column, id_column) if name}
    y, told = outcomes(table.column(target), name=target)
    rows, y = table.rows(told), y[told]
    declined = is_declined(rows.column(decision)).astype(np.int64)
    if declined.sum() < DECLINED_MIN:
        raise UnableToTrain(
            f"{int(declined.sum())} declined rows have a known outcome; {DECLINED_MIN} are needed"
        )
    times = instants(rows.column(time_column), name=time_column)[0] if time_column else None
    groups = group_codes(rows.column(group_column)) if group_column else None
    split = split_rows(y, share=share, seed=seed, times=times, groups=groups)
    check_counts(y[split.training & (declined == 0)], where="approved rows to train on")
    columns = {name: values for name, values in rows.columns.items() if name not in apart}
    dropped = useless(columns)
    kept = {name: values for name, values in columns.items() if name not in dropped}
    recipe = Recipe(model=model, outcome=table.name(target), seed=seed, groups=groups)
    return compare(kept, y, declined, recipe, training=split.training, holdout=split.holdout)
