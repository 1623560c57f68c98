"""Mistakes: the most confident wrong ones with what misled the model, and where all of them come from.

Backtracking asks two things of each wrong answer: which features spoke for it, and what sort of row it was. A
feature that misled is not a bad feature; it is the place where somebody should look for what is not told yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.columns import ScoredColumns
from shouxin.scoring.domain.metrics import Floats
from shouxin.scoring.domain.scaling import MILLION

MISLEADING_MAX = 4
_CLIP = 1e-9


@dataclass(frozen=True, slots=True)
class Misleading:
    """A feature that spoke for the wrong answer: its value, and by how many log-odds it did."""

    feature: str
    meaning: Bilingual
    value: float | str | None
    log_odds: float

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        value = None if self.value is None or self.value != self.value else self.value
        return {
            "feature": self.feature,
            "meaning": self.meaning.as_data(),
            "value": value,
            "log_odds": round(self.log_odds, 4),
        }


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row that the model was sure of and wrong about; ``surprise`` is its log loss."""

    row: str
    event: int
    pd: float
    surprise: float
    misled_by: tuple[Misleading, ...]

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "row": self.row,
            "event": self.event,
            "pd": round(self.pd, 6),
            "surprise": round(self.surprise, 4),
            "misled_by": [item.as_data() for item in self.misled_by],
        }


@dataclass(frozen=True, slots=True)
class ErrorSource:
    """What a feature does to the rows judged wrongly, against those of the same outcome judged rightly.

    ``pull`` is the difference of its mean contribution in log-odds, towards the wrong answer when above zero;
    ``leads`` is in how many of the wrong rows no other feature spoke louder for the wrong answer.
    """

    feature: str
    pull: float
    leads: int

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"feature": self.feature, "pull": round(self.pull, 4), "leads": self.leads}


@dataclass(frozen=True, slots=True)
class ErrorSources:
    """Where the mistakes of one kind come from.

    ``missing_wrong`` and ``missing_right`` are the mean shares of features that were missing among the rows
    judged wrongly and rightly.
    """

    kind: str
    rows: int
    of: int
    missing_wrong: float
    missing_right: float
    features: tuple[ErrorSource, ...]

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "kind": self.kind,
            "rows": self.rows,
            "of": self.of,
            "missing_wrong": round(self.missing_wrong, 4),
            "missing_right": round(self.missing_right, 4),
            "features": [item.as_data() for item in self.features],
        }


def worst_mistakes(
    scored: ScoredColumns,
    columns: Mapping[str, npt.NDArray[Any]],
    y: Floats,
    *,
    names: Sequence[str],
    meanings: Mapping[str, Bilingual],
    limit: int = 20,
) -> tuple[Mistake, ...]:
    """The rows with the largest log loss on the wrong side of one half or of the mean risk, worst first.

    ``names`` say which row it is.
    """
    risk = np.clip(scored.pd, _CLIP, 1 - _CLIP)
    surprise = -np.where(y == 1, np.log(risk), np.log1p(-risk))
    middle = min(0.5, float(y.mean()))
    wrong = np.where(y == 1, scored.pd < middle, scored.pd > middle)
    order = np.argsort(-np.where(wrong, surprise, -1.0), kind="stable")[: min(limit, int(wrong.sum()))]
    return tuple(
        Mistake(
            str(names[row]),
            int(y[row]),
            float(scored.pd[row]),
            float(surprise[row]),
            _misled_by(scored, columns, meanings, row=int(row), sign=1 if y[row] == 0 else -1),
        )
        for row in order
    )


def error_sources(
    scored: ScoredColumns, columns: Mapping[str, npt.NDArray[Any]], y: Floats, *, cut_off: float
) -> tuple[ErrorSources, ...]:
    """Of events let through and of non-events turned away: what made them so."""
    called = scored.pd >= cut_off
    missing = np.mean([_is_missing(columns[name]) for name in scored.names], axis=0)
    found = []
    for kind, outcome, sign in (("event let through", 1, -1), ("non-event turned away", 0, 1)):
        wrong = (y == outcome) & (called == (outcome == 0))
        right = (y == outcome) & ~wrong
        if not wrong.any() or not right.any():
            continue
        towards = scored.contributions[wrong].astype(np.float64) * sign
        pull = towards.mean(axis=0) - scored.contributions[right].mean(axis=0) * sign
        leads = np.bincount(towards.argmax(axis=1), minlength=len(scored.names))
        sources = [
            ErrorSource(name, float(pull[i]) / MILLION, int(leads[i])) for i, name in enumerate(scored.names)
        ]
        found.append(
            ErrorSources(
                kind,
                int(wrong.sum()),
                int((y == outcome).sum()),
                float(missing[wrong].mean()),
                float(missing[right].mean()),
                tuple(sorted(sources, key=lambda item: -item.pull)),
            )
        )
    return tuple(found)


def _misled_by(
    scored: ScoredColumns,
    columns: Mapping[str, npt.NDArray[Any]],
    meanings: Mapping[str, Bilingual],
    *,
    row: int,
    sign: int,
) -> tuple[Misleading, ...]:
    towards = scored.contributions[row].astype(np.int64) * sign
    order = [int(i) for i in np.argsort(-towards, kind="stable")[:MISLEADING_MAX] if towards[i] > 0]
    names = [scored.names[i] for i in order]
    return tuple(
        Misleading(
            name,
            meanings.get(name, Bilingual(name, name)),
            _plain(columns[name][row]),
            float(scored.contributions[row][i]) / MILLION,
        )
        for i, name in zip(order, names, strict=True)
    )


def _is_missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if values.dtype.kind in "fiub":
        return np.isnan(values.astype(np.float64))
    return np.array([value is None or value != value for value in values.tolist()])  # noqa: PLR0124


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
