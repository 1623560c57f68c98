"""Fused: what a network makes of a sequence, as one more column of a model that reads columns.

The network reads the sequence alone and says a log-odds; the inner model learnt what that is worth beside
everything else. It is one column with a meaning, so a table of it can be looked at like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.families.contract import Scorer
from shouxin.scoring.domain.families.network import Network
from shouxin.scoring.domain.families.network.network import NetworkScorer
from shouxin.scoring.domain.families.tables import Tables
from shouxin.scoring.domain.feature import Feature, feature_problem
from shouxin.scoring.domain.inputs import Ints, Value
from shouxin.scoring.domain.scaling import MILLION


class Fused(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="fused"):
    """``inner`` reads the other features in their order, and ``told``, what ``network`` says, last.

    ``sequence`` is the place of the feature that the network reads.
    """

    sequence: int
    network: Network
    told: Feature
    inner: Tables

    def scorer(self, features: tuple[Feature, ...]) -> FusedScorer:
        """The model made ready."""
        return FusedScorer(
            self.sequence,
            self.network.scorer((features[self.sequence],)),
            self.inner.scorer(self._inner_features(features)),
        )

    def problem(self, features: tuple[Feature, ...]) -> str | None:
        """What keeps it from being a model, or None."""
        if not 0 <= self.sequence < len(features) or features[self.sequence].type != "sequence":
            return "it names no sequence - at `$.body.sequence`"
        if problem := self.network.problem((features[self.sequence],)):
            return problem.replace("$.body", "$.body.network")
        if problem := feature_problem(self.told):
            return f"{problem} - at `$.body.told`"
        if problem := self.inner.problem(self._inner_features(features)):
            return problem.replace("$.body", "$.body.inner")
        return None

    def scaled(self, millionths: int) -> Fused:
        """The same model with every score times ``millionths`` / 1,000,000."""
        return msgspec.structs.replace(self, inner=self.inner.scaled(millionths))

    def _inner_features(self, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        return (*features[: self.sequence], *features[self.sequence + 1 :], self.told)


@dataclass(frozen=True, slots=True, eq=False)
class FusedScorer:
    """A fused model made ready for scoring: see ``contract.Scorer``."""

    sequence: int
    network: NetworkScorer
    inner: Scorer

    @property
    def reference(self) -> int:
        """What the average customer scores."""
        return self.inner.reference

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of the inner model, in the order of the features."""
        return tuple(_in_place(self.inner.terms, self.sequence))

    def deltas(self, found: Sequence[Value]) -> list[int]:
        """One delta a feature."""
        told = self.network.log_odds([found[self.sequence]])[0]
        return _in_place(self.inner.deltas([*_without(found, self.sequence), told]), self.sequence)

    def prepared(self, columns: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """The other columns as the inner model has them, the sequence as texts."""
        texts = columns[self.sequence]
        ready = self.inner.prepared([*_without(columns, self.sequence), np.zeros(len(texts))])
        return _in_place([*ready[:-1], texts], self.sequence)

    def deltas_of_rows(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        """(features, rows): what every feature did."""
        told = np.array(self.network.log_odds(ready[self.sequence].tolist()))
        deltas = self.inner.deltas_of_rows([*_without(ready, self.sequence), told])
        return np.insert(deltas[:-1], self.sequence, deltas[-1], axis=0)

    def prefix_deltas(self, found: Sequence[Value], place: int) -> list[int]:
        """What the row scores against the average customer, had the sequence ended after 0, 1, 2.. events."""
        assert place == self.sequence, "only a sequence has prefixes"
        others = _without(found, place)
        running = self.network.prefix_deltas([found[place]], 0)
        said = [(delta + self.network.reference) / MILLION for delta in running]
        return [sum(self.inner.deltas([*others, told])) for told in said]


def _without(values: Sequence[Any], place: int) -> list[Any]:
    return [value for at, value in enumerate(values) if at != place]


def _in_place(values: Sequence[Any], place: int) -> list[Any]:
    """The last of the values put where the sequence stands among the features."""
    return [*values[:place], values[-1], *values[place:-1]]
