"""Scoring with trees: exact contributions by table, the same whole numbers for one row and for a million.

A contribution is the Shapley value of a feature in the game that TreeSHAP plays (Lundberg et al. 2020,
path-dependent): a feature that is not known follows both branches, by the share of cover. For one leaf whose
path asks d features, with o (1 where the row satisfies all that the path asks of a feature, else 0) and
z (the share of cover kept), the value of feature i is

    leaf * (o_i - z_i) * integral over t in 0..1 of the product over j != i of (z_j (1 - t) + o_j t)

which ``ceil(d / 2)`` Gauss-Legendre points compute exactly. What a row satisfies is one of few cases, so all
are computed once, rounded to millionths so that they add up, and kept in tables (``tree_paths.Cell``).
Only sums and products of floats in a fixed order are used: every machine builds the same tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.families.tree import Tree
from shouxin.scoring.domain.families.tree_paths import Cell, cells_of, paths_of, slots_in
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Floats, Ints, Value, column_of, prepared

# Entries of a table of contributions, and of one of sums alone: they should stay in the nearest cache.
_ENTRIES_MAX = 256
_SUM_ENTRIES_MAX = 4_096
# Rows worked on at a time, so that their slots stay in the cache while the trees pass by.
_ROWS = 4_096


class CellTable(NamedTuple):
    """A cell made ready. ``states[k][slot]`` of each feature add up to the entry of the table.

    ``table`` is (features, entries) millionths for contributions, (1, entries) for sums alone.
    """

    features: tuple[int, ...]
    states: tuple[npt.NDArray[np.intp], ...]
    table: npt.NDArray[np.int64]


class TreeScorer:
    """Trees made ready for scoring: see ``contract.Scorer``. Tables are built when first asked for."""

    def __init__(self, trees: Sequence[Tree], features: tuple[Feature, ...]) -> None:
        self._trees = trees
        self._slots = [feature.slots for feature in features]
        self._columns = tuple(map(column_of, features))
        used = {feature for tree in trees for feature in tree.features}
        self._terms = tuple(f.name if index in used else "" for index, f in enumerate(features))

    @property
    def terms(self) -> tuple[str, ...]:
        """Every feature that a tree asks about is its own part."""
        return self._terms

    @cached_property
    def reference(self) -> int:
        """The mean of the leaves by their cover, in millionths."""
        return sum(expected_values([paths_of(tree, self._slots) for tree in self._trees]))

    def deltas(self, found: Sequence[Value]) -> list[int]:
        """One delta a feature."""
        slots = [column.slot(value, column.edges) for column, value in zip(self._columns, found, strict=True)]
        flat = self._flat
        entries = flat.states[flat.state_starts + np.array(slots, dtype=np.intp)[flat.features]]
        at = np.add.reduceat(entries, flat.cell_starts)[flat.cells]
        told = np.bincount(flat.features, flat.tables[flat.table_starts + at], len(self._columns))
        whole: list[int] = told.astype(np.int64).tolist()
        return whole

    def prepared(self, columns: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """The slot of every value."""
        return [
            column.slots(prepared(column, values), column.edges)
            for column, values in zip(self._columns, columns, strict=True)
        ]

    def deltas_of_rows(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        """(features, rows): what every feature did."""
        deltas = np.zeros((len(ready), len(ready[0])), dtype=np.int64)
        for start in range(0, deltas.shape[1], _ROWS):
            part = slice(start, start + _ROWS)
            codes = [np.ascontiguousarray(slots[part], dtype=np.intp) for slots in ready]
            for cell in self._contributions:
                at = _entries(cell, codes)
                for place, feature in enumerate(cell.features):
                    deltas[feature, part] += np.take(cell.table[place], at, mode="clip")
        return deltas

    def sums_of_rows(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        """(rows,): ``reference + sum(deltas)`` of every row, without telling the features apart."""
        sums = np.zeros(len(ready[0]), dtype=np.int64)
        for start in range(0, len(sums), _ROWS):
            part = slice(start, start + _ROWS)
            codes = [np.ascontiguousarray(slots[part], dtype=np.intp) for slots in ready]
            for cell in self._sums:
                sums[part] += np.take(cell.table[0], _entries(cell, codes), mode="clip")
        return sums

    @cached_property
    def _contributions(self) -> list[CellTable]:
        cells = [
            cell for tree in self._trees for cell in cells_of(tree, self._slots, entries_max=_ENTRIES_MAX)
        ]
        expected = expected_values([cell.paths for cell in cells])
        return [
            CellTable(tuple(cell.classes), _states(cell, self._slots), _contributions(cell, mean))
            for cell, mean in zip(cells, expected, strict=True)
        ]

    @cached_property
    def _sums(self) -> list[CellTable]:
        cells = (
            cell for tree in self._trees for cell in cells_of(tree, self._slots, entries_max=_SUM_ENTRIES_MAX)
        )
        return [
            CellTable(tuple(cell.classes), _states(cell, self._slots), _sums(cell)[None, :]) for cell in cells
        ]

    @cached_property
    def _flat(self) -> _Flat:
        return _flattened(self._contributions)


class _Flat(NamedTuple):
    """All cells in long arrays, an entry a feature of a cell, so that one row takes a handful of steps."""

    features: npt.NDArray[np.intp]
    cells: npt.NDArray[np.intp]
    cell_starts: npt.NDArray[np.intp]
    state_starts: npt.NDArray[np.intp]
    table_starts: npt.NDArray[np.intp]
    states: npt.NDArray[np.intp]
    tables: Floats


def expected_values(cells: Sequence[Sequence[Any]]) -> list[int]:
    """What each cell of paths is worth on average, rounded along the running sum so that the sum is exact."""
    running, before, found = 0.0, 0, []
    for paths in cells:
        for path in paths:
            running += path.value * path.weight
        after = math.floor(running + 0.5)
        found.append(after - before)
        before = after
    return found


def _entries(cell: CellTable, codes: Sequence[npt.NDArray[np.intp]]) -> npt.NDArray[np.intp]:
    at = np.take(cell.states[0], codes[cell.features[0]], mode="clip")
    for feature, states in zip(cell.features[1:], cell.states[1:], strict=True):
        at += np.take(states, codes[feature], mode="clip")
    return at


def _states(cell: Cell, slots: Sequence[int]) -> tuple[npt.NDArray[np.intp], ...]:
    """For each feature of a cell what each of its slots adds to the entry."""
    stride, found = cell.size, []
    for feature, classes in cell.classes.items():
        stride //= len(classes)
        states = np.zeros(slots[feature], dtype=np.intp)
        for place, mask in enumerate(classes[1:], start=1):
            states[slots_in(mask, slots[feature])] = place * stride
        found.append(states)
    return tuple(found)


def _satisfied(cell: Cell) -> list[Floats]:
    """For each feature (paths, classes): 1 where the class satisfies what the path asks, else 0."""
    return [
        np.array(
            [[float(bool(path.masks.get(feature, -1) & mask)) for mask in classes] for path in cell.paths]
        )
        for feature, classes in cell.classes.items()
    ]


def _sums(cell: Cell) -> npt.NDArray[np.int64]:
    """The leaf that each entry of a cell leads to; 0 where it leads out of the cell."""
    product = np.array([[float(path.value)] for path in cell.paths])
    for satisfied in _satisfied(cell):
        product = _crossed(product, satisfied)
    sums: npt.NDArray[np.int64] = product.sum(axis=0).astype(np.int64)
    return sums


def _contributions(cell: Cell, expected: int) -> npt.NDArray[np.int64]:
    """(features, entries): Shapley values in millionths that add up to the leaf less ``expected``."""
    points, weights = gauss_legendre((max(len(path.masks) for path in cell.paths) + 1) // 2)
    known, apart = [], []
    for feature, satisfied in zip(cell.classes, _satisfied(cell), strict=True):
        share = np.array([path.shares.get(feature, 1.0) for path in cell.paths])[:, None, None]
        here = satisfied[:, None, :]
        mixed = share * (1.0 - points[None, :, None]) + here * points[None, :, None]
        known.append(mixed.reshape(-1, satisfied.shape[1]))
        apart.append(np.repeat(satisfied - share[:, 0], len(points), axis=0))
    values = np.array([float(path.value) for path in cell.paths])
    before = (values[:, None] * weights[None, :]).reshape(-1, 1)
    exact = np.empty((len(known), cell.size))
    for index in range(len(known)):
        product = _crossed(before, apart[index])
        for other in known[index + 1 :]:
            product = _crossed(product, other)
        exact[index] = product.sum(axis=0)
        before = _crossed(before, known[index])
    return _whole(exact, _sums(cell) - expected)


def _whole(exact: Floats, totals: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Rounded so that every entry adds up to its total; what is over goes to the largest."""
    whole = np.rint(exact).astype(np.int64)
    over = totals - whole.sum(axis=0)
    whole[np.abs(exact).argmax(axis=0), np.arange(len(totals))] += over
    return whole


def _crossed(left: Floats, right: Floats) -> Floats:
    """Row by row every product of an entry of ``left`` and one of ``right``."""
    crossed: Floats = (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)
    return crossed


@lru_cache(maxsize=16)
def gauss_legendre(count: int) -> tuple[Floats, Floats]:
    """Points and weights on 0..1 that integrate polynomials below degree ``2 * count`` exactly.

    By Newton's steps from rounded starting points: only plain arithmetic, so the same everywhere.
    """
    points, weights = np.empty(count), np.empty(count)
    for index in range(count):
        x = round(math.cos(math.pi * (index + 0.75) / (count + 0.5)), 6)
        slope = 1.0
        for _ in range(20):
            value, slope = _legendre(count, x)
            x -= value / slope
        _, slope = _legendre(count, x)
        points[index], weights[index] = (1.0 + x) / 2, 1.0 / ((1.0 - x * x) * slope * slope)
    return points, weights


def _legendre(degree: int, x: float) -> tuple[float, float]:
    """The Legendre polynomial and its slope at x."""
    before, value = 1.0, x
    for k in range(2, degree + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, degree * (x * value - before) / (x * x - 1.0)


def _flattened(cells: Sequence[CellTable]) -> _Flat:
    features: list[int] = []
    owners: list[int] = []
    state_starts: list[int] = []
    table_starts: list[int] = []
    cell_starts: list[int] = []
    states_at = tables_at = 0
    for index, cell in enumerate(cells):
        cell_starts.append(len(features))
        for place, (feature, states) in enumerate(zip(cell.features, cell.states, strict=True)):
            features.append(feature)
            owners.append(index)
            state_starts.append(states_at)
            table_starts.append(tables_at + place * cell.table.shape[1])
            states_at += len(states)
        tables_at += cell.table.size
    return _Flat(
        features=np.array(features, dtype=np.intp),
        cells=np.array(owners, dtype=np.intp),
        cell_starts=np.array(cell_starts, dtype=np.intp),
        state_starts=np.array(state_starts, dtype=np.intp),
        table_starts=np.array(table_starts, dtype=np.intp),
        states=np.concatenate([states for cell in cells for states in cell.states]),
        tables=np.concatenate([cell.table.ravel() for cell in cells]).astype(np.float64),
    )
