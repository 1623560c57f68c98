"""Inputs: how the value of a feature becomes the numbers that a network reads.

A number is put on the normal curve by where it stands among the training rows (its quantile), which tames
long tails; whether it is missing or a special value is told beside. A category is one of its groups. A
sequence is what its encoder makes of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.families.network.encoder import Encoder, Reader
from shouxin.scoring.domain.families.network.fixed import ACTIVATION_MAX, GRID
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Column, UnableToScore, column_of, prepared

Floats = npt.NDArray[np.float64]


class NumberInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="reads", tag="number"):
    """A curve through (``knots``, ``levels``), flat outside, levels in whole numbers of 1 / GRID.

    Missing and special values stand at level 0 and set a flag of their own.
    """

    knots: tuple[float, ...]
    levels: tuple[int, ...]

    def width(self, feature: Feature) -> int:
        """How many numbers the network reads of it."""
        return 2 + len(feature.special)

    def problem(self, feature: Feature) -> str | None:
        """What keeps it from reading the feature, or None."""
        if feature.type != "numeric":
            return "a number is read of a feature that is none"
        if len(self.knots) != len(self.levels) or not self.knots:
            return "there is one level a knot, and at least one"
        if not all(map(math.isfinite, self.knots)) or any(a >= b for a, b in pairwise(self.knots)):
            return "knots are finite and rise"
        return None if max(map(abs, self.levels)) <= ACTIVATION_MAX else "a level is out of range"


class CategoryInput(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="reads", tag="category"
):
    """One flag a slot of the feature; one never met and not pooled sets none."""

    def width(self, feature: Feature) -> int:
        """How many numbers the network reads of it."""
        return feature.slots - 1

    def problem(self, feature: Feature) -> str | None:
        """What keeps it from reading the feature, or None."""
        return None if feature.type == "category" else "a category is read of a feature that is none"


class SequenceInput(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="reads", tag="sequence"
):
    """What the encoder makes of a sequence."""

    encoder: Encoder

    def width(self, _feature: Feature) -> int:
        """How many numbers the network reads of it."""
        return self.encoder.size

    def problem(self, feature: Feature) -> str | None:
        """What keeps it from reading the feature, or None."""
        if feature.type != "sequence":
            return "a sequence is read of a feature that is none"
        return self.encoder.problem


Input = NumberInput | CategoryInput | SequenceInput


@dataclass(frozen=True, slots=True, eq=False)
class ReadyInput:
    """An input made ready: columns of values in, numbers on the grid out."""

    column: Column
    knots: Floats
    levels: Floats
    reader: Reader | None

    @classmethod
    def of(cls, given: Input, feature: Feature) -> ReadyInput:
        """The input of ``feature`` made ready."""
        curve = given if isinstance(given, NumberInput) else NumberInput((0.0,), (0,))
        reader = given.encoder.ready() if isinstance(given, SequenceInput) else None
        return cls(
            column_of(feature), np.asarray(curve.knots), np.asarray(curve.levels, dtype=np.float64), reader
        )

    def prepared(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The column made ready, to be cut into pieces of rows."""
        return values if self.reader else prepared(self.column, values)

    def numbers(self, values: npt.NDArray[Any]) -> Floats:
        """(rows, width) numbers on the grid, for a piece of what ``prepared`` gave."""
        if self.reader:
            return self._embedded(self.reader, values)
        if not self.column.numeric:
            flags = values[:, None] == np.arange(self.column.missing + 1)[None, :]
            of_category: Floats = flags.astype(np.float64) * GRID
            return of_category
        slots = self.column.slots(values, ())
        flags = slots[:, None] == np.arange(1, 2 + len(self.column.special))[None, :]
        level = np.where(slots == 0, self._curve(values), 0.0)
        return np.column_stack([level, flags.astype(np.float64) * GRID])

    def _embedded(self, reader: Reader, values: npt.NDArray[Any]) -> Floats:
        try:
            return reader.embedded(values.tolist())
        except UnableToScore as error:
            raise UnableToScore(f"{self.column.name!r}: {error}") from None

    def _curve(self, values: Floats) -> Floats:
        """Between two knots, in steps that every machine does alike; outside, the level of the last one."""
        inside = np.clip(np.where(np.isnan(values), self.knots[0], values), self.knots[0], self.knots[-1])
        if len(self.knots) == 1:
            return np.full(len(values), self.levels[0])
        low = np.clip(np.searchsorted(self.knots, inside, side="right") - 1, 0, len(self.knots) - 2)
        share = (inside - self.knots[low]) / (self.knots[low + 1] - self.knots[low])
        rise = share * (self.levels[low + 1] - self.levels[low])
        found: Floats = np.rint(self.levels[low] + rise)
        return found
