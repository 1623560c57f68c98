"""Reading: the columns of a task as the numbers that a network will read when it serves, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.binning import category_groups
from shouxin.scoring.domain.families.network import CategoryInput, NumberInput
from shouxin.scoring.domain.families.network.fixed import GRID
from shouxin.scoring.domain.families.network.inputs import ReadyInput
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.table import as_text
from shouxin.scoring.training.preparation import Variable

Floats = npt.NDArray[np.float64]
_KNOTS = 33
# Beyond three standard deviations nothing more is learnt, and little is there to learn from.
_LEVEL_MAX = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What a network reads of variables that are no sequences: (rows, width), and how to read it again."""

    features: tuple[Feature, ...]
    inputs: tuple[NumberInput | CategoryInput, ...]
    widths: tuple[int, ...]
    matrix: npt.NDArray[np.float32]

    @property
    def average(self) -> Floats:
        """The average row in whole numbers of 1 / GRID."""
        average: Floats = np.rint(self.matrix.mean(axis=0, dtype=np.float64) * GRID)
        return average

    @property
    def levels(self) -> npt.NDArray[np.bool_]:
        """Which of the numbers are levels of a numeric feature, and not flags."""
        flags: list[bool] = []
        for given, width in zip(self.inputs, self.widths, strict=True):
            flags += [isinstance(given, NumberInput), *[False] * (width - 1)]
        return np.array(flags, dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """A sequence column as codes: (rows, length, fields), the first event first, and how many there are."""

    feature: Feature
    codes: npt.NDArray[np.int16]
    counts: npt.NDArray[np.int64]


def columns_read(variables: Sequence[Variable]) -> Columns:
    """The numeric and category variables as a network reads them."""
    features, inputs, parts = [], [], []
    for variable in variables:
        feature = _number(variable) if variable.numeric else _category(variable)
        given = NumberInput(*_curve(variable)) if variable.numeric else CategoryInput()
        ready = ReadyInput.of(given, feature)
        parts.append((ready.numbers(ready.prepared(variable.values)) / GRID).astype(np.float32))
        features.append(feature)
        inputs.append(given)
    rows = len(variables[0].values) if variables else 0
    matrix = np.concatenate(parts, axis=1) if parts else np.empty((rows, 0), dtype=np.float32)
    return Columns(tuple(features), tuple(inputs), tuple(part.shape[1] for part in parts), matrix)


def sequences_read(variable: Variable) -> Sequences:
    """The sequence variable as codes."""
    assert variable.layout is not None, "only a sequence has a layout"
    texts = as_text(variable.values)
    codes, counts = variable.layout.codes(texts)
    length = variable.layout.length
    # A sequence is written with its last event at the end; torch wants the first one first.
    places = (np.arange(length)[None, :] + length - counts[:, None]) % length
    there = sum(text is not None for text in texts)
    feature = Feature(
        name=variable.name,
        type="sequence",
        rows=(there, len(texts) - there),
        meaning=variable.meaning.as_data() if variable.meaning else None,
    )
    return Sequences(feature, np.take_along_axis(codes, places[:, :, None], axis=1), counts)


def _curve(variable: Variable) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Knots at quantiles, levels where a normal distribution has them."""
    ordinary = variable.ordinary
    if not len(ordinary):
        return (0.0,), (0,)
    shares = np.linspace(0.0, 1.0, _KNOTS)
    knots = np.unique(np.quantile(ordinary, shares, method="nearest"))
    below, upto = (np.searchsorted(np.sort(ordinary), knots, side=side) for side in ("left", "right"))
    middle = np.clip((below + upto) / (2 * len(ordinary)), 1e-4, 1 - 1e-4)
    levels = [NormalDist().inv_cdf(share) for share in middle.tolist()]
    return tuple(knots.tolist()), tuple(
        round(GRID * min(max(level, -_LEVEL_MAX), _LEVEL_MAX)) for level in levels
    )


def _number(variable: Variable) -> Feature:
    ordinary, values = variable.ordinary, variable.values
    missing = int(np.isnan(values).sum())
    special = tuple(int((values == value).sum()) for value in variable.special)
    return Feature(
        name=variable.name,
        type="numeric",
        rows=(len(ordinary), missing, *special),
        special=variable.special,
        direction=variable.sign,
        typical=variable.typical,
        meaning=variable.meaning.as_data() if variable.meaning else None,
    )


def _category(variable: Variable) -> Feature:
    texts = as_text(variable.values)
    groups, pooled = category_groups(texts)
    place = {name: code for code, group in enumerate(groups) for name in group}
    slots = [len(groups) if text is None else place[text] for text in texts]
    return Feature(
        name=variable.name,
        type="category",
        rows=tuple(np.bincount(slots, minlength=len(groups) + 2).tolist()),
        categories=groups,
        unseen=pooled,
        meaning=variable.meaning.as_data() if variable.meaning else None,
    )
