"""Table: named columns of equal length, numbers or texts, as they came out of a file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class UnableToFindColumn(LookupError):
    """The table has no such column; the message names what is near."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """``columns`` hold float64 (NaN is missing) or objects (text, None is missing).

    ``aliases`` are other names of columns: a file with two header lines has both.
    """

    columns: Mapping[str, Array]
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(values) for values in self.columns.values()}
        assert len(lengths) <= 1, f"columns differ in length: {lengths}"

    def __len__(self) -> int:
        return next((len(values) for values in self.columns.values()), 0)

    def name(self, wanted: str) -> str:
        """The column that ``wanted`` names, by its name or an alias, exact or but for case and spaces.

        Raises UnableToFindColumn.
        """
        known = {**self.aliases, **{name: name for name in self.columns}}
        if wanted in known:
            return known[wanted]
        loose = {other.strip().casefold(): name for other, name in known.items()}
        if wanted.strip().casefold() in loose:
            return loose[wanted.strip().casefold()]
        near = difflib.get_close_matches(wanted.casefold(), list(loose), n=3, cutoff=0.6)
        spelt = [next(o for o in known if o.strip().casefold() == n) for n in near]
        hint = f"did you mean {' or '.join(map(repr, spelt))}?" if spelt else f"there are {_listed(known)}"
        raise UnableToFindColumn(f"there is no column {wanted!r}; {hint}")

    def column(self, wanted: str) -> Array:
        """The values of the column that ``wanted`` names. Raises UnableToFindColumn."""
        return self.columns[self.name(wanted)]

    def select(self, wanted: Sequence[str]) -> dict[str, Array]:
        """These columns under exactly the names they were asked for by. Raises UnableToFindColumn."""
        return {name: self.column(name) for name in wanted}

    def rows(self, chosen: Array) -> Table:
        """The rows that ``chosen`` (a mask or indices) picks."""
        return Table({name: values[chosen] for name, values in self.columns.items()}, self.aliases)


def is_text(values: Array) -> bool:
    """Whether a column holds categories, not numbers."""
    return values.dtype.kind in "OUS"


def as_text(values: Array) -> list[str | None]:
    """A text column as strings; None and NaN are None."""
    return [None if v is None or v != v else str(v) for v in values.tolist()]  # noqa: PLR0124


def group_codes(values: Array) -> npt.NDArray[np.int64]:
    """A whole number from 0 for every group; a row without one is a group of its own."""
    if is_text(values):
        texts = [f"={t}" if t is not None else f"#{row}" for row, t in enumerate(as_text(values))]
        return np.unique(np.array(texts), return_inverse=True)[1].astype(np.int64)
    numbers = np.asarray(values, dtype=np.float64)
    return np.unique(numbers, return_inverse=True, equal_nan=False)[1].astype(np.int64)


def known(values: Array) -> npt.NDArray[np.bool_]:
    """Where a column has a value."""
    if is_text(values):
        return np.array([v is not None for v in as_text(values)], dtype=np.bool_)
    found: npt.NDArray[np.bool_] = ~np.isnan(np.asarray(values, dtype=np.float64))
    return found


def _listed(names: Mapping[str, str]) -> str:
    shown = list(dict.fromkeys(names.values()))
    more = f" and {len(shown) - 12} more" if len(shown) > 12 else ""
    return ", ".join(map(repr, shown[:12])) + more
