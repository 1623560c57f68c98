"""Stress: the same rows with noise, with gaps, or without one source. Randomness is an argument."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.noise import noisy
from shouxin.scoring.domain.table import known

Columns = Mapping[str, npt.NDArray[Any]]


def with_noise(
    artefact: Artefact, columns: Columns, *, level: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Every number moved by ``level`` spreads (bell-shaped), every category swapped with that chance.

    What is missing or special stays so; whole numbers stay whole, and nothing leaves the range that was seen.
    """
    return {
        feature.name: _noisy(feature, columns[feature.name], level=level, rng=rng)
        for feature in artefact.features
    }


def with_gaps(
    artefact: Artefact, columns: Columns, *, share: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Every value lost with the chance ``share``, whatever it is (missing completely at random)."""
    return {name: _without(columns[name], rng.random(len(columns[name])) < share) for name in artefact.names}


def without(artefact: Artefact, columns: Columns, lost: Collection[str]) -> dict[str, Any]:
    """The columns of ``lost`` empty: the source that tells them is silent."""
    everywhere = np.ones(len(next(iter(columns.values()))), dtype=np.bool_)
    return {
        name: _without(columns[name], everywhere) if name in lost else columns[name]
        for name in artefact.names
    }


def sources_of(artefact: Artefact) -> dict[str, tuple[str, ...]]:
    """What is lost together: the features of a topic; each alone where no topic was told."""
    found: dict[str, tuple[str, ...]] = {}
    for feature in artefact.features:
        source = feature.topic if isinstance(feature.topic, str) else feature.name
        found[source] = (*found.get(source, ()), feature.name)
    return found


def _noisy(feature: Feature, values: npt.NDArray[Any], *, level: float, rng: np.random.Generator) -> Any:
    if feature.type == "category":
        there = np.flatnonzero(known(values))
        moved = values.copy()
        swapped = there[rng.random(len(there)) < level]
        moved[swapped] = rng.permutation(values[there])[: len(swapped)]
        return moved
    numbers = np.asarray(values, dtype=np.float64)
    usual = np.isfinite(numbers) & ~np.isin(numbers, feature.special)
    if not usual.any():
        return numbers
    moved = numbers.copy()
    moved[usual] = noisy(numbers[usual], level=level, rng=rng)
    return moved


def _without(values: npt.NDArray[Any], lost: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    if values.dtype.kind in "OUS":
        emptied = values.astype(object)
        emptied[lost] = None
        return emptied
    return np.where(lost, np.nan, np.asarray(values, dtype=np.float64))
