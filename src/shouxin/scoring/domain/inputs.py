"""What a model reads: values of one row, or columns of many, each finding its slot in the same way."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.feature import Feature

Value = float | str | None
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class UnableToScore(ValueError):
    """The row lacks a feature of the model, or holds a text where the model knows a number."""


@dataclass(frozen=True, slots=True)
class Column:
    """A feature made ready: how a value becomes a number or finds its slot."""

    name: str
    numeric: bool
    edges: tuple[float, ...]
    pair_edges: tuple[float, ...]
    special: Mapping[float, int]
    groups: Mapping[str, int]
    missing: int
    unseen: int

    def slot(self, value: Value, edges: tuple[float, ...]) -> int:
        """The slot of ``value``; ``edges`` are this column's own, or its coarser ones for a pair."""
        if not self.numeric:
            text = self.text(value)
            return self.missing if text is None else self.groups.get(text, self.unseen)
        if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
            return len(edges) + 1
        number = value if type(value) is float else self.number(value)
        if number != number:  # noqa: PLR0124 - a text that says nan
            return len(edges) + 1
        if number in self.special:
            return len(edges) + 2 + self.special[number]
        return bisect_right(edges, number)

    def text(self, value: Value) -> str | None:
        """``value`` as a category is spelt, None where it is missing. Raises UnableToScore."""
        try:
            return category_text(value)
        except (TypeError, ValueError, OverflowError):
            raise UnableToScore(
                f"{self.name!r} is a category to the model, not {type(value).__name__}; "
                "send a text, or nothing where it is not known"
            ) from None

    def number(self, value: Value) -> float:
        """``value`` as a number, NaN where it is missing. Raises UnableToScore."""
        try:
            return float("nan") if value is None else float(value)
        except (TypeError, ValueError, OverflowError):
            raise UnableToScore(
                f"{self.name!r} is a number to the model, not {type(value).__name__}; "
                "send a number, or nothing where it is not known"
            ) from None

    def slots(self, values: npt.NDArray[Any], edges: tuple[float, ...]) -> Ints:
        """The slot of every value of a column that ``prepared`` made ready."""
        return numeric_slots(values, edges, self.special) if self.numeric else values


def column_of(feature: Feature) -> Column:
    """The feature made ready."""
    groups = {category: slot for slot, group in enumerate(feature.categories) for category in group}
    return Column(
        name=feature.name,
        numeric=feature.type == "numeric",
        edges=feature.edges,
        pair_edges=feature.pair_edges,
        special={value: index for index, value in enumerate(feature.special)},
        groups=groups,
        missing=feature.regular,
        unseen=feature.slots - 1 if feature.unseen is None else feature.unseen,
    )


def found_in(values: Mapping[str, Value], names: Sequence[str]) -> list[Value]:
    """The values of one row in the order of ``names``. Raises UnableToScore."""
    try:
        return [values[name] for name in names]
    except KeyError as error:
        raise UnableToScore(f"the row lacks {error.args[0]!r}, which the model reads") from None


def prepared(column: Column, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers as float64; categories as their slots, which are the same in every table."""
    if column.numeric:
        return numbers(column.name, values)
    if values.dtype.kind in "fiub":  # codes such as 1, 2, 3: few different ones, spelt once each
        distinct, inverse = np.unique(values, return_inverse=True)
        slots = np.array([column.slot(value, ()) for value in distinct.tolist()], dtype=np.int64)
        return slots[inverse]
    known: dict[Any, int] = {None: column.missing}
    slots_of = [
        known[value] if value in known else known.setdefault(value, column.slot(value, ()))
        for value in (value if isinstance(value, str) else column.text(value) for value in values.tolist())
    ]
    return np.array(slots_of, dtype=np.int64)


def numbers(name: str, values: npt.NDArray[Any]) -> Floats:
    """A column as float64, None becoming NaN. Raises UnableToScore for text."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise UnableToScore(
            f"{name!r} is a number to the model, but the column holds text; "
            "leave a cell empty where the number is not known"
        ) from None


def numeric_slots(values: Floats, edges: tuple[float, ...], special: Mapping[float, int]) -> Ints:
    """The slot of every value of a numeric feature."""
    slots = np.searchsorted(np.asarray(edges), values, side="right")
    slots[np.isnan(values)] = len(edges) + 1
    for value, index in special.items():
        slots[values == value] = len(edges) + 2 + index
    return slots


def category_text(value: Value) -> str | None:
    """How a category is spelt: text as it is, a whole number without its decimals, None for missing."""
    if value is None or isinstance(value, str):
        return value
    if value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if float(value).is_integer() else repr(float(value))
