"""Curves: AUC and its differences as lines, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin import scoring
from shouxin.entrypoints.bench.lines import Line, UnableToBench
from shouxin.entrypoints.bench.sizes import Sizes
from shouxin.scoring.domain.metrics import delong

Floats = npt.NDArray[np.float64]


def auc_lines(y: Floats, told: Mapping[str, Floats], *, notes: Mapping[str, str]) -> list[Line]:
    """One line a model: AUC with DeLong's interval."""
    lines = []
    for name, risk in told.items():
        area = delong(y, risk)
        lines.append(Line(name, area.value, "AUC", note=notes.get(name, ""), low=area.low, high=area.high))
    return lines


def difference_line(
    name: str, y: Floats, mine: Floats, other: Floats, *, goal: float | None = None, note: str = ""
) -> Line:
    """AUC of one less that of another on the same rows; ``goal`` is for the low end of the interval."""
    found = scoring.auc_difference(y, mine, other)
    told = f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f}){note}"
    ours = found.low if goal is not None else found.value
    return Line(
        name, ours, "AUC", goal=goal, keeps=">=", note=told, low=found.low, high=found.high,
    )  # fmt: skip


def scored(artefact: scoring.Artefact, columns: Mapping[str, npt.NDArray[Any]]) -> Floats:
    """Log-odds of every row."""
    return scoring.score_columns(artefact, columns).log_odds.astype(np.float64)


def set_folder(sizes: Sizes, name: str) -> Path:
    """The folder of a public set. Raises UnableToBench."""
    if sizes.data is None:
        raise UnableToBench(f"say where the public set {name} lies: --data DIR, with DIR/{name} in it")
    folder = sizes.data / name
    if not folder.is_dir():
        raise UnableToBench(f"the public set {name} is not at {folder}")
    return folder
