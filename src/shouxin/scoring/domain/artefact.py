"""The artefact: a model as one JSON document of lookup tables, named by the hash of its content.

Every table entry is a whole number of *millionths of a log-odd*, so a score is a sum of integers and
comes out the same in Python, in NumPy and in SQL. A positive entry makes the event more likely.

Slots. A table has one entry a slot. A numeric feature has ``len(edges) + 1`` slots (slot ``k`` holds
``edges[k-1] <= value < edges[k]``), then one for missing, then one for each special value. A category
feature has one slot a group of categories, then missing, then unseen. A table of two features is flat,
row by row; its numeric axes use ``pair_edges``, which are coarser.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import msgspec

from shouxin.kernel import Bilingual, canonical_json, content_hash

MILLION = 1_000_000
# Beyond this a table is broken: e^1000 is no odds that any data could show.
_ENTRY_MAX = 1_000 * MILLION


class UnableToReadArtefact(ValueError):
    """The document is not an artefact of this format, or is not the one its hash names."""


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points: ``points`` at ``odds`` (non-events an event), and ``pdo`` more double the odds.

    ``offset`` and ``factor`` are the same in millionths (of a point, of a point a log-odd), stored so
    that every reader rounds alike.
    """

    points: int
    odds: int
    pdo: int
    offset: int
    factor: int

    @classmethod
    def of(cls, points: int, odds: int, pdo: int) -> Scaling:
        """The scaling with this anchor (Siddiqi 2006: score = offset - factor * log-odds of the event)."""
        factor = pdo / math.log(2)
        offset = points - factor * math.log(odds)
        return cls(points, odds, pdo, round(offset * MILLION), round(factor * MILLION))

    def points_at(self, log_odds: int) -> int:
        """Whole points at ``log_odds`` (millionths), halves rounded up; integer arithmetic only."""
        return (self.offset * MILLION - self.factor * log_odds + MILLION**2 // 2) // MILLION**2


SCALINGS: Mapping[str, Scaling] = {
    "600@50:1/20": Scaling.of(600, 50, 20),
    "600@1:19/50": Scaling.of(600, 19, 50),  # written as events to non-events, as it is in China
    "750@35:1/60": Scaling.of(750, 35, 60),
}


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input: how its value finds a slot, and what the training rows looked like.

    ``direction`` is 1 where more is riskier, -1 where more is safer, 0 where nothing was declared.
    ``unseen`` is the group that a category never met in training falls into; None is neutral.
    ``rows`` counts the training rows of each slot; ``typical`` is the median of the known values.
    """

    name: str
    type: Literal["numeric", "category"]
    rows: tuple[int, ...]
    edges: tuple[float, ...] = ()
    pair_edges: tuple[float, ...] = ()
    special: tuple[float, ...] = ()
    categories: tuple[tuple[str, ...], ...] = ()
    unseen: int | None = None
    direction: Literal[-1, 0, 1] = 0
    typical: float | None = None
    meaning: dict[str, str] | None = None

    @property
    def regular(self) -> int:
        """How many slots hold ordinary values; the next one holds missing."""
        return len(self.edges) + 1 if self.type == "numeric" else len(self.categories)

    @property
    def slots(self) -> int:
        """How many slots a table of this feature alone has."""
        return self.regular + 1 + (len(self.special) if self.type == "numeric" else 1)

    @property
    def pair_slots(self) -> int:
        """How many slots this feature has in a table of two."""
        return self.slots if self.type == "category" else len(self.pair_edges) + 2 + len(self.special)

    @property
    def label(self) -> Bilingual:
        """What people call this feature; its name where nothing better is known."""
        return Bilingual(**self.meaning) if self.meaning else Bilingual(self.name, self.name)


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table, of one feature or of two. ``reference`` is its mean over the training rows."""

    features: tuple[int, ...]
    scores: tuple[int, ...]
    reference: int


class Trained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the model comes from; ``period`` is the first and last instant of the rows, as told."""

    rows: int
    events: int
    seed: int
    tools: dict[str, str]
    period: tuple[str, str] | None = None


class Artefact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True, eq=False):
    """A model that scores. Two artefacts with the same hash are the same model."""

    format: Literal[1]
    model: Literal["scorecard", "ebm"]
    outcome: str
    features: tuple[Feature, ...]
    terms: tuple[Term, ...]
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
    if not artefact.features or not artefact.terms:
        return "it has no features or no terms - at `$`"
    if len(set(artefact.names)) < len(artefact.names):
        return "two features share a name - at `$.features`"
    scaling = artefact.scaling
    if (
        scaling.pdo <= 0
        or scaling.odds <= 0
        or scaling != Scaling.of(scaling.points, scaling.odds, scaling.pdo)
    ):
        return "offset and factor do not follow from points, odds and pdo - at `$.scaling`"
    if abs(artefact.intercept) > _ENTRY_MAX:
        return "it is out of range - at `$.intercept`"
    for index, feature in enumerate(artefact.features):
        if problem := _feature_problem(feature):
            return f"{problem} - at `$.features[{index}]`"
    for index, term in enumerate(artefact.terms):
        if problem := _term_problem(artefact, term):
            return f"{problem} - at `$.terms[{index}]`"
    tables = [term.features for term in artefact.terms]
    return "two terms have the same features - at `$.terms`" if len(set(tables)) < len(tables) else None


def _feature_problem(feature: Feature) -> str | None:
    numbers = (*feature.edges, *feature.pair_edges, *feature.special)
    if not all(map(math.isfinite, numbers)):
        return "edges and special values are finite"
    if any(a >= b for edges in (feature.edges, feature.pair_edges) for a, b in pairwise(edges)):
        return "edges do not rise"
    if len(set(feature.special)) < len(feature.special):
        return "a special value is named twice"
    known = [category for group in feature.categories for category in group]
    if len(set(known)) < len(known):
        return "a category is in two groups"
    if feature.type == "category" and (numbers or not feature.categories):
        return "a category feature has categories, and no edges or special values"
    if feature.type == "numeric" and (known or feature.unseen is not None):
        return "a numeric feature has no categories"
    if feature.unseen is not None and not 0 <= feature.unseen < len(feature.categories):
        return "unseen names no group"
    if len(feature.rows) != feature.slots or min(feature.rows) < 0:
        return f"rows has {len(feature.rows)} counts for {feature.slots} slots"
    if feature.meaning is not None and not (
        set(feature.meaning) == {"zh", "en"} and all(feature.meaning.values())
    ):
        return "meaning has a text in zh and in en"
    return None


def _term_problem(artefact: Artefact, term: Term) -> str | None:
    if len(term.features) not in {1, 2} or len(set(term.features)) < len(term.features):
        return "a term has one feature or two"
    if not all(0 <= index < len(artefact.features) for index in term.features):
        return "a term names a feature that is not there"
    features = [artefact.features[index] for index in term.features]
    expected = features[0].slots if len(features) == 1 else features[0].pair_slots * features[1].pair_slots
    if len(term.scores) != expected:
        return f"the table has {len(term.scores)} entries for {expected} slots"
    if max(map(abs, (*term.scores, term.reference))) > _ENTRY_MAX:
        return "an entry is out of range"
    return None
