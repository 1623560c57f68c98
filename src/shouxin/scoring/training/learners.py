"""Learners: the models that can be trained, each behind the same contract.

A learner takes a ``Task`` and gives a ``Fitted``; what it may be told is its ``settings``, each with the
default first. A new model is one more row of ``LEARNERS`` in ``fitting``; nothing else names a learner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.families import Body
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.training.preparation import Variable

Ints = npt.NDArray[np.int64]
Setting = Any


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is to be learnt: the columns kept, the outcome of every row (0, 1), and how.

    ``groups`` says whose row each is: rows of one group are never on both sides of an inner check.
    ``settings`` has every setting of the learner. ``months`` numbers the month of
    every row, where it is known.
    """

    kept: Sequence[Variable]
    y: Ints
    seed: int
    settings: Mapping[str, Setting]
    groups: Ints | None = None
    months: Ints | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a learner hands over to become an artefact; ``intercept`` is in millionths of a log-odd.

    ``selection`` is what each fold found of the variables, where it was cross-fitted.
    """

    features: tuple[Feature, ...]
    body: Body
    intercept: int
    variables: list[dict[str, Any]]
    dropped: dict[str, str]
    notes: list[str]
    selection: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Learner:
    """One kind of model. ``space`` names what may be tuned and the values worth trying, the default first.

    ``tools`` are the distributions whose versions go into the artefact; ``extra`` is what has to be
    installed beside Shouxin (``pip install 'shouxin[extra]'``), where it needs more than the base. One that
    ``stops_itself`` by rows kept aside owes little to luck; the others are cross-fitted on few events.
    ``apart`` has the log-odds (millionths) of every row from such a learner, run again without its customer.
    ``reads`` are the types of feature that it can learn from. One that ``bins`` has the bins of a
    variable for its table: only there own edges, periods and a declared peak or valley are kept.
    """

    name: str
    meaning: Bilingual
    fit: Callable[[Task], Fitted]
    tools: tuple[str, ...]
    space: Mapping[str, Sequence[Setting]] = field(default_factory=dict)
    extra: str | None = None
    stops_itself: bool = False
    apart: Callable[[Task, Fitted], npt.NDArray[np.float64]] | None = None
    reads: frozenset[str] = frozenset({"numeric", "category"})
    bins: bool = False

    @property
    def defaults(self) -> dict[str, Setting]:
        """The settings that a learner is trained with where nothing else is said."""
        return {name: values[0] for name, values in self.space.items()}
