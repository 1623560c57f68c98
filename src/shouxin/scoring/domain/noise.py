"""Noise: what a usual difference between two customers is, and numbers moved by a share of it."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from shouxin.scoring.domain.inputs import Floats

# The distance between the tenth and the ninetieth percentile of a bell curve, in standard deviations.
_BELL = 2.563


def spread_of(values: Floats, special: Collection[float] = ()) -> float:
    """What a usual difference between two customers is: robust, and 0 for a constant."""
    found = values[np.isfinite(values) & ~np.isin(values, list(special))]
    if not len(found):
        return 0.0
    low, high = np.percentile(found, (10, 90))
    return float(high - low) / _BELL or float(found.std())


def noisy(numbers: Floats, *, level: float, rng: np.random.Generator) -> Floats:
    """Finite numbers moved by ``level`` spreads (bell-shaped).

    Where all are whole they stay whole, and none leaves the range.
    """
    drawn = numbers + rng.normal(0, level * spread_of(numbers), len(numbers))
    if (numbers == np.round(numbers)).all():
        drawn = np.round(drawn)
    return np.clip(drawn, numbers.min(), numbers.max())
