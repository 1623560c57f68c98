"""Tables: the additive family. A scorecard and an EBM are sums of lookups of one feature, or of two.

A table has one entry a slot. A table of two features is flat, row by row; its numeric axes use
``pair_edges``, which are coarser. What a table of two says is shared: half to each feature, the odd
millionth to the first, so that the deltas add up to the score exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Column, Ints, Value, column_of, prepared
from shouxin.scoring.domain.scaling import ENTRY_MAX, MILLION


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table, of one feature or of two. ``reference`` is its mean over the training rows."""

    features: tuple[int, ...]
    scores: tuple[int, ...]
    reference: int

    @property
    def deltas(self) -> tuple[int, ...]:
        """Every entry against the reference."""
        return tuple(score - self.reference for score in self.scores)


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="tables"):
    """A sum of lookups."""

    terms: tuple[Term, ...]

    def scorer(self, features: tuple[Feature, ...]) -> TableScorer:
        """The tables made ready."""
        mains = {term.features[0]: term.deltas for term in self.terms if len(term.features) == 1}
        twos = [term for term in self.terms if len(term.features) == 2]
        return TableScorer(
            reference=sum(term.reference for term in self.terms),
            terms=tuple(_term_name(features, self.terms, index) for index in range(len(features))),
            columns=tuple(map(column_of, features)),
            mains=tuple(mains.get(index, (0,) * feature.slots) for index, feature in enumerate(features)),
            pairs=tuple(
                Pair(term.features[0], term.features[1], features[term.features[1]].pair_slots, term.deltas)
                for term in twos
            ),
            paired=tuple(sorted({index for term in twos for index in term.features})),
        )

    def problem(self, features: tuple[Feature, ...]) -> str | None:
        """What keeps the tables from being a model, or None."""
        if not self.terms:
            return "it has no terms - at `$.body.terms`"
        for index, term in enumerate(self.terms):
            if problem := _term_problem(features, term):
                return f"{problem} - at `$.body.terms[{index}]`"
        tables = [term.features for term in self.terms]
        if len(set(tables)) < len(tables):
            return "two terms have the same features - at `$.body.terms`"
        return None

    def scaled(self, millionths: int) -> Tables:
        """The same tables with every entry times ``millionths`` / 1,000,000."""
        terms = tuple(
            Term(
                term.features,
                tuple(round(score * millionths / MILLION) for score in term.scores),
                round(term.reference * millionths / MILLION),
            )
            for term in self.terms
        )
        return Tables(terms)


class Pair(NamedTuple):
    """A table of two features made ready."""

    first: int
    second: int
    width: int
    deltas: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TableScorer:
    """Tables made ready for scoring: see ``contract.Scorer``."""

    reference: int
    terms: tuple[str, ...]
    columns: tuple[Column, ...]
    mains: tuple[tuple[int, ...], ...]
    pairs: tuple[Pair, ...]
    # The features of a pair at least, each looked up once however many pairs it is in.
    paired: tuple[int, ...]

    def deltas(self, found: Sequence[Value]) -> list[int]:
        """One delta a feature."""
        deltas = [
            main[column.slot(value, column.edges)]
            for column, main, value in zip(self.columns, self.mains, found, strict=True)
        ]
        coarse = {i: self.columns[i].slot(found[i], self.columns[i].pair_edges) for i in self.paired}
        for pair in self.pairs:
            delta = pair.deltas[coarse[pair.first] * pair.width + coarse[pair.second]]
            half = delta >> 1
            deltas[pair.first] += delta - half
            deltas[pair.second] += half
        return deltas

    def prepared(self, columns: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Numbers as they are, categories as slots."""
        return [prepared(column, values) for column, values in zip(self.columns, columns, strict=True)]

    def deltas_of_rows(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        """(features, rows): what every feature did."""
        deltas = np.empty((len(ready), len(ready[0])), dtype=np.int64)
        for index, (column, values) in enumerate(zip(self.columns, ready, strict=True)):
            np.take(np.asarray(self.mains[index]), column.slots(values, column.edges), out=deltas[index])
        coarse = {i: self.columns[i].slots(ready[i], self.columns[i].pair_edges) for i in self.paired}
        for pair in self.pairs:
            delta = np.asarray(pair.deltas)[coarse[pair.first] * pair.width + coarse[pair.second]]
            half = delta >> 1
            deltas[pair.first] += delta - half
            deltas[pair.second] += half
        return deltas


def _term_name(features: tuple[Feature, ...], terms: tuple[Term, ...], index: int) -> str:
    return " + ".join(
        " & ".join(features[i].name for i in term.features) for term in terms if index in term.features
    )


def _term_problem(features: tuple[Feature, ...], term: Term) -> str | None:
    if len(term.features) not in {1, 2} or len(set(term.features)) < len(term.features):
        return "a term has one feature or two"
    if not all(0 <= index < len(features) for index in term.features):
        return "a term names a feature that is not there"
    own = [features[index] for index in term.features]
    expected = own[0].slots if len(own) == 1 else own[0].pair_slots * own[1].pair_slots
    if len(term.scores) != expected:
        return f"the table has {len(term.scores)} entries for {expected} slots"
    if max(map(abs, (*term.scores, term.reference))) > ENTRY_MAX:
        return "an entry is out of range"
    return None
