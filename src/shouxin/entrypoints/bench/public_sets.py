"""Public sets: how each file is read, what is the event, and the best that anybody got out of it honestly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.scoring import Table, UnableToReadTable, read_table

Rows = tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class PublicSet:
    """One set. ``ceiling`` is the best AUC known to be honest, ``source`` who got it.

    ``goals`` are the least AUC of a model by name; ``best`` stands for the best of all.
    """

    name: str
    read: Callable[[Path], Rows]
    ceiling: float
    source: str
    goals: Mapping[str, float] = field(default_factory=dict)


def _found(path: Path) -> Path:
    if not path.is_file():
        raise UnableToReadTable(f"the set is not there: no file {path}")
    return path


def _columns(table: Table, *, target: str, apart: tuple[str, ...]) -> Rows:
    aside = {table.name(name) for name in (target, *apart)}
    y = np.asarray(table.column(target), dtype=np.float64).astype(np.int64)
    return {name: values for name, values in table.columns.items() if name not in aside}, y


def _spaced(file: Path, *, text: frozenset[int]) -> dict[str, npt.NDArray[Any]]:
    """A table without a header, its columns called A1, A2, .. as its description does."""
    lines = [line.split() for line in _found(file).read_text(encoding="ascii").splitlines() if line.strip()]
    return {
        f"A{place}": np.array(values, dtype=object if place in text else np.float64)
        for place, values in enumerate(zip(*lines, strict=True), start=1)
    }


def _german(folder: Path) -> Rows:
    columns = _spaced(folder / "german.data", text=frozenset({1, 3, 4, 6, 7, 9, 10, 12, 14, 15, 17, 19, 20}))
    return columns, (columns.pop("A21") == 2).astype(np.int64)


def _australian(folder: Path) -> Rows:
    columns = _spaced(folder / "australian.dat", text=frozenset({4, 5, 6, 12}))
    return columns, (columns.pop("A15") == 0).astype(np.int64)


def _taiwan(folder: Path) -> Rows:
    table = read_table(_found(folder / "default of credit card clients.csv"))
    return _columns(table, target="Y", apart=("ID",))


def _gmsc(folder: Path) -> Rows:
    table = read_table(_found(folder / "cs-training.csv.zip"))
    number = next(iter(table.columns))  # the running number of the rows has no name
    return _columns(table, target="SeriousDlqin2yrs", apart=(number,))


def _hmeq(folder: Path) -> Rows:
    return _columns(read_table(_found(folder / "hmeq.csv")), target="BAD", apart=())


PUBLIC_SETS: Mapping[str, PublicSet] = {
    one.name: one
    for one in (
        PublicSet("taiwan", _taiwan, 0.7950, "TabArena v0.1, best of all on its first split",
                  {"best": 0.787, "scorecard": 0.775}),
        PublicSet("gmsc", _gmsc, 0.8722, "TabArena v0.1, best of all on its first split",
                  {"best": 0.867, "scorecard": 0.858}),
        PublicSet("german", _german, 0.8082, "TabArena v0.1, best of all on its first split"),
        PublicSet("australian", _australian, 0.9500, "the best that we measured, rounded up"),
        PublicSet("hmeq", _hmeq, 0.9800, "the best that we measured, rounded up"),
    )
}  # fmt: skip
