"""Selection: what every column of a table is worth as a feature, and why each is kept or left out.

Reasons by precedence: nothing to learn, a leak, no information, not stable over the months, the twin of a
stronger one. The report says more than it decides: F, mutual information and importance are there to be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.binning import Binning, iv_interval
from shouxin.scoring.domain.partition import woe_of
from shouxin.scoring.domain.table import Array, Table, as_text, is_text
from shouxin.scoring.training.preparation import (
    Variable,
    check_counts,
    instants,
    outcomes,
    separating,
    variables,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

IV_MIN = 0.02
PSI_MAX = 0.25
TWIN_RANK_CORRELATION = 0.8
_SHARE_MIN = 1e-4
_SLICES = 6


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
    kept, useless = variables(columns)
    months = _months(rows.column(time_column), time_column) if time_column else None
    leaks = separating(kept, y)
    binnings = {variable.name: variable.binned(y) for variable in kept}
    twins = _twins(kept, binnings)
    importance = _importance(kept, y, seed=seed)
    found = []
    for variable in kept:
        told = _told(variable, binnings[variable.name], y, months, seed=seed)
        told |= {"importance": importance[variable.name], "twin_of": twins[variable.name]}
        found.append(told | {"dropped": _why(told, leaks.get(variable.name))})
    found.sort(key=lambda told: -told["iv"]["value"])
    return found + [{"name": name, "dropped": reason} for name, reason in useless.items()]


def _told(variable: Variable, binning: Binning, y: Ints, months: Ints | None, *, seed: int) -> dict[str, Any]:
    slots = variable.slots(binning)
    low, high = iv_interval(binning, seed=seed)
    f, p = _f_test(variable, slots, y)
    return {
        "name": variable.name,
        "missing": round(float((slots == _missing(variable, binning)).mean()), 4),
        "iv": {"value": round(binning.iv, 4), "low": round(low, 4), "high": round(high, 4)},
        "f": {"value": round(f, 2), "p": p},
        "mutual_information": round(_mutual_information(binning), 5),
        "months": [] if months is None else _by_month(binning, slots, y, months),
    }


def _why(told: Mapping[str, Any], leak: float | None) -> str | None:
    """The first reason to leave a column out, by precedence."""
    if leak is not None:
        return f"tells the target all by itself (AUC {leak:.3f}): a leak"
    if told["iv"]["value"] < IV_MIN:
        return f"IV {told['iv']['value']:.4f} is below {IV_MIN}"
    worst = max((month["psi"] for month in told["months"]), default=0.0)
    if worst > PSI_MAX:
        return f"PSI {worst:.2f} in a month is above {PSI_MAX}"
    flipped = sum(month["flipped"] for month in told["months"])
    if flipped * 2 > len(told["months"]) > 0:
        return f"points the other way in {flipped} of {len(told['months'])} months"
    return f"ranks rows as {told['twin_of']} does, which is stronger" if told["twin_of"] else None


def _missing(variable: Variable, binning: Binning) -> int:
    return len(binning.edges) + 1 if variable.numeric else len(binning.groups)


def _f_test(variable: Variable, slots: Ints, y: Ints) -> tuple[float, float]:
    """F and its p-value; (0, 1) where there is nothing to compare."""
    from scipy.stats import f_oneway

    if variable.numeric:
        known = ~np.isnan(variable.values) & ~np.isin(variable.values, variable.special)
        groups = [variable.values[known & (y == outcome)] for outcome in (0, 1)]
    else:
        groups = [y[slots == slot].astype(np.float64) for slot in np.unique(slots).tolist()]
    groups = [group for group in groups if len(group) > 1]
    if len(groups) < 2 or all(np.ptp(group) == 0 for group in groups):
        return 0.0, 1.0
    found = f_oneway(*groups)
    return float(found.statistic), float(found.pvalue)


def _mutual_information(binning: Binning) -> float:
    rows, events = np.asarray(binning.rows, dtype=np.float64), np.asarray(binning.events, dtype=np.float64)
    joint = np.stack([events, rows - events]) / rows.sum()
    alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / alone[there])).sum())


def _by_month(binning: Binning, slots: Ints, y: Ints, months: Ints) -> list[dict[str, Any]]:
    """IV and PSI of every month on the bins of all months, and whether the evidence points the other way."""
    overall = np.asarray(binning.rows) / sum(binning.rows)
    woe = np.asarray(binning.woe)
    found = []
    for month in np.unique(months).tolist():
        inside = months == month
        rows = np.bincount(slots[inside], minlength=len(woe))
        events = np.bincount(slots[inside], weights=y[inside], minlength=len(woe)).astype(np.int64)
        totals = (int(events.sum()), int(rows.sum() - events.sum()))
        share = np.maximum(rows / rows.sum(), _SHARE_MIN)
        expected = np.maximum(overall, _SHARE_MIN)
        psi = float(((share - expected) * np.log(share / expected)).sum())
        iv, flipped = None, False
        if min(totals) > 0:
            pull = events / totals[0] - (rows - events) / totals[1]
            iv = round(float((pull * woe_of(rows, events, totals, 10.0))[rows > 0].sum()), 4)
            flipped = float((pull * woe).sum()) < 0
        found.append({"month": month, "rows": int(rows.sum()), "iv": iv, "psi": round(psi, 4),
                      "flipped": flipped})  # fmt: skip
    return found


def _months(values: Array, name: str) -> Ints:
    """The month of every row from the first; a time that is no date is cut into even slices."""
    at, _ = instants(values, name=name)
    if is_text(values):
        month = at.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        return np.asarray(month - month.min(), dtype=np.int64)
    return np.searchsorted(np.quantile(at, np.linspace(0, 1, _SLICES + 1)[1:-1]), at, side="right")


def _twins(kept: list[Variable], binnings: Mapping[str, Binning]) -> dict[str, str | None]:
    """For every number: the strongest of those that rank the rows as it does; None for that one itself."""
    from scipy.stats import rankdata

    found: dict[str, str | None] = {variable.name: None for variable in kept}
    numbers = sorted((v for v in kept if v.numeric), key=lambda v: -binnings[v.name].iv)
    if not numbers:
        return found
    filled = [np.where(np.isnan(v.values), np.nanmedian(v.values), v.values) for v in numbers]
    ranks = np.stack([rankdata(values) for values in filled])
    alike = np.abs(np.corrcoef(ranks)) if len(numbers) > 1 else np.ones((1, 1))
    leads: list[int] = []
    for place, variable in enumerate(numbers):
        lead = next((each for each in leads if alike[place, each] >= TWIN_RANK_CORRELATION), None)
        if lead is None:
            leads.append(place)
        else:
            found[variable.name] = numbers[lead].name
    return found


def _importance(kept: list[Variable], y: Ints, *, seed: int) -> dict[str, float]:
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
