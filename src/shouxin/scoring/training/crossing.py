"""Crossing: what two variables of a scorecard say together beyond what each says alone.

A cross is a table over even shares of two variables, fitted to what the card leaves unexplained: one Newton
step for every cell, drawn towards 0 where rows are few. Crosses enter one after another while a step is worth
its degrees of freedom, and as many stay as make the out-of-fold AUC as good as any number does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.metrics import auc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Places = tuple[int, int]

# A pair of bins needs this much information (rows times p times 1 - p) to be believed half.
_SHRINKAGE = 20.0
_AUC_WORTH = 0.0002


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """The slots of every variable that may be crossed, row by row, and how many each has.

    ``card`` are those that the card reads already; with the others it reads at most ``variables_max``.
    ``alike`` rows of one customer count as one.
    """

    slots: Sequence[Ints]
    sizes: Sequence[int]
    card: frozenset[int]
    variables_max: int
    alike: float

    def cell(self, places: Places) -> Ints:
        """The place of every row in the flat table of two variables."""
        return self.slots[places[0]] * self.sizes[places[1]] + self.slots[places[1]]

    def effect(self, places: Places, margin: Floats, y: Ints) -> tuple[Floats, float]:
        """The flat table of one Newton step (log-odds), and what it is worth beyond chance."""
        size = self.sizes[places[0]] * self.sizes[places[1]]
        risk = 1 / (1 + np.exp(-margin))
        cell = self.cell(places)
        pull = np.bincount(cell, weights=y - risk, minlength=size)
        spread = np.bincount(cell, weights=risk * (1 - risk), minlength=size)
        found = float((pull**2 / (spread + _SHRINKAGE)).sum())
        freedom = float((spread / (spread + _SHRINKAGE)).sum())
        # What the best of so many pairs reaches by chance (Laurent and Massart 2000, lemma 1).
        luck = math.log(max(2, len(self.slots) * (len(self.slots) - 1) / 2))
        by_chance = freedom + 2 * math.sqrt(freedom * luck) + 2 * luck
        return pull / (spread + _SHRINKAGE), found - self.alike * by_chance

    def rows(self, chosen: npt.NDArray[np.bool_]) -> Crossing:
        """The same of some rows."""
        return replace(self, slots=[slots[chosen] for slots in self.slots])

    def found(self, margin: Floats, y: Ints, *, most: int) -> list[Places]:
        """The pairs worth a table, the best first, each judged beside those before it."""
        chosen: list[Places] = []
        read, left = set(self.card), list(combinations(range(len(self.slots)), 2))
        while len(chosen) < most:
            left = [places for places in left if len(read | set(places)) <= self.variables_max]
            steps = [(places, *self.effect(places, margin, y)) for places in left]
            if not steps:
                break
            places, effect, worth = max(steps, key=lambda step: step[2])
            if worth <= 0:
                break
            chosen.append(places)
            left.remove(places)
            read |= set(places)
            margin = margin + effect[self.cell(places)]
        return chosen

    def tables(self, margin: Floats, y: Ints, order: Sequence[Places]) -> list[Floats]:
        """The flat tables of these pairs, each fitted beside those before it."""
        found = []
        for places in order:
            effect, _ = self.effect(places, margin, y)
            margin = margin + effect[self.cell(places)]
            found.append(effect)
        return found


def crosses(
    crossing: Crossing,
    y: Ints,
    fold: Ints,
    *,
    margins: Callable[[npt.NDArray[np.bool_]], Floats],
    most: int,
) -> tuple[list[tuple[Places, Floats]], list[float]]:
    """The crosses that stay, and the out-of-fold AUC with none, one, two, .. of them.

    ``margins`` gives the log-odds of every row from the card fitted to the rows it is told.
    """
    everybody = np.ones(len(y), dtype=np.bool_)
    margin = margins(everybody)
    order = crossing.found(margin, y, most=most)
    if not order:
        return [], []
    risks = np.empty((len(order) + 1, len(y)))
    for number in np.unique(fold).tolist():
        inside = fold != number
        learnt = margins(inside)
        risks[:, ~inside] = learnt[~inside]
        fitted = crossing.rows(inside).tables(learnt[inside], y[inside], order)
        for size, (places, effect) in enumerate(zip(order, fitted, strict=True), start=1):
            risks[size:, ~inside] += effect[crossing.cell(places)[~inside]]
    path = [auc(y, risk) for risk in risks]
    best = max(path)
    size = next(size for size, area in enumerate(path) if area >= best - _AUC_WORTH)
    kept = order[:size]
    return list(zip(kept, crossing.tables(margin, y, kept), strict=True)), path
