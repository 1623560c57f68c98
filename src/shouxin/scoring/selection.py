"""Selection: what every column of a table is worth as a feature, and why each is kept or left out.

The report says more than it decides: F, mutual information and importance are there to be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.features.sequences.domain import RECENT_EVENTS
from shouxin.scoring.domain.table import Table, as_text
from shouxin.scoring.training.preparation import Variable, check_counts, outcomes, variables
from shouxin.scoring.training.selecting import judged, months_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def select_features(
    table: Table, *, target: str, time_column: str | None = None, seed: int = 7
) -> list[dict[str, Any]]:
    """One entry a column, the strongest first; ``dropped`` says why, None where it is kept.

    ``f`` is the one-way F of a number between events and non-events (of the outcome between the groups of a
    category), ``mutual_information`` is in nats over the bins, ``importance`` the share of the gain of
    boosted trees, ``months`` the IV and PSI of each month on the bins of all. Raises UnableToTrain,
    UnableToFindColumn.
    """
    y, known = outcomes(table.column(target), name=target)
    rows, y = table.rows(known), y[known]
    check_counts(y, where="rows")
    apart = {table.name(name) for name in (target, time_column) if name}
    columns = {name: values for name, values in rows.columns.items() if name not in apart}
    kept, useless = variables(columns, layouts=(RECENT_EVENTS.layout,))
    months = months_of(rows.column(time_column), name=time_column) if time_column else None
    importance = _importance([variable for variable in kept if variable.layout is None], y, seed=seed)
    found = [
        told
        | {"importance": importance.get(told["name"])}
        | {"dropped": None if verdict is None else verdict.sentence}
        for told, verdict in judged(kept, y, months, seed=seed)
    ]
    return found + [{"name": name, "dropped": reason} for name, reason in useless.items()]


def _importance(kept: Sequence[Variable], y: Ints, *, seed: int) -> dict[str, float]:
    """Each variable's share of what boosted trees gain."""
    import lightgbm

    def codes(variable: Variable) -> Floats:
        if variable.numeric:
            return variable.values
        texts = as_text(variable.values)
        order = {text: place for place, text in enumerate(sorted({t for t in texts if t is not None}))}
        return np.array([np.nan if text is None else order[text] for text in texts], dtype=np.float64)

    matrix = np.column_stack([codes(variable) for variable in kept])
    options = {
        "objective": "binary",
        "num_leaves": 15,
        "learning_rate": 0.05,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    gains = lightgbm.train(options, lightgbm.Dataset(matrix, y), 100).feature_importance("gain")
    total = float(gains.sum()) or 1.0
    return {v.name: round(float(gain) / total, 4) for v, gain in zip(kept, gains, strict=True)}
