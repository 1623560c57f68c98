"""Grid: a variable cut finely into the slots of a table, and what a tree is shown of each slot.

A tree sees one column a variable: the number of the slot, rising with the value (a category's rising with its
event rate). Missing is NaN; so is a special value, which a second column, the companion, tells apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.binning import category_groups
from shouxin.scoring.domain.candidate_cuts import fine_edges
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import numeric_slots
from shouxin.scoring.domain.partition import SMOOTHING
from shouxin.scoring.domain.table import as_text
from shouxin.scoring.training.preparation import Variable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """``slots`` is the slot of every row; ``code`` and ``companion`` are what a tree sees of each slot."""

    variable: Variable
    edges: tuple[float, ...]
    groups: tuple[tuple[str, ...], ...]
    pooled: int | None
    slots: Ints
    code: Floats
    companion: Floats | None

    @property
    def regular(self) -> int:
        """How many slots hold ordinary values."""
        return len(self.edges) + 1 if self.variable.numeric else len(self.groups)

    @property
    def rows(self) -> Ints:
        """The training rows of every slot."""
        return np.bincount(self.slots, minlength=len(self.code)).astype(np.int64)

    def feature(self, edges: tuple[float, ...], pair_edges: tuple[float, ...], rows: Ints) -> Feature:
        """As a feature of the artefact, with the edges that were needed and the rows of their slots."""
        variable = self.variable
        return Feature(
            name=variable.name,
            type="numeric" if variable.numeric else "category",
            rows=tuple(rows.tolist()),
            edges=edges,
            pair_edges=pair_edges,
            special=variable.special,
            categories=self.groups,
            unseen=self.pooled,
            direction=variable.sign,
            typical=variable.typical,
            meaning=variable.meaning.as_data() if variable.meaning else None,
        )


def grid_of(variable: Variable, y: Ints, *, bins: int) -> Grid:
    """Cut a variable into at most ``bins`` slots of like size, and its other slots."""
    return _numbers(variable, bins) if variable.numeric else _categories(variable, y)


def _numbers(variable: Variable, bins: int) -> Grid:
    edges = fine_edges(np.sort(variable.ordinary), count=bins)
    special = {value: index for index, value in enumerate(variable.special)}
    slots = numeric_slots(variable.values, tuple(edges.tolist()), special)
    apart = 1 + len(special)
    code = np.concatenate([np.arange(len(edges) + 1.0), np.full(apart, np.nan)])
    companion = np.concatenate([np.zeros(len(edges) + 2), np.arange(1.0, apart)]) if special else None
    return Grid(variable, tuple(edges.tolist()), (), None, slots, code, companion)


def _categories(variable: Variable, y: Ints) -> Grid:
    texts = as_text(variable.values)
    groups, pooled = category_groups(texts)
    place: dict[str | None, int] = {name: i for i, group in enumerate(groups) for name in group}
    place[None] = len(groups)
    slots = np.array([place[text] for text in texts], dtype=np.int64)
    rows = np.bincount(slots, minlength=len(groups) + 2)[: len(groups)]
    events = np.bincount(slots, weights=y, minlength=len(groups) + 2)[: len(groups)]
    rate = (events + SMOOTHING * y.mean()) / (rows + SMOOTHING)
    code = np.full(len(groups) + 2, np.nan)
    code[np.argsort(rate, kind="stable")] = np.arange(float(len(groups)))
    return Grid(variable, (), groups, pooled, slots, code, None)
