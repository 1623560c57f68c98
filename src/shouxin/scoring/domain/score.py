"""Scoring one row: find a slot for each value, add up integers, say which feature did what.

The sum is told as a *reference* (the average customer of the training rows) and one contribution a
feature. A table of two features is shared: half to each, the odd millionth to the first, so that the
contributions add up to the score exactly, in log-odds and in points.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from shouxin.scoring.domain.artefact import MILLION, Artefact, Feature, Term

Value = float | str | None
BILLION = 1_000_000_000
# Where 9 decimals of a probability have long stopped changing; keeps exp in its range.
LOG_ODDS_CLAMP = 40 * MILLION


class UnableToScore(ValueError):
    """The row lacks a feature of the model, or holds a text where the model knows a number."""


class Contribution(NamedTuple):
    """What one feature did to the score, against the average customer.

    ``log_odds`` (millionths) above zero is more risk; ``points`` below zero is a lower score. ``term``
    names the tables it comes from: ``a`` and, shared half and half, ``a & b``.
    """

    feature: str
    term: str
    value: Value
    points: int
    log_odds: int


@dataclass(frozen=True, slots=True)
class Score:
    """``points`` and ``pd`` (9 decimals) follow from ``log_odds`` (millionths).

    ``points == reference_points + sum of the contributions' points``, and
    ``log_odds == reference_log_odds + sum of the contributions' log_odds``; always, exactly.
    """

    points: int
    pd: float
    log_odds: int
    contributions: tuple[Contribution, ...]
    reference_points: int
    reference_log_odds: int


def pd_at(log_odds: int) -> float:
    """The probability of the event at ``log_odds`` millionths, rounded to 9 decimals."""
    clamped = min(max(log_odds, -LOG_ODDS_CLAMP), LOG_ODDS_CLAMP)
    return math.floor(BILLION / (1.0 + math.exp(-clamped / MILLION)) + 0.5) / BILLION


def score_one(artefact: Artefact, values: Mapping[str, Value]) -> Score:
    """Score one row; ``None`` and NaN are missing. Raises UnableToScore."""
    plan = plan_of(artefact)
    try:
        found = [values[column.name] for column in plan.columns]
    except KeyError as error:
        raise UnableToScore(f"the row lacks {error.args[0]!r}, which the model reads") from None
    deltas = [
        column.deltas[column.slot(value, column.edges)]
        for column, value in zip(plan.columns, found, strict=True)
    ]
    for pair in plan.pairs:
        first, second = plan.columns[pair.first], plan.columns[pair.second]
        row = first.slot(found[pair.first], first.pair_edges)
        delta = pair.deltas[row * pair.width + second.slot(found[pair.second], second.pair_edges)]
        half = delta >> 1
        deltas[pair.first] += delta - half
        deltas[pair.second] += half
    return _told(plan, found, deltas)


def _told(plan: Plan, found: list[Value], deltas: list[int]) -> Score:
    """Points are rounded along the running sum, so that they add up and never contradict a sign."""
    offset, factor, square = plan.offset, plan.factor, MILLION * MILLION
    log_odds, before = plan.base, plan.base_points
    contributions = []
    for column, value, delta in zip(plan.columns, found, deltas, strict=True):
        log_odds += delta
        after = (offset - factor * log_odds) // square
        contributions.append(Contribution(column.name, column.term, value, after - before, delta))
        before = after
    return Score(before, pd_at(log_odds), log_odds, tuple(contributions), plan.base_points, plan.base)


@dataclass(frozen=True, slots=True)
class Column:
    """A feature made ready: how a value finds its slot, and the deltas of its own table."""

    name: str
    term: str
    numeric: bool
    edges: tuple[float, ...]
    pair_edges: tuple[float, ...]
    special: Mapping[float, int]
    groups: Mapping[str, int]
    missing: int
    unseen: int
    deltas: tuple[int, ...]

    def slot(self, value: Value, edges: tuple[float, ...]) -> int:
        """The slot of ``value``; ``edges`` are this column's own, or its coarser ones for a pair."""
        if not self.numeric:
            text = category_text(value)
            return self.missing if text is None else self.groups.get(text, self.unseen)
        if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
            return len(edges) + 1
        number = value if type(value) is float else self._number(value)
        if number != number:  # noqa: PLR0124 - a text that says nan
            return len(edges) + 1
        if number in self.special:
            return len(edges) + 2 + self.special[number]
        return bisect_right(edges, number)

    def _number(self, value: float | str) -> float:
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            raise UnableToScore(
                f"{self.name!r} is a number to the model, not {type(value).__name__}"
            ) from None


class Pair(NamedTuple):
    """A table of two features made ready."""

    first: int
    second: int
    width: int
    deltas: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """An artefact made ready for scoring: deltas from the reference, and what the reference scores."""

    columns: tuple[Column, ...]
    pairs: tuple[Pair, ...]
    base: int
    base_points: int
    offset: int
    factor: int


@lru_cache(maxsize=32)
def plan_of(artefact: Artefact) -> Plan:
    """The plan of an artefact, made once."""
    mains = {term.features[0]: term for term in artefact.terms if len(term.features) == 1}
    pairs = [term for term in artefact.terms if len(term.features) == 2]
    base = artefact.intercept + sum(term.reference for term in artefact.terms)
    scaling = artefact.scaling
    return Plan(
        columns=tuple(
            _column(feature, mains.get(index), _term_name(artefact, index))
            for index, feature in enumerate(artefact.features)
        ),
        pairs=tuple(
            Pair(
                term.features[0],
                term.features[1],
                artefact.features[term.features[1]].pair_slots,
                _deltas(term),
            )
            for term in pairs
        ),
        base=base,
        base_points=scaling.points_at(base),
        offset=scaling.offset * MILLION + MILLION**2 // 2,
        factor=scaling.factor,
    )


def category_text(value: Value) -> str | None:
    """How a category is spelt: text as it is, a whole number without its decimals, None for missing."""
    if value is None or isinstance(value, str):
        return value
    if value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _column(feature: Feature, main: Term | None, term: str) -> Column:
    groups = {category: slot for slot, group in enumerate(feature.categories) for category in group}
    return Column(
        name=feature.name,
        term=term,
        numeric=feature.type == "numeric",
        edges=feature.edges,
        pair_edges=feature.pair_edges,
        special={value: index for index, value in enumerate(feature.special)},
        groups=groups,
        missing=feature.regular,
        unseen=feature.slots - 1 if feature.unseen is None else feature.unseen,
        deltas=_deltas(main) if main else (0,) * feature.slots,
    )


def _deltas(term: Term) -> tuple[int, ...]:
    return tuple(score - term.reference for score in term.scores)


def _term_name(artefact: Artefact, index: int) -> str:
    names = artefact.names
    return " + ".join(
        " & ".join(names[i] for i in term.features) for term in artefact.terms if index in term.features
    )
