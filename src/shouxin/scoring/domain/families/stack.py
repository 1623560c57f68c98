"""Stack: several models as one. A score is a weighted sum of the members' log-odds.

Each member keeps its own way of reading a feature; the stack's features are the union of theirs. A
contribution is the weighted sum of the members' contributions, rounded; what is over goes to the largest, so
that they add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.families.contract import Scorer, sums_of
from shouxin.scoring.domain.families.network import Network
from shouxin.scoring.domain.families.tables import Tables
from shouxin.scoring.domain.families.trees import Trees
from shouxin.scoring.domain.feature import Feature, feature_problem
from shouxin.scoring.domain.inputs import Ints, Value, numbers
from shouxin.scoring.domain.scaling import MILLION

# A family that may be part of a stack is one more member here.
MemberBody = Tables | Trees | Network

WEIGHT_MAX = 10 * MILLION


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model of a stack and its ``weight`` in millionths; ``model`` is the learner that trained it."""

    model: str
    weight: int
    features: tuple[Feature, ...]
    body: MemberBody


class Stack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="stack"):
    """A weighted sum of models."""

    members: tuple[Member, ...]

    def scorer(self, features: tuple[Feature, ...]) -> StackScorer:
        """The members made ready."""
        return StackScorer(self.members, features)

    def problem(self, features: tuple[Feature, ...]) -> str | None:
        """What keeps the stack from being a model, or None."""
        if not self.members:
            return "it has no members - at `$.body.members`"
        kinds = {feature.name: feature.type for feature in features}
        for index, member in enumerate(self.members):
            if problem := _member_problem(member, kinds):
                return f"{problem} - at `$.body.members[{index}]`"
        return None

    def scaled(self, millionths: int) -> Stack:
        """The same stack with every weight times ``millionths`` / 1,000,000."""
        return Stack(
            tuple(
                msgspec.structs.replace(member, weight=round(member.weight * millionths / MILLION))
                for member in self.members
            )
        )


def _member_problem(member: Member, kinds: Mapping[str, str]) -> str | None:
    if abs(member.weight) > WEIGHT_MAX:
        return "its weight is out of range"
    if not member.features:
        return "it has no features"
    for feature in member.features:
        if problem := feature_problem(feature):
            return problem
        if kinds.get(feature.name) != feature.type:
            return f"the stack does not read {feature.name!r} as it does"
    if len({feature.name for feature in member.features}) < len(member.features):
        return "two features share a name"
    return member.body.problem(member.features)


class StackScorer:
    """A stack made ready for scoring: see ``contract.Scorer``."""

    def __init__(self, members: Sequence[Member], features: tuple[Feature, ...]) -> None:
        places = {feature.name: place for place, feature in enumerate(features)}
        self._features = features
        self._weights = [member.weight for member in members]
        self._scorers: list[Scorer] = [member.body.scorer(member.features) for member in members]
        self._places = [[places[feature.name] for feature in member.features] for member in members]

    @cached_property
    def reference(self) -> int:
        """The weighted sum of the members' references."""
        pairs = zip(self._weights, self._scorers, strict=True)
        return _rounded(sum(weight * scorer.reference for weight, scorer in pairs))

    @property
    def terms(self) -> tuple[str, ...]:
        """A feature is its own part, whatever the members make of it."""
        return tuple(feature.name for feature in self._features)

    def deltas(self, found: Sequence[Value]) -> list[int]:
        """One delta a feature."""
        weighed = [0] * len(self._features)
        total = 0
        for weight, scorer, places in zip(self._weights, self._scorers, self._places, strict=True):
            own = scorer.deltas([found[place] for place in places])
            for place, delta in zip(places, own, strict=True):
                weighed[place] += weight * delta
            total += weight * (scorer.reference + sum(own))
        deltas = [_rounded(delta) for delta in weighed]
        largest = max(range(len(weighed)), key=lambda place: abs(weighed[place]))
        deltas[largest] += _rounded(total) - self.reference - sum(deltas)
        return deltas

    def prepared(self, columns: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Numbers as they are, categories as they come: each member reads them in its own way."""
        return [
            numbers(feature.name, values) if feature.type == "numeric" else values
            for feature, values in zip(self._features, columns, strict=True)
        ]

    def deltas_of_rows(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        """(features, rows): what every feature did."""
        weighed = np.zeros((len(ready), len(ready[0])), dtype=np.int64)
        total = np.zeros(len(ready[0]), dtype=np.int64)
        for weight, scorer, places in zip(self._weights, self._scorers, self._places, strict=True):
            own = scorer.deltas_of_rows(scorer.prepared([ready[place] for place in places]))
            weighed[places] += weight * own
            total += weight * (own.sum(axis=0) + scorer.reference)
        deltas = (weighed + MILLION // 2) // MILLION
        over = (total + MILLION // 2) // MILLION - self.reference - deltas.sum(axis=0)
        deltas[np.abs(weighed).argmax(axis=0), np.arange(len(over))] += over
        return deltas

    def sums_of_rows(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        """(rows,): ``reference + sum(deltas)`` of every row."""
        total = np.zeros(len(ready[0]), dtype=np.int64)
        for weight, scorer, places in zip(self._weights, self._scorers, self._places, strict=True):
            total += weight * sums_of(scorer, scorer.prepared([ready[place] for place in places]))
        sums: Ints = (total + MILLION // 2) // MILLION
        return sums


def _rounded(weighed: int) -> int:
    """Halves up, as everywhere."""
    return (weighed + MILLION // 2) // MILLION
