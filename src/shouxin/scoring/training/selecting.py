"""Selecting: what every variable is worth on some rows, and why each is kept or left out.

Reasons by precedence: nothing to learn, a leak, no information, not stable over the months, the twin of a
stronger one. They are asked of a whole table (``scoring.selection``) and of every fold of a cross-fitting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.binning import Binning, iv_interval
from shouxin.scoring.domain.partition import woe_of
from shouxin.scoring.domain.table import Array, is_text
from shouxin.scoring.training.preparation import Variable, instants, separating

Ints = npt.NDArray[np.int64]

IV_MIN = 0.02
PSI_MAX = 0.25
TWIN_RANK_CORRELATION = 0.8
_SHARE_MIN = 1e-4
_SLICES = 6


class Verdict(NamedTuple):
    """Why a variable is left out: a code that people's words are found by, and the whole sentence."""

    code: str
    sentence: str


def judged(
    kept: Sequence[Variable], y: Ints, months: Ints | None, *, seed: int, quickly: bool = False
) -> list[tuple[dict[str, Any], Verdict | None]]:
    """The figures of every variable, the strongest first, and why it is left out; None where it is kept.

    ``months`` numbers the month of every row; ``quickly`` bins in steps of even shares. A sequence has no
    bins: of it a leak is told alone.
    """
    binned = [variable for variable in kept if variable.layout is None]
    binnings = {variable.name: variable.binned(y, quickly=quickly) for variable in binned}
    leaks = separating(kept, y, binnings=binnings)
    twins = _twins(binned, binnings)
    found = []
    for variable in binned:
        told = _told(variable, binnings[variable.name], y, months, seed=seed)
        told |= {"twin_of": twins[variable.name]}
        found.append((told, _why(told, leaks.get(variable.name))))
    found.sort(key=lambda one: -one[0]["iv"]["value"])
    for variable in kept:
        if variable.layout is not None:
            area = leaks.get(variable.name)
            found.append(({"name": variable.name}, None if area is None else _leak(area)))
    return found


def months_of(values: Array, *, name: str) -> Ints:
    """The month of every row from the first; a time that is no date is cut into even slices.

    Raises UnableToTrain where a row has no time.
    """
    at, _ = instants(values, name=name)
    if is_text(values):
        month = at.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        return np.asarray(month - month.min(), dtype=np.int64)
    return np.searchsorted(np.quantile(at, np.linspace(0, 1, _SLICES + 1)[1:-1]), at, side="right")


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


def _why(told: Mapping[str, Any], leak: float | None) -> Verdict | None:
    """The first reason to leave a column out, by precedence."""
    if leak is not None:
        return _leak(leak)
    if told["iv"]["value"] < IV_MIN:
        return Verdict("weak", f"IV {told['iv']['value']:.4f} is below {IV_MIN}")
    worst, flipped = unrest(told)
    if worst > PSI_MAX:
        return Verdict("moved", f"PSI {worst:.2f} in a month is above {PSI_MAX}")
    if flipped * 2 > len(told["months"]) > 0:
        return Verdict("flipped", f"points the other way in {flipped} of {len(told['months'])} months")
    if told["twin_of"]:
        return Verdict("twin", f"ranks rows as {told['twin_of']} does, which is stronger")
    return None


def _leak(area: float) -> Verdict:
    return Verdict("leak", f"tells the target all by itself (AUC {area:.3f}): a leak")


def unrest(told: Mapping[str, Any]) -> tuple[float, int]:
    """The worst PSI of any month, and in how many the evidence points the other way."""
    months = told["months"]
    return max((month["psi"] for month in months), default=0.0), sum(month["flipped"] for month in months)


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


def _twins(kept: Sequence[Variable], binnings: Mapping[str, Binning]) -> dict[str, str | None]:
    """For every number: the strongest of those that rank the rows as it does; None for that one itself."""
    from scipy.stats import rankdata

    found: dict[str, str | None] = {variable.name: None for variable in kept}
    numbers = sorted((v for v in kept if v.numeric), key=lambda v: -binnings[v.name].iv)
    if not numbers:
        return found
    filled = [np.where(np.isnan(v.values), np.nanmedian(v.values), v.values) for v in numbers]
    ranks = np.stack([rankdata(values) for values in filled])
    # Where all that is known is one value there is nothing to rank by: such a number is nobody's twin.
    with np.errstate(invalid="ignore"):
        alike = np.nan_to_num(np.abs(np.atleast_2d(np.corrcoef(ranks))))
    leads: list[int] = []
    for place, variable in enumerate(numbers):
        lead = next((each for each in leads if alike[place, each] >= TWIN_RANK_CORRELATION), None)
        if lead is None:
            leads.append(place)
        else:
            found[variable.name] = numbers[lead].name
    return found
