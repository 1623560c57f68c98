"""What every family of models promises.

A *body* is data: a frozen msgspec struct with a tag. Its *scorer* is the same made ready, once a process.
All scores are whole *millionths of a log-odd*: leaves, tables and outputs are rounded to them when a model is
written down, so that a sum has no order and comes out the same in Python, in NumPy and in SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Ints, Value


class Scorer(Protocol):
    """A body made ready. ``log_odds == intercept + reference + sum(deltas)``, always, exactly.

    A delta is what a feature did against the average customer of the training rows.
    """

    @property
    def reference(self) -> int:
        """What the average customer adds to the intercept, in millionths."""
        ...

    @property
    def terms(self) -> tuple[str, ...]:
        """Which parts of the model each feature's delta comes from."""
        ...

    def deltas(self, found: Sequence[Value]) -> list[int]:
        """One delta a feature for the values of one row. Raises UnableToScore."""
        ...

    def prepared(self, columns: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Whole columns made ready, each to be cut into pieces of rows. Raises UnableToScore."""
        ...

    def deltas_of_rows(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        """(features, rows) of what ``deltas`` says of each row, for a piece of what ``prepared`` gave."""
        ...


@runtime_checkable
class SumsOfRows(Protocol):
    """A scorer that can also add up without telling the features apart, and is quicker at it."""

    def sums_of_rows(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        """(rows,): ``reference + sum(deltas)`` of every row, the same whole numbers."""
        ...


def sums_of(scorer: Scorer, ready: Sequence[npt.NDArray[Any]]) -> Ints:
    """(rows,): ``reference + sum(deltas)`` of every row, in the quickest way that the scorer has."""
    if isinstance(scorer, SumsOfRows):
        return scorer.sums_of_rows(ready)
    sums: Ints = scorer.deltas_of_rows(ready).sum(axis=0) + scorer.reference
    return sums


class FamilyBody(Protocol):
    """What an artefact keeps of its family."""

    def scorer(self, features: tuple[Feature, ...]) -> Scorer:
        """The body made ready; the artefact keeps it."""
        ...

    def problem(self, features: tuple[Feature, ...]) -> str | None:
        """What keeps a well-typed body from being a model, with its place (``- at `$.body...```), or None."""
        ...

    def scaled(self, millionths: int) -> FamilyBody:
        """The same model with every score times ``millionths`` / 1,000,000: the slope of a calibration."""
        ...
