"""Lookup: trees whose every way down asks one variable or two, written down as tables, exactly.

A leaf says something of the slots of the variables that the way to it asks; leaves are added up. What a table
of two says of one variable alone is then moved to that variable's own table, so that the tables tell what
they are called by: an effect of one, and what two do beyond that (Lengerich et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.scoring.training.grid import Grid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Places = tuple[int, ...]

_PURIFICATIONS = 4


def columns_of(grids: Sequence[Grid]) -> tuple[list[int], list[Floats]]:
    """Whose each column is, and what it is in every slot: all codes, then the companions there are."""
    told = [(index, grid.code) for index, grid in enumerate(grids)]
    told += [(index, grid.companion) for index, grid in enumerate(grids) if grid.companion is not None]
    return [owner for owner, _ in told], [values for _, values in told]


def added_up(trees: Sequence[Mapping[str, Any]], grids: Sequence[Grid]) -> tuple[float, dict[Places, Floats]]:
    """The trees (as LightGBM dumps them) as a constant and tables by the variables they read."""
    owners, columns = columns_of(grids)
    constant, tables = 0.0, dict[Places, Floats]()
    for tree in trees:
        for leaf, way in _leaves(tree, owners, columns, {}):
            places = tuple(sorted(way))
            assert len(places) <= 2, "the interaction constraints keep a way to two variables"
            if not places:
                constant += leaf
                continue
            if places not in tables:
                tables[places] = np.zeros(tuple(len(grids[place].code) for place in places))
            here = way[places[0]] if len(places) == 1 else np.outer(way[places[0]], way[places[1]])
            tables[places][here] += leaf
    return constant, tables


def purified(
    tables: Mapping[Places, Floats], grids: Sequence[Grid]
) -> tuple[float, dict[int, Floats], dict[Places, Floats]]:
    """The same sum as a constant, tables of one and tables of two, each with the mean 0 over the rows.

    Along a variable with a declared direction a table of two keeps the least slope that lets both tables
    keep it. A slot (or a pair of slots) without rows says nothing: 0.
    """
    mains = {index: np.zeros(len(grid.code)) for index, grid in enumerate(grids)}
    for places, table in tables.items():
        if len(places) == 1:
            mains[places[0]] += table
    pairs: dict[Places, Floats] = {}
    for places, table in tables.items():
        if len(places) == 2:
            pairs[places] = _purified_pair(places, table, mains, grids)
    constant = 0.0
    for index, main in mains.items():
        rows = grids[index].rows
        mean = float((main * rows).sum() / rows.sum())
        mains[index] = np.where(rows > 0, main - mean, 0.0)
        constant += mean
    for places, table in pairs.items():
        rows = joint_rows(grids[places[0]], grids[places[1]])
        mean = float((table * rows).sum() / rows.sum())
        empty = (rows.sum(axis=1) == 0)[:, None] | (rows.sum(axis=0) == 0)[None, :]
        pairs[places] = np.where(empty, 0.0, table - mean)
        constant += mean
    return constant, mains, pairs


def joint_rows(first: Grid, second: Grid) -> Ints:
    """The training rows of every pair of slots."""
    width = len(second.code)
    flat = np.bincount(first.slots * width + second.slots, minlength=len(first.code) * width)
    return flat.reshape(len(first.code), width).astype(np.int64)


def _purified_pair(
    places: Places, table: Floats, mains: Mapping[int, Floats], grids: Sequence[Grid]
) -> Floats:
    rows = joint_rows(grids[places[0]], grids[places[1]])
    free = [axis for axis in (0, 1) if not grids[places[axis]].variable.sign]
    for _ in range(_PURIFICATIONS):
        for axis in free:
            total = rows.sum(axis=1 - axis)
            effect = np.divide(
                (table * rows).sum(axis=1 - axis), total, out=np.zeros(len(total)), where=total > 0
            )
            mains[places[axis]][:] += effect
            table = table - (effect[:, None] if axis == 0 else effect[None, :])
    for axis in {0, 1} - set(free):
        table = _with_the_least_slope(table, rows, grids[places[axis]], mains[places[axis]], axis=axis)
    return table


def _with_the_least_slope(table: Floats, rows: Ints, grid: Grid, main: Floats, *, axis: int) -> Floats:
    """Move to ``main`` what the table rises (or falls) by whatever the other variable is.

    What stays keeps the declared direction by itself; ``main`` does, too, if and only if the sum does, since
    the other variables of several tables of two are free to be where each rises least.
    """
    sign, regular = grid.variable.sign, grid.regular
    met = rows.sum(axis=axis) > 0
    along = np.moveaxis(table, axis, 0)[:regular][:, met]
    steps = sign * (sign * np.diff(along, axis=0)).min(axis=1)
    moved = np.zeros(len(main))
    moved[1:regular] = np.cumsum(steps)
    main += moved
    return table - (moved[:, None] if axis == 0 else moved[None, :])


def _leaves(
    node: Mapping[str, Any], owners: list[int], columns: list[Floats], way: dict[int, Mask]
) -> Iterator[tuple[float, dict[int, Mask]]]:
    """Every leaf below ``node``, and which slots of which variables lead to it."""
    if "split_feature" not in node:
        yield float(node["leaf_value"]), way
        return
    assert node["decision_type"] == "<=", "numbers are compared"
    column = int(node["split_feature"])
    owner, values = owners[column], columns[column]
    # Where no training row was missing, LightGBM takes NaN for 0.
    known = np.nan_to_num(values) if node["missing_type"] == "None" else values
    left = np.where(np.isnan(known), bool(node["default_left"]), known <= float(node["threshold"]))
    before = way.get(owner, np.ones(len(values), dtype=np.bool_))
    yield from _leaves(node["left_child"], owners, columns, {**way, owner: before & left})
    yield from _leaves(node["right_child"], owners, columns, {**way, owner: before & ~left})
