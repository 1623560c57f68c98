"""Splitting: which rows are held out, so that the figures are about rows the model never saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which rows train and which are held out; a row may be in neither. ``kind`` says how.

    ``window`` are rows between the two that probabilities are made true on, where that was asked for.
    """

    training: Mask
    holdout: Mask
    kind: str
    window: Mask | None = None

    def as_data(self) -> dict[str, Any]:
        """Counts for the report."""
        training, holdout = int(self.training.sum()), int(self.holdout.sum())
        window = {} if self.window is None else {"calibration": int(self.window.sum())}
        left_out = len(self.training) - training - holdout - sum(window.values())
        return {"kind": self.kind, "training": training, **window, "holdout": holdout, "left_out": left_out}


def split_rows(
    y: npt.NDArray[np.int64],
    *,
    share: float,
    seed: int,
    times: npt.NDArray[np.float64] | None = None,
    groups: npt.NDArray[np.int64] | None = None,
) -> Split:
    """Hold out ``share`` of the rows: the latest where ``times`` are known, whole ``groups`` where named.

    Rows of the same instant stay together. A group on both sides of the cut goes to one side by lot and
    loses its other rows, so that nobody is both learnt from and tested on.
    """
    rng = np.random.default_rng(seed)
    if times is not None:
        late = times > _cut(times, share)
        if groups is None:
            return Split(~late, late, "the latest rows are held out")
        chosen = _lot(groups, share, rng)
        straddling = _has(groups, late) & _has(groups, ~late)
        return Split(
            ~late & ~(straddling & chosen),
            late & ~(straddling & ~chosen),
            "the latest rows, groups kept apart",
        )
    if groups is not None:
        chosen = _lot(groups, share, rng)
        return Split(~chosen, chosen, "whole groups are held out")
    held = np.zeros(len(y), dtype=np.bool_)
    for outcome in (0, 1):
        rows = rng.permutation(np.flatnonzero(y == outcome))
        held[rows[: round(share * len(rows))]] = True
    return Split(~held, held, "a random share, stratified by outcome")


def folds(
    y: npt.NDArray[np.int64], *, count: int, seed: int, groups: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]:
    """A fold number for every row, stratified by outcome; rows of one group share a fold."""
    rng = np.random.default_rng(seed)
    # A group counts as an event when any of its rows is one.
    names, members = (np.arange(len(y)), np.arange(len(y))) if groups is None else _unique(groups)
    event = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(event, members, y)
    fold = np.empty(len(names), dtype=np.int64)
    for outcome in (0, 1):
        rows = rng.permutation(np.flatnonzero(event == outcome))
        fold[rows] = np.arange(len(rows)) % count
    return fold[members]


def _unique(groups: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    names, members = np.unique(groups, return_inverse=True)
    return names, members.astype(np.int64)


def _cut(times: npt.NDArray[np.float64], share: float) -> float:
    """The last instant that trains; what is later is held out."""
    ordered = np.sort(times)
    cut = ordered[min(len(ordered) - 1, int((1 - share) * len(ordered)))]
    earlier = ordered[ordered < cut]
    # With few instants the cut may be the last of all; then it is the last instant that is held out.
    return float(earlier[-1]) if len(earlier) else float(cut)


def _lot(groups: npt.NDArray[np.int64], share: float, rng: np.random.Generator) -> Mask:
    """Rows of groups drawn until they hold ``share`` of the rows."""
    names, counts = np.unique(groups, return_counts=True)
    order = rng.permutation(len(names))
    reached = np.cumsum(counts[order]) - counts[order] / 2
    drawn = names[order[reached <= share * len(groups)]]
    return np.isin(groups, drawn)


def _has(groups: npt.NDArray[np.int64], where: Mask) -> Mask:
    return np.isin(groups, groups[where])
