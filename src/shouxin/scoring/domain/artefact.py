"""The artefact: a model as one JSON document, named by the hash of its content.

The head is the same for every model: what is predicted, which features are read, how points are made,
where it was trained. The body is its family's (``families``). Every number that is added up is a whole number
of *millionths of a log-odd*, so a score is a sum of integers. A positive one makes the event more likely.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Literal

import msgspec

from shouxin.kernel import canonical_json, content_hash
from shouxin.scoring.domain.families import Body
from shouxin.scoring.domain.families.contract import Scorer
from shouxin.scoring.domain.feature import Feature, feature_problem
from shouxin.scoring.domain.scaling import ENTRY_MAX, Scaling


class UnableToReadArtefact(ValueError):
    """The document is not an artefact of this format, or is not the one its hash names."""


class Calibrated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The later window on which probabilities were made true; ``intercept`` and ``slope`` are in log-odds."""

    rows: int
    events: int
    period: tuple[str, str]
    slope: float
    intercept: float


class Trained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the model comes from; ``period`` is the first and last instant of the rows, as told.

    ``calibrated`` is left out of the document of a model that was not calibrated afterwards.
    """

    rows: int
    events: int
    seed: int
    tools: dict[str, str]
    period: tuple[str, str] | None = None
    calibrated: Calibrated | msgspec.UnsetType = msgspec.UNSET


class Artefact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True, eq=False):
    """A model that scores. Two artefacts with the same hash are the same model.

    ``model`` is the learner that trained it, ``body`` what its family keeps; ``intercept`` is in millionths.
    """

    format: Literal[2]
    model: str
    outcome: str
    features: tuple[Feature, ...]
    body: Body
    intercept: int
    scaling: Scaling
    trained: Trained

    @classmethod
    def from_json(cls, document: bytes) -> Artefact:
        """Read what ``to_json`` wrote. Raises UnableToReadArtefact, saying what is wrong and where."""
        try:
            body = json.loads(document)
        except (ValueError, RecursionError) as error:
            raise UnableToReadArtefact(f"the model is not JSON: {error}") from None
        if not isinstance(body, dict):
            raise UnableToReadArtefact("the model is not a JSON object")
        claimed = body.pop("hash", None)
        try:
            artefact = msgspec.convert(body, cls)
            found = content_hash(body)
        except ValueError as error:
            raise UnableToReadArtefact(f"the model is malformed: {error}") from None
        if problem := _problem(artefact):
            raise UnableToReadArtefact(f"the model is malformed: {problem}")
        if claimed != found:
            raise UnableToReadArtefact(f"the model was changed: it names itself {claimed}, but is {found}")
        return artefact

    def to_json(self) -> bytes:
        """The canonical document, with its own hash inside."""
        return canonical_json({**self._body, "hash": self.hash})

    @cached_property
    def hash(self) -> str:
        """``sha256:`` and 64 hex digits over everything that decides a score."""
        return content_hash(self._body)

    @property
    def names(self) -> tuple[str, ...]:
        """The features, in the order of the artefact."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def scorer(self) -> Scorer:
        """The body made ready, once."""
        return self.body.scorer(self.features)

    @property
    def reference(self) -> int:
        """The log-odds (millionths) of the average customer of the training rows."""
        return self.intercept + self.scorer.reference

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Artefact) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = msgspec.to_builtins(self)
        return body


def _problem(artefact: Artefact) -> str | None:
    """What keeps a well-typed document from being a model, or None."""
    if not artefact.model:
        return "it does not say what it is - at `$.model`"
    if not artefact.features:
        return "it has no features - at `$.features`"
    if len(set(artefact.names)) < len(artefact.names):
        return "two features share a name - at `$.features`"
    scaling = artefact.scaling
    if (
        scaling.pdo <= 0
        or scaling.odds <= 0
        or scaling != Scaling.of(scaling.points, scaling.odds, scaling.pdo)
    ):
        return "offset and factor do not follow from points, odds and pdo - at `$.scaling`"
    if abs(artefact.intercept) > ENTRY_MAX:
        return "it is out of range - at `$.intercept`"
    for index, feature in enumerate(artefact.features):
        if problem := feature_problem(feature):
            return f"{problem} - at `$.features[{index}]`"
    return artefact.body.problem(artefact.features)
