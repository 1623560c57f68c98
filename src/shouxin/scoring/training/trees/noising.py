"""Noising: copies of training rows as bad measurement would have written them down.

A tree cuts where cutting helps on values that are exact; moved by a little, rows fall on the other side.
Learnt from noisy copies as well, it cuts where that matters less, and leans on what is said more than once.
It is the noise that ``robustness`` puts models under: numbers by a share of their spread, categories swapped
with that chance, missing and special values as they are.
"""

from __future__ import annotations

import numpy as np

from shouxin.scoring.domain.noise import noisy
from shouxin.scoring.training.learners import Ints
from shouxin.scoring.training.trees.matrix import Floats, Matrix


def with_copies(
    matrix: Matrix, rows: Ints, *, level: float, copies: int, rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """The values of ``rows`` and of so many noisy copies below, and which row of the matrix each is."""
    parts = [matrix.values[rows], *(_noisy_copy(matrix, rows, level=level, rng=rng) for _ in range(copies))]
    return np.concatenate(parts), np.tile(rows, copies + 1)


def _noisy_copy(matrix: Matrix, rows: Ints, *, level: float, rng: np.random.Generator) -> Floats:
    found = matrix.values[rows].copy()
    for index, feature in enumerate(matrix.features):
        places = [place for place, reading in enumerate(matrix.readings) if reading.feature == index]
        if feature.type == "category":
            _swap(found, places, level=level, rng=rng)
            continue
        (number,) = (place for place in places if matrix.readings[place].slot is None)
        there = ~np.isnan(found[:, number])
        if there.any():
            found[there, number] = noisy(found[there, number], level=level, rng=rng)
    return found


def _swap(values: Floats, places: list[int], *, level: float, rng: np.random.Generator) -> None:
    """Give a share of the rows the category of another row; a missing one stays missing."""
    there = np.flatnonzero(values[:, places].any(axis=1))
    swapped = there[rng.random(len(there)) < level]
    others = rng.permutation(there)[: len(swapped)]
    told = values[:, places]
    told[swapped] = told[others]
    values[:, places] = told
