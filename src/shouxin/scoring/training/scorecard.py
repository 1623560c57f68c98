"""The scorecard: logistic regression on weights of evidence, few variables, every sign as it should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.binning import Binning, iv_interval
from shouxin.scoring.domain.candidate_cuts import fine_edges
from shouxin.scoring.domain.families import Tables, Term
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import numeric_slots
from shouxin.scoring.domain.metrics import auc, level
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.split import folds
from shouxin.scoring.domain.table import as_text
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.crossing import Crossing, crosses
from shouxin.scoring.training.learners import Fitted, Learner, Task
from shouxin.scoring.training.preparation import Variable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

VARIABLES_MAX = 15
# Below 0.02 a variable is "not predictive" (Siddiqi 2006).
IV_MIN = 0.02
_CORRELATION_MAX = 0.85
# Chi-squared on one degree of freedom that chance exceeds in 1 %; of many candidates the best is looked at,
# which by chance alone reaches 2 ln m (the risk inflation criterion, Foster and George 1994).
_ENTERS = 6.63
# A longer card must be better by this much to be worth reading.
_AUC_WORTH = 0.0002
_FOLDS = 5
# Crosses are looked for among so many variables, cut into so many even shares.
_CROSSED_MAX, _CROSS_BINS = 30, 8
# Standard errors beyond which a difference is not luck.
_HOLDS = 2.0
# Inverse strength of the ridge: a little, so that twins share what they have to say.
_PENALTY = 3.0


def fit_scorecard(task: Task) -> Fitted:
    """Bin, select, fit, and write down the tables. Raises UnableToTrain where nothing predicts."""
    kept, y, seed, groups = task.kept, task.y, task.seed, task.groups
    binnings = {variable.name: variable.binned(y) for variable in kept}
    fold = folds(y, count=_FOLDS, seed=seed, groups=groups)
    woes = {variable.name: honest_woe(variable, y, fold) for variable in kept}
    alike = 1.0 if groups is None else len(y) / len(np.unique(groups))
    candidates, dropped = _screened(binnings, woes, y, alike=alike)
    if not candidates:
        raise UnableToTrain("no variable tells events from non-events")
    matrix = np.column_stack([woes[name] for name in candidates])
    chosen, path = _selected(matrix, y, fold, alike=alike)
    for index, name in enumerate(candidates):
        if index not in chosen:
            dropped[name] = "adds nothing to the variables chosen, or only with the wrong sign"
    # On evidence that no row gave itself: what the bins owe to luck, the weights do not pay for.
    weights, intercept = _logistic(matrix[:, chosen], y)
    by_name = {variable.name: variable for variable in kept}
    used = [candidates[index] for index in chosen]
    crossed, cross_path = _crossed(by_name, binnings, used, matrix[:, chosen], fold, task, alike=alike)
    brought = [name for pair, *_ in crossed for name in pair if name not in used]
    read = [*used, *dict.fromkeys(brought)]
    paired = {name for pair, *_ in crossed for name in pair}
    features = tuple(
        _feature(by_name[name], binnings[name], main=name in used, paired=name in paired) for name in read
    )
    terms = [_term(index, binnings[name], weights[index]) for index, name in enumerate(used)]
    terms += [
        _cross_term((read.index(pair[0]), read.index(pair[1])), effect, cell)
        for pair, effect, cell in crossed
    ]
    for name in brought:
        dropped.pop(name, None)
    weight_of = dict(zip(used, weights.tolist(), strict=True))
    told = [
        variable_report(variable, binnings[variable.name], seed=seed, weight=weight_of.get(variable.name))
        for variable in kept
    ]
    notes = [f"out-of-fold AUC by number of variables: {_listed(path)}"]
    if cross_path:
        notes.append(f"out-of-fold AUC by number of crosses, none first: {_listed(cross_path)}")
    own = np.full(len(y), intercept)
    for name, weight in weight_of.items():
        own += weight * np.asarray(binnings[name].woe)[by_name[name].slots(binnings[name])]
    for _, effect, cell in crossed:
        own += effect[cell]
    moved = level(own, float(y.mean()))
    return Fitted(features, Tables(tuple(terms)), round((intercept + moved) * MILLION), told, dropped, notes)


def _crossed(
    variables: dict[str, Variable],
    binnings: dict[str, Binning],
    used: list[str],
    matrix: Floats,
    fold: Ints,
    task: Task,
    *,
    alike: float,
) -> tuple[list[tuple[tuple[str, str], Floats, Ints]], list[float]]:
    """Pairs of names, their tables and the cell of every row; and the out-of-fold AUC with none, one, ..

    A variable with a declared shape is in no cross: none touches what the shape promises.
    """
    y = task.y
    free = [name for name in variables if not variables[name].direction]
    pool = sorted(free, key=lambda name: (name not in used, -binnings[name].iv))[:_CROSSED_MAX]
    if not task.settings["crosses"] or len(pool) < 2:
        return [], []
    slots = [_cross_slots(variables[name], binnings[name]) for name in pool]
    crossing = Crossing(
        [own for own, _ in slots],
        [size for _, size in slots],
        frozenset(place for place, name in enumerate(pool) if name in used),
        VARIABLES_MAX - sum(name not in pool for name in used),
        alike,
    )

    def margins(inside: npt.NDArray[np.bool_]) -> Floats:
        weights, intercept = _logistic(matrix[inside], y[inside])
        return matrix @ weights + intercept

    found, path = crosses(crossing, y, fold, margins=margins, most=task.settings["crosses"])
    told = [((pool[a], pool[b]), effect, crossing.cell((a, b))) for (a, b), effect in found]
    return told, path


def _cross_edges(variable: Variable) -> tuple[float, ...]:
    edges = fine_edges(np.sort(variable.ordinary), count=_CROSS_BINS)
    return tuple(edges.tolist())


def _cross_slots(variable: Variable, binning: Binning) -> tuple[Ints, int]:
    """The slot of every row in tables of two, and how many there are."""
    if not variable.numeric:
        return variable.slots(binning), len(binning.groups) + 2
    edges = _cross_edges(variable)
    special = {value: index for index, value in enumerate(variable.special)}
    return numeric_slots(variable.values, edges, special), len(edges) + 2 + len(special)


def _cross_term(places: tuple[int, int], effect: Floats, cell: Ints) -> Term:
    entries = np.rint(effect * MILLION).astype(np.int64)
    return Term(places, tuple(entries.tolist()), round(float(entries[cell].mean())))


def _listed(path: Sequence[float]) -> str:
    return ", ".join(f"{area:.4f}" for area in path)


def _feature(variable: Variable, binning: Binning, *, main: bool, paired: bool) -> Feature:
    """A variable as a feature of the artefact: with its bins where it has a table of its own (``main``)."""
    rows, edges = binning.rows, binning.edges
    if variable.numeric and not main:
        regular = len(edges) + 1
        rows, edges = (sum(rows[:regular]), *rows[regular:]), ()
    return Feature(
        name=variable.name,
        type="numeric" if variable.numeric else "category",
        rows=rows,
        edges=edges,
        pair_edges=_cross_edges(variable) if paired and variable.numeric else (),
        special=variable.special,
        categories=binning.groups,
        unseen=binning.pooled,
        direction=variable.sign,
        typical=variable.typical,
        meaning=variable.meaning.as_data() if variable.meaning else None,
    )


def settled(scores: Sequence[int], rows: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """A table and its mean over the training rows; a slot without rows says nothing: it gets the mean."""
    total = sum(rows)
    reference = round(sum(score * count for score, count in zip(scores, rows, strict=True)) / total)
    table = tuple(score if count else reference for score, count in zip(scores, rows, strict=True))
    return table, reference


def variable_report(
    variable: Variable, binning: Binning, *, seed: int, weight: float | None = None
) -> dict[str, Any]:
    """What the report says of one variable; ``weight`` where the scorecard uses it."""
    low, high = iv_interval(binning, seed=seed)
    rates = [round(e / r, 6) if r else None for e, r in zip(binning.events, binning.rows, strict=True)]
    return {
        "name": variable.name,
        "iv": {"value": round(binning.iv, 4), "low": round(low, 4), "high": round(high, 4)},
        "trend": binning.trend,
        "weight": None if weight is None else round(float(weight), 6),
        "edges": list(binning.edges),
        "groups": [list(group) for group in binning.groups],
        "rows": list(binning.rows),
        "event_rate": rates,
        "woe": [round(value, 6) for value in binning.woe],
    }


def _term(index: int, binning: Binning, weight: float) -> Term:
    table, reference = settled([round(weight * woe * MILLION) for woe in binning.woe], binning.rows)
    return Term((index,), table, reference)


def honest_woe(variable: Variable, y: Ints, fold: Ints) -> Floats:
    """The weight of evidence of every row in bins that were cut and counted without its fold.

    In its own bins a row votes for itself; among hundreds of variables and few events the votes win.
    """
    found = np.zeros(len(y))
    for number in range(_FOLDS):
        apart = fold == number
        inside = variable.rows(~apart)
        binning = inside.binned(y[~apart])
        found[apart] = np.append(binning.woe, 0.0)[_slots_apart(variable.rows(apart), binning)]
    return found


def _slots_apart(variable: Variable, binning: Binning) -> Ints:
    """The slots of rows that the bins never saw; a text that they do not know has the last, which is 0."""
    if variable.numeric:
        return variable.slots(binning)
    places: dict[str | None, int] = {name: i for i, group in enumerate(binning.groups) for name in group}
    places[None] = len(binning.groups)
    return np.array([places.get(text, len(binning.woe)) for text in as_text(variable.values)], dtype=np.int64)


def _screened(
    binnings: dict[str, Binning], woes: dict[str, Floats], y: Ints, *, alike: float
) -> tuple[list[str], dict[str, str]]:
    """Strongest first: those above the floor that do not say what a stronger one says already.

    A variable whose evidence does not point the same way in rows that its bins never saw is dropped.
    ``alike`` rows of one customer count as one.
    """
    order = sorted(binnings, key=lambda name: -binnings[name].iv)
    dropped = {
        name: f"IV {binnings[name].iv:.4f} is below {IV_MIN}" for name in order if _weak(binnings[name])
    }
    for name in order:
        if name not in dropped and not _holds(woes[name], y, alike=alike):
            dropped[name] = "its evidence is not found again in rows that its bins never saw"
    strong = [name for name in order if name not in dropped]
    if not strong and order and binnings[order[0]].iv > 0:
        strong = order[:1]
        dropped.pop(strong[0])
    chosen: list[str] = []
    for name in strong:
        twin = next((c for c in chosen if abs(_correlation(woes[name], woes[c])) > _CORRELATION_MAX), None)
        if twin is None:
            chosen.append(name)
        else:
            dropped[name] = f"says the same as {twin}, which is stronger"
    return chosen, dropped


def _weak(binning: Binning) -> bool:
    return binning.iv < IV_MIN


def _holds(woe: Floats, y: Ints, *, alike: float) -> bool:
    """Whether events have the higher evidence, beyond two standard errors."""
    events, others = woe[y == 1], woe[y == 0]
    error = math.sqrt(alike * (events.var() / len(events) + others.var() / len(others)))
    return float(events.mean() - others.mean()) > _HOLDS * error


def _correlation(a: Floats, b: Floats) -> float:
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 1.0


def _selected(matrix: Floats, y: Ints, fold: Ints, *, alike: float) -> tuple[list[int], list[float]]:
    """Forward by score test, then the shortest card whose out-of-fold AUC is as good as any."""
    order: list[int] = []
    banned: set[int] = set()
    enters = alike * max(_ENTERS, 2 * math.log(matrix.shape[1]))
    while len(order) < VARIABLES_MAX:
        entering = _entering(matrix, y, order, banned, enters=enters)
        if entering is None:
            break
        weights, _ = _logistic(matrix[:, [*order, entering]], y)
        if (weights <= 0).any():
            banned.add(entering)
        else:
            order.append(entering)
    if not order:
        order = [0]
    path = [_out_of_fold_auc(matrix[:, order[: size + 1]], y, fold) for size in range(len(order))]
    best = max(path)
    size = next(size for size, area in enumerate(path, start=1) if area >= best - _AUC_WORTH)
    return order[:size], path


def _entering(matrix: Floats, y: Ints, order: list[int], banned: set[int], *, enters: float) -> int | None:
    """The candidate with the largest score statistic (Rao), if it would enter with a positive weight."""
    inside = np.column_stack([np.ones(len(y)), matrix[:, order]])
    fitted = _fitted(matrix[:, order], y)
    spread = fitted * (1 - fitted)
    pull = matrix.T @ (y - fitted)
    cross = (inside * spread[:, None]).T @ matrix
    own = (matrix**2 * spread[:, None]).sum(axis=0)
    inner = np.linalg.pinv((inside * spread[:, None]).T @ inside)
    variance = np.maximum(own - np.einsum("ij,ik,kj->j", cross, inner, cross), 1e-9)
    statistic = np.where(pull > 0, pull**2 / variance, 0.0)
    statistic[[*order, *banned]] = 0.0
    best = int(statistic.argmax())
    return best if statistic[best] > enters else None


def _fitted(matrix: Floats, y: Ints) -> Floats:
    if not matrix.shape[1]:
        return np.full(len(y), y.mean())
    weights, intercept = _logistic(matrix, y)
    return _probability(matrix, weights, intercept)


def _probability(matrix: Floats, weights: Floats, intercept: float) -> Floats:
    fitted: Floats = 1.0 / (1.0 + np.exp(-(matrix @ weights + intercept)))
    return fitted


def _logistic(matrix: Floats, y: Ints) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_PENALTY, solver="newton-cholesky", max_iter=200, tol=1e-8).fit(matrix, y)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


def _out_of_fold_auc(matrix: Floats, y: Ints, fold: Ints) -> float:
    risk = np.empty(len(y))
    for number in range(_FOLDS):
        apart = fold == number
        weights, intercept = _logistic(matrix[~apart], y[~apart])
        risk[apart] = matrix[apart] @ weights + intercept
    return auc(y, risk)


SCORECARD = Learner(
    "scorecard",
    Bilingual("评分卡", "Scorecard"),
    fit_scorecard,
    ("shouxin", "numpy", "scikit-learn"),
    space={"crosses": (8, 0, 4, 15)},
    stops_itself=True,
    bins=True,
)
