"""Drift: has the population, or the score, moved away from what the model was developed on?

Bins are fixed when a model is developed and kept with it (``Baseline``); later rows are counted into the same
bins. The distance is the population stability index, ``sum((q - p) ln(q / p))``; of a feature it is called
the characteristic stability index. A PSI of two samples of one population is not zero: about ``(1/n + 1/m)``
times a chi-squared of (bins - 1) degrees of freedom (Yurdakul and Naranjo 2020). So a PSI counts only where
it is more than chance, and a sample that is too small to tell says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.inputs import Floats, Ints, column_of, prepared

WATCH, ACT = 0.10, 0.25
_BINS = 10
# A distance that chance alone exceeds once in a hundred times is told as drift.
_CHANCE = 0.01
# Stands in for an empty cell, so that one row can not make the index endless.
_EMPTY = 0.5


class Verdict(StrEnum):
    """What a measurement of the monitor says."""

    STABLE = "stable"
    WATCH = "watch"
    ACT = "act"
    TOO_FEW = "too_few"


VERDICT_WORDS: Mapping[Verdict, Bilingual] = {
    Verdict.STABLE: Bilingual("稳定", "Stable"),
    Verdict.WATCH: Bilingual("关注", "Watch"),
    Verdict.ACT: Bilingual("需处理", "Act"),
    Verdict.TOO_FEW: Bilingual("样本不足", "Too few rows"),
}


class Bins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fixed bins of one feature, or of the score, and the development rows in each.

    Numbers: ``len(edges) + 1`` bins (bin ``k`` holds ``edges[k-1] <= value < edges[k]``), then missing.
    Categories: the slots of the artefact's feature.
    """

    name: str
    rows: tuple[int, ...]
    edges: tuple[float, ...] | None = None


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the development rows looked like, in bins that stay as they are."""

    score: Bins
    features: tuple[Bins, ...]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Baseline:
        """Read what ``as_data`` wrote into a report."""
        return msgspec.convert(data, cls)

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data


@dataclass(frozen=True, slots=True)
class Shift:
    """The distance of one feature, or of the score, from the baseline.

    ``critical`` is the index that chance alone exceeds once in a hundred times with these numbers of rows.
    """

    name: str
    psi: float
    critical: float
    rows: int
    verdict: Verdict
    shares: tuple[tuple[float, float], ...]

    def as_data(self) -> dict[str, Any]:
        """Plain JSON; ``shares`` are (then, now) a bin."""
        return {
            "name": self.name,
            "psi": round(self.psi, 6),
            "critical": round(self.critical, 6),
            "rows": self.rows,
            "verdict": self.verdict.value,
            "shares": [[round(then, 6), round(now, 6)] for then, now in self.shares],
        }


def baseline_of(artefact: Artefact, columns: Mapping[str, npt.NDArray[Any]], pd: Floats) -> Baseline:
    """The baseline of a model from the rows that it was developed on; ``pd`` is what it says of them."""
    features = tuple(
        bins_of(feature.name, columns[feature.name])
        if feature.type == "numeric"
        else Bins(feature.name, tuple(_category_counts(artefact, index, columns[feature.name]).tolist()))
        for index, feature in enumerate(artefact.features)
    )
    return Baseline(bins_of("score", pd), features)


def shifts(
    artefact: Artefact, baseline: Baseline, columns: Mapping[str, npt.NDArray[Any]], pd: Floats
) -> list[Shift]:
    """How far the score (first) and every feature of the baseline have moved in the rows given."""
    places = {feature.name: index for index, feature in enumerate(artefact.features)}
    found = [shift(baseline.score, counted(pd, baseline.score.edges or ()))]
    for bins in baseline.features:
        if bins.edges is None:
            found.append(shift(bins, _category_counts(artefact, places[bins.name], columns[bins.name])))
        else:
            found.append(shift(bins, counted(columns[bins.name], bins.edges)))
    return found


def counted(values: npt.ArrayLike, edges: Sequence[float]) -> Ints:
    """Rows in each bin of a number, the missing ones last."""
    numbers = np.asarray(values, dtype=np.float64)
    # To count what reaches each edge is five times as quick as to find every row's place.
    reached = [np.count_nonzero(numbers >= edge) for edge in edges]
    missing = np.count_nonzero(np.isnan(numbers))
    at_least = np.array([len(numbers) - missing, *reached, 0], dtype=np.int64)
    return np.append(at_least[:-1] - at_least[1:], missing)


def shift(bins: Bins, rows: Ints) -> Shift:
    """The distance between the development rows of ``bins`` and ``rows`` in the same bins."""
    then, now = np.asarray(bins.rows, dtype=np.float64), rows.astype(np.float64)
    n, m = float(then.sum()), float(now.sum())
    used = int(((then + now) > 0).sum())
    if not n or not m or used < 2:
        return Shift(bins.name, 0.0, 0.0, int(m), Verdict.STABLE if m else Verdict.TOO_FEW, ())
    index = psi(then, now)
    critical = (1 / n + 1 / m) * _chi_squared(used - 1)
    shares = tuple(zip((then / n).tolist(), (now / m).tolist(), strict=True))
    return Shift(bins.name, index, critical, int(m), _verdict(index, critical), shares)


def psi(then: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """The population stability index of two rows of counts; a bin that is empty on both sides is left out."""
    before, after = np.asarray(then, dtype=np.float64), np.asarray(now, dtype=np.float64)
    used = (before + after) > 0
    p = np.where(before[used] > 0, before[used], _EMPTY) / before.sum()
    q = np.where(after[used] > 0, after[used], _EMPTY) / after.sum()
    return float(((q - p) * np.log(q / p)).sum())


def _verdict(index: float, critical: float) -> Verdict:
    if index < WATCH:
        # A sample that could not have shown a shift worth watching has not shown that there is none.
        return Verdict.TOO_FEW if critical > ACT else Verdict.STABLE
    if index <= critical:
        return Verdict.TOO_FEW
    return Verdict.ACT if index >= ACT else Verdict.WATCH


def _chi_squared(degrees: int) -> float:
    """The value that a chi-squared exceeds with the probability ``_CHANCE``."""
    from scipy.special import chdtri

    return float(chdtri(degrees, _CHANCE))


def bins_of(name: str, values: npt.ArrayLike) -> Bins:
    """At most ten bins of about equally many rows, and the rows in each."""
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    cuts = np.quantile(known, np.arange(1, _BINS) / _BINS) if len(known) else np.empty(0)
    lowest = known.min() if len(known) else 0.0
    edges = tuple(edge for edge in np.unique(cuts).tolist() if edge > lowest)
    return Bins(name, tuple(counted(numbers, edges).tolist()), edges)


def _category_counts(artefact: Artefact, index: int, values: npt.NDArray[Any]) -> Ints:
    feature = artefact.features[index]
    slots = prepared(column_of(feature), values)
    return np.bincount(slots, minlength=feature.slots).astype(np.int64)
