"""Public sets of credit, read from a folder that the caller has: columns, outcome, and what is known of them.

No set comes with the house; licences differ, and the reader of the README of each knows where to get it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.entrypoints.bench.credit_columns import (
    GMSC_DIRECTIONS,
    TAIWAN_DIRECTIONS,
    Columns,
    gmsc_columns,
    taiwan_columns,
)
from shouxin.scoring import Table, read_table


class UnableToReadSet(ValueError):
    """There is no such set, or its file is not in the folder."""


@dataclass(frozen=True, slots=True)
class CreditSet:
    """A public set. ``ceiling`` is the best AUC that is known of honest work on it; ``goals`` are ours.

    ``directions`` are what credit sense says of a column: 1 where more is riskier, -1 where more is safer.
    ``derive`` gives the columns that a modeller adds to those of the file.
    """

    name: str
    file: str
    target: str
    ceiling: float
    drop: tuple[str, ...] = ()
    special: tuple[float, ...] = ()
    directions: Mapping[str, int] = field(default_factory=dict)
    goals: Mapping[str, float] = field(default_factory=dict)
    event: float = 1.0
    read: Callable[[Path], Table] = read_table
    derive: Callable[[Columns], Columns] | None = None


def read_set(
    name: str, folder: Path, *, raw: bool = False
) -> tuple[CreditSet, dict[str, npt.NDArray[Any]], npt.NDArray[np.int64]]:
    """The columns (features only) and the outcome (1 is the bad one) of a set.

    With what is derived from them, unless they are wanted ``raw``. Raises UnableToReadSet.
    """
    if name not in SETS:
        raise UnableToReadSet(f"there is no set {name!r}; there are {', '.join(SETS)}")
    known = SETS[name]
    path = folder / known.file
    if not path.is_file():
        raise UnableToReadSet(
            f"the set {name} is not at {path}; name the folder that holds {known.file!r} with --data"
        )
    table = known.read(path)
    outcome = np.asarray(table.column(known.target), dtype=np.float64)
    apart = {table.name(column) for column in (known.target, *known.drop)}
    columns = {column: values for column, values in table.columns.items() if column not in apart}
    if known.derive is not None and not raw:
        columns |= known.derive(columns)
    return known, columns, (outcome == known.event).astype(np.int64)


def _unnamed(names: tuple[str, ...]) -> Callable[[Path], Table]:
    """A reader of lines without a header: numbers and words, one blank apart."""

    def read(path: Path) -> Table:
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        columns: dict[str, npt.NDArray[Any]] = {}
        for place, name in enumerate(names):
            values = [row[place] for row in rows]
            try:
                columns[name] = np.array(values, dtype=np.float64)
            except ValueError:
                columns[name] = np.array(values, dtype=object)
        return Table(columns)

    return read


_GERMAN = (
    "checking", "months", "history", "purpose", "amount", "savings", "employed_since", "instalment_rate",
    "personal_status", "guarantors", "resident_since", "property", "age", "other_plans", "housing",
    "existing_credits", "job", "dependants", "telephone", "foreign_worker", "class",
)  # fmt: skip
# Ceilings: tuned and ensembled models of TabArena (arXiv 2506.16791) where it has the set, else the best that
# is reported without a leak; German and Australian are so small that folds alone move the figure by 0.02.
SETS: Mapping[str, CreditSet] = {
    one.name: one
    for one in (
        CreditSet(
            "taiwan",
            "taiwan/default of credit card clients.csv",
            "Y",
            0.7910,
            drop=("ID",),
            directions=TAIWAN_DIRECTIONS,
            derive=taiwan_columns,
            goals={"best": 0.787, "glass_box_gap": 0.002, "scorecard": 0.775},
        ),
        CreditSet(
            "gmsc",
            "gmsc/cs-training.csv.zip",
            "SeriousDlqin2yrs",
            0.8710,
            drop=("column_1",),
            special=(96.0, 98.0),
            directions=GMSC_DIRECTIONS,
            derive=gmsc_columns,
            goals={"best": 0.867, "glass_box_gap": 0.002, "scorecard": 0.858},
        ),
        CreditSet("german", "german/german.data", "class", 0.82, event=2.0, read=_unnamed(_GERMAN)),
        CreditSet(
            "australian",
            "australian/australian.dat",
            "a15",
            0.955,
            event=0.0,
            read=_unnamed(tuple(f"a{number}" for number in range(1, 16))),
        ),
        CreditSet("hmeq", "hmeq/hmeq.csv", "BAD", 0.985),
    )
}
