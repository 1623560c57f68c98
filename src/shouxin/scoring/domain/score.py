"""Scoring one row: what each feature did, added up, and told in points.

The sum is told as a *reference* (the average customer of the training rows) and one contribution a
feature, so that the contributions add up to the score exactly, in log-odds and in points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.families.contract import Scorer
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import UnableToScore, Value, found_in
from shouxin.scoring.domain.scaling import MILLION

__all__ = ["Contribution", "Plan", "Score", "UnableToScore", "pd_at", "plan_of", "score_one", "told"]

BILLION = 1_000_000_000
# Where 9 decimals of a probability have long stopped changing; keeps exp in its range.
LOG_ODDS_CLAMP = 40 * MILLION


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
    found = found_in(values, plan.names)
    return told(plan, found, plan.scorer.deltas(found))


def told(plan: Plan, found: Sequence[Value], deltas: Sequence[int]) -> Score:
    """Points are rounded along the running sum, so that they add up and never contradict a sign."""
    offset, factor, square = plan.offset, plan.factor, MILLION * MILLION
    log_odds, before = plan.base, plan.base_points
    contributions = []
    for name, term, value, delta in zip(plan.names, plan.terms, found, deltas, strict=True):
        log_odds += delta
        after = (offset - factor * log_odds) // square
        contributions.append(Contribution(name, term, value, after - before, delta))
        before = after
    return Score(before, pd_at(log_odds), log_odds, tuple(contributions), plan.base_points, plan.base)


@dataclass(frozen=True, slots=True)
class Plan:
    """An artefact made ready for scoring: its scorer, and what the reference scores."""

    names: tuple[str, ...]
    terms: tuple[str, ...]
    features: Mapping[str, Feature]
    scorer: Scorer
    base: int
    base_points: int
    offset: int
    factor: int


@lru_cache(maxsize=32)
def plan_of(artefact: Artefact) -> Plan:
    """The plan of an artefact, made once."""
    scaling, base = artefact.scaling, artefact.reference
    return Plan(
        names=artefact.names,
        terms=artefact.scorer.terms,
        features={feature.name: feature for feature in artefact.features},
        scorer=artefact.scorer,
        base=base,
        base_points=scaling.points_at(base),
        offset=scaling.offset * MILLION + MILLION**2 // 2,
        factor=scaling.factor,
    )
