"""Transforms: how a column becomes numbers that a model can take, with everything fitted kept as data.

Five ways are known (discretisation, standardisation, normalisation by range, by spread or by rank, weight of
evidence, one column a slot), and three structs hold them. One row goes the way of many: as a column of one,
through the same elementwise arithmetic, which IEEE 754 gives the same last bit for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.binning import Binning
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Column, Floats

# A normal distribution has 1.349 standard deviations between its quartiles.
_QUARTILES_APART = 1.349


class Linear(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="linear"):
    """``(value - shift) / scale``, kept within ``limit`` of 0 on both sides; missing and special are 0.

    ``how`` says what ``shift`` and ``scale`` are: mean and standard deviation, middle and half of the
    range, or median and spread of the quartiles (as a standard deviation).
    """

    how: Literal["standard", "range", "robust"]
    shift: float
    scale: float
    limit: float

    def applied(self, column: Column, values: npt.NDArray[Any]) -> Floats:
        """(rows, 1) of a column that ``inputs.prepared`` made ready."""
        apart = _apart(column, values)
        known = np.where(apart, self.shift, values)
        return np.clip((known - self.shift) / self.scale, -self.limit, self.limit)[:, None]

    @property
    def width(self) -> int:
        """How many columns come out."""
        return 1


class Rank(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rank"):
    """The share of the training rows below, from -1 to 1, linear between ``knots``.

    Missing and special values are 0.
    """

    knots: tuple[float, ...]

    def applied(self, column: Column, values: npt.NDArray[Any]) -> Floats:
        """(rows, 1) of a column that ``inputs.prepared`` made ready."""
        knots, last = np.asarray(self.knots), len(self.knots) - 1
        apart = _apart(column, values)
        known = np.clip(np.where(apart, knots[0], values), knots[0], knots[-1])
        below = np.clip(np.searchsorted(knots, known, side="right") - 1, 0, max(last - 1, 0))
        step = (known - knots[below]) / (knots[below + 1] - knots[below])
        share = (below + step) * 2 / last - 1
        return np.where(apart, 0.0, share)[:, None]

    @property
    def width(self) -> int:
        """How many columns come out."""
        return 1


class Lookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lookup"):
    """What stands in the table for the slot that a value finds: one row of ``entries`` a slot."""

    how: Literal["codes", "woe", "one_hot"]
    entries: tuple[tuple[float, ...], ...]

    def applied(self, column: Column, values: npt.NDArray[Any]) -> Floats:
        """(rows, width) of a column that ``inputs.prepared`` made ready."""
        return np.asarray(self.entries)[column.slots(values, column.edges)]

    @property
    def width(self) -> int:
        """How many columns come out."""
        return len(self.entries[0])


Transform = Linear | Rank | Lookup


def transform_problem(feature: Feature, transform: Transform) -> str | None:
    """What keeps a well-typed transform from working on ``feature``, or None."""
    if isinstance(transform, Lookup):
        if len(transform.entries) != feature.slots:
            return f"the table has {len(transform.entries)} rows for {feature.slots} slots"
        widths = {len(entry) for entry in transform.entries}
        numbers = [number for entry in transform.entries for number in entry]
        return None if len(widths) == 1 and numbers and all(map(math.isfinite, numbers)) else "a bad table"
    if feature.type != "numeric":
        return "only a number can be shifted, scaled or ranked"
    if isinstance(transform, Rank):
        rising = len(transform.knots) > 1 and all(a < b for a, b in pairwise(transform.knots))
        return None if rising and all(map(math.isfinite, transform.knots)) else "knots do not rise"
    good = transform.scale > 0 and transform.limit > 0 and math.isfinite(transform.shift)
    return None if good else "scale and limit are above 0"


def standardised(values: Floats, *, limit: float = 8.0) -> Linear:
    """Mean 0 and standard deviation 1 over the known ``values``; a constant becomes 0."""
    known = _known(values)
    return Linear("standard", float(known.mean()), _positive(float(known.std())), limit)


def ranged(values: Floats) -> Linear:
    """From -1 to 1 over the range of the known ``values``."""
    known = _known(values)
    low, high = float(known.min()), float(known.max())
    return Linear("range", low / 2 + high / 2, _positive(high / 2 - low / 2), 1.0)


def robust(values: Floats, *, limit: float = 8.0) -> Linear:
    """Median 0 and the spread of the quartiles as a standard deviation: no outlier moves it."""
    known = _known(values)
    low, middle, high = np.quantile(known, (0.25, 0.5, 0.75)).tolist()
    # Where half of all values are the same, the quartiles say nothing of the spread.
    spread = (high - low) / _QUARTILES_APART or float(known.std())
    return Linear("robust", middle, _positive(spread), limit)


def ranked(values: Floats, *, knots: int = 64) -> Rank:
    """The place among the known ``values``; ties share one, and a constant is 0 everywhere below the top."""
    found = np.unique(np.quantile(_known(values), np.linspace(0, 1, knots)))
    if len(found) == 1:
        found = np.array([found[0] - 1, found[0] + 1])
    return Rank(tuple(found.tolist()))


def coded(feature: Feature) -> Lookup:
    """Discretisation: the number of the slot."""
    return Lookup("codes", tuple((float(slot),) for slot in range(feature.slots)))


def evidence(binning: Binning) -> Lookup:
    """The weight of evidence of every slot."""
    return Lookup("woe", tuple((woe,) for woe in binning.woe))


def one_hot(feature: Feature) -> Lookup:
    """One column a slot: 1 where the value falls into it."""
    return Lookup("one_hot", tuple(map(tuple, np.eye(feature.slots).tolist())))


def applied(
    transforms: Sequence[Transform], columns: Sequence[Column], ready: Sequence[npt.NDArray[Any]]
) -> Floats:
    """(rows, widths): every column through its transform, side by side."""
    parts = [t.applied(c, values) for t, c, values in zip(transforms, columns, ready, strict=True)]
    return np.concatenate(parts, axis=1)


def _apart(column: Column, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where a value is missing or special."""
    found: npt.NDArray[np.bool_] = np.isnan(values)
    for value in column.special:
        found |= values == value
    return found


def _known(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    assert len(known), "a column without a value is dropped before"
    return known


def _positive(number: float) -> float:
    return number if number > 0 and math.isfinite(number) else 1.0


__all__ = [
    "Linear",
    "Lookup",
    "Rank",
    "Transform",
    "applied",
    "coded",
    "evidence",
    "one_hot",
    "ranged",
    "ranked",
    "robust",
    "standardised",
    "transform_problem",
]
