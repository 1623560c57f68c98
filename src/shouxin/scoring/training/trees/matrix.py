"""Matrix: variables as the columns of numbers that a library of trees wants, and how to read them back.

A number keeps its column, with NaN where it is missing or a special value; each special value, and each
group of categories, has a column of its own that is 1 there and 0 elsewhere. So every library asks the same
kind of question, and none needs to know of categories or codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.binning import category_groups
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.partition import Direction
from shouxin.scoring.domain.table import as_text
from shouxin.scoring.training.preparation import Variable

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """A column of the matrix: the numbers of ``feature``; or 1 where its slot is ``slot``.

    ``slot`` counts a category feature's groups, and a numeric feature's special values.
    """

    feature: int
    slot: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """``values`` is (rows, columns); ``readings``, ``directions`` by column; features have no edges yet."""

    values: Floats
    readings: tuple[Reading, ...]
    directions: tuple[int, ...]
    features: tuple[Feature, ...]


def matrix_of(kept: Sequence[Variable]) -> Matrix:
    """The matrix of these variables."""
    columns: list[Floats] = []
    readings: list[Reading] = []
    directions: list[int] = []
    features: list[Feature] = []
    for index, variable in enumerate(kept):
        feature, own = _numeric(variable) if variable.numeric else _category(variable)
        features.append(feature)
        for place, column in enumerate(own):
            columns.append(column)
            slot = place - 1 if variable.numeric else place
            readings.append(Reading(index, None if slot < 0 else slot))
            directions.append(feature.direction if slot < 0 else 0)
    return Matrix(np.column_stack(columns), tuple(readings), tuple(directions), tuple(features))


def _numeric(variable: Variable) -> tuple[Feature, list[Floats]]:
    """The feature, its numbers, and where each special value is."""
    values = np.asarray(variable.values, dtype=np.float64)
    special = np.isin(values, variable.special)
    known = values[~special & ~np.isnan(values)]
    at = [(values == value).astype(np.float64) for value in variable.special]
    missing = int(np.isnan(values).sum())
    feature = Feature(
        name=variable.name,
        type="numeric",
        rows=(len(known), missing, *(int(column.sum()) for column in at)),
        special=variable.special,
        direction=_rising(variable.direction),
        typical=float(np.median(known)) if len(known) else None,
        meaning=variable.meaning.as_data() if variable.meaning else None,
    )
    return feature, [np.where(special, np.nan, values), *at]


def _rising(direction: Direction) -> Literal[-1, 0, 1]:
    """A peak or a valley is a shape that no library of trees keeps: it declares nothing here."""
    return direction if isinstance(direction, int) else 0


def _category(variable: Variable) -> tuple[Feature, list[Floats]]:
    """The feature, and where each group of categories is."""
    texts = as_text(variable.values)
    groups, pooled = category_groups(texts)
    codes: dict[str | None, int] = {name: code for code, group in enumerate(groups) for name in group}
    codes[None] = len(groups)
    slots = np.array([codes[text] for text in texts], dtype=np.int64)
    feature = Feature(
        name=variable.name,
        type="category",
        rows=tuple(np.bincount(slots, minlength=len(groups) + 2).tolist()),
        categories=groups,
        unseen=pooled,
        meaning=variable.meaning.as_data() if variable.meaning else None,
    )
    return feature, [(slots == code).astype(np.float64) for code in range(len(groups))]
