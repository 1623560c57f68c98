"""What training hands over, or says when it can not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.features.sequences.domain import RECENT_EVENTS, SequenceLayout
from shouxin.kernel import Bilingual
from shouxin.scoring.domain.artefact import Artefact


class UnableToTrain(ValueError):
    """The data can not give a model; the message says why and what would mend it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train: the family, what is known of the columns, and the seed.

    ``topics``: what each column is about.
    ``directions``: 1 where more is riskier, -1 where more is safer, "peak", "valley". ``edges``: somebody's
    own bins of a column, ``periods``: the period of every row, in each of which bins keep their ranking.
    ``keep``: why a column that tells the outcome by itself may stay. ``period``: first and last instant of
    the rows, as told.
    ``groups``: whose row each is; rows of one group are never on both sides of a check. ``months``
    numbers the month of every row, for the stability that is told; ``tells_folds`` asks for the selection of
    each fold where the learner does without folds. ``settings`` of
    the family, where they are not its defaults. ``trials`` settings are tried where that is above zero,
    each written down in ``journal``, from which an interrupted search goes on. ``layouts``: how columns of
    sequences may be written.
    """

    model: str = "scorecard"
    outcome: str = "event"
    special: Sequence[float] = ()
    directions: Mapping[str, Any] = field(default_factory=dict)
    edges: Mapping[str, Sequence[float]] = field(default_factory=dict)
    periods: npt.NDArray[np.int64] | None = None
    meanings: Mapping[str, Bilingual] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    scaling: str = "600@50:1/20"
    period: tuple[str, str] | None = None
    seed: int = 7
    groups: npt.NDArray[np.int64] | None = None
    months: npt.NDArray[np.int64] | None = None
    tells_folds: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    trials: int = 0
    journal: Path | None = None
    layouts: Sequence[SequenceLayout] = (RECENT_EVENTS.layout,)


@dataclass(frozen=True, slots=True, eq=False)
class Holdout:
    """The rows that were held out (places in the table, from 0), what happened and what was predicted."""

    rows: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]
    pd: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The model that scores, and everything worth knowing about how it came to be (plain JSON)."""

    artefact: Artefact
    report: dict[str, Any]
    holdout: Holdout | None = None
