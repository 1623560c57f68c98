"""The cut-off at which a probability is called an event, and who chose it: law, it is always stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from shouxin.scoring.domain.metrics import Floats, UnableToEvaluate


@dataclass(frozen=True, slots=True)
class Given:
    """How the cut-off is chosen; at most one is given.

    ``pd``: the cut-off itself. ``approve``: the share of rows to approve. ``cost``: how many times as much an
    event that is let through costs as a non-event that is turned away.
    """

    pd: float | None = None
    approve: float | None = None
    cost: float | None = None

    def __post_init__(self) -> None:
        """Raise UnableToEvaluate for more than one, or one out of its range."""
        told = [name for name in ("pd", "approve", "cost") if getattr(self, name) is not None]
        if len(told) > 1:
            raise UnableToEvaluate(f"a cut-off is chosen in one way, not by {' and by '.join(told)}")
        for name, above in (("pd", 1.0), ("approve", 1.0)):
            value = getattr(self, name)
            if value is not None and not 0 < value < above:
                raise UnableToEvaluate(f"the cut-off's {name} lies between 0 and 1, it is {value:g}")
        if self.cost is not None and self.cost <= 0:
            raise UnableToEvaluate(f"the cost of an event is above 0, it is {self.cost:g}")


@dataclass(frozen=True, slots=True)
class CutOff:
    """Rows with a probability of ``pd`` or more are called events; ``chosen`` says why there."""

    pd: float
    chosen: Literal["given", "approve", "cost", "as many as there are"]

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"pd": round(self.pd, 9), "chosen": self.chosen}


def cut_off_of(y: Floats, risk: Floats, given: Given) -> CutOff:
    """The cut-off for rows with these outcomes and probabilities."""
    if given.pd is not None:
        return CutOff(given.pd, "given")
    if given.cost is not None:
        # Turn away where pd * cost > 1 - pd (Elkan 2001), which holds for probabilities that can be believed.
        return CutOff(1 / (1 + given.cost), "cost")
    share = float(y.mean()) if given.approve is None else 1 - given.approve
    called = max(1, round(share * len(risk)))
    at = float(np.partition(risk, len(risk) - called)[len(risk) - called])
    return CutOff(at, "as many as there are" if given.approve is None else "approve")
