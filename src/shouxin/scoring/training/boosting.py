"""The EBM: boosted additive tables and a few tables of two (Nori et al. 2019), read out exactly.

InterpretML does the boosting; what it learnt is written down as tables of whole millionths of a
log-odd, and the tables are the model. A special value gets a slot of its own through a companion
column ("which special value, if any") whose table is folded into the variable's.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.binning import category_groups
from shouxin.scoring.domain.families import Tables, Term
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import numeric_slots
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.split import folds
from shouxin.scoring.domain.table import as_text
from shouxin.scoring.training.learners import Fitted, Task
from shouxin.scoring.training.preparation import Variable
from shouxin.scoring.training.scorecard import settled, variable_report

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

VARIABLES_MAX = 60
_INTERACTIONS = 10
_BINS = 256
_PAIR_BINS = 32
_ROUNDS_MAX = 12_000
# More bags are steadier; with many rows fewer are as steady.
_ROWS_MANY = 60_000
_BAGS, _BAGS_MANY_ROWS = 8, 4
# One row in seven decides when a bag has learnt enough, as by default.
_STOPPING_FOLDS = 7


@dataclass(frozen=True, slots=True, eq=False)
class _Input:
    """A variable as InterpretML sees it: numbers, or codes of ``groups``; companions follow later."""

    variable: Variable
    values: Floats
    groups: tuple[tuple[str, ...], ...] = ()
    pooled: int | None = None
    companion: Ints | None = None


def fit_ebm(task: Task) -> Fitted:
    """Boost, read out the tables, and check that they are monotone where that was asked."""
    kept, y, seed = task.kept, task.y, task.seed
    binnings = {variable.name: variable.binned(y) for variable in kept}
    order = sorted(kept, key=lambda variable: -binnings[variable.name].iv)
    dropped = {v.name: f"not among the {VARIABLES_MAX} strongest" for v in order[VARIABLES_MAX:]}
    inputs = [_input(variable) for variable in kept if variable.name not in dropped]
    model = _boosted(inputs, y, seed=seed, groups=task.groups)
    mains, pairs, companions = _tables(model, inputs)
    features, terms, notes = [], [], []
    for index, given in enumerate(inputs):
        feature, term, note = _main(given, index, model, mains[index], companions.get(index))
        features.append(feature)
        terms.append(term)
        notes += note
    for index in sorted({index for places in pairs for index in places}):
        if inputs[index].variable.numeric:
            edges = tuple(np.asarray(_level(model, index, 2), dtype=np.float64).tolist())
            features[index] = msgspec.structs.replace(features[index], pair_edges=edges)
    terms += [_pair(places, table, model, inputs) for places, table in pairs.items()]
    told = [variable_report(variable, binnings[variable.name], seed=seed) for variable in kept]
    intercept = round(float(model.intercept_[0]) * MILLION)
    return Fitted(tuple(features), Tables(tuple(terms)), intercept, told, dropped, notes)


def _input(variable: Variable) -> _Input:
    if not variable.numeric:
        groups, pooled = category_groups(as_text(variable.values))
        codes: dict[str | None, float] = {
            name: float(code) for code, group in enumerate(groups) for name in group
        }
        codes[None] = float("nan")
        values = np.array([codes[text] for text in as_text(variable.values)])
        return _Input(variable, values, groups, pooled)
    if not variable.special:
        return _Input(variable, variable.values)
    companion = np.zeros(len(variable.values), dtype=np.int64)
    for index, value in enumerate(variable.special, start=1):
        companion[variable.values == value] = index
    return _Input(variable, np.where(companion > 0, np.nan, variable.values), companion=companion)


def _boosted(inputs: list[_Input], y: Ints, *, seed: int, groups: Ints | None) -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier

    companions = [given.companion.astype(np.float64) for given in inputs if given.companion is not None]
    matrix = np.column_stack([*(given.values for given in inputs), *companions])
    kinds = ["continuous" if given.variable.numeric else "nominal" for given in inputs]
    directions = [given.variable.sign for given in inputs]
    # A table of two would break the promise that more is riskier; InterpretML leaves those out itself.
    free = sum(direction == 0 for direction in directions)
    exclude = [
        (first, second) for first, second in combinations(range(matrix.shape[1]), 2) if second >= len(inputs)
    ]
    bags = _BAGS if len(y) <= _ROWS_MANY else _BAGS_MANY_ROWS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about its pictures, which we do not draw
        model = ExplainableBoostingClassifier(
            feature_types=[*kinds, *("nominal" for _ in companions)],
            monotone_constraints=[*directions, *(0 for _ in companions)],
            interactions=min(_INTERACTIONS, free * (free - 1) // 2),
            exclude=exclude or None,
            max_bins=_BINS,
            max_interaction_bins=_PAIR_BINS,
            max_rounds=_ROUNDS_MAX,
            outer_bags=bags,
            random_state=seed,
            n_jobs=1,
        )
        return model.fit(matrix, y, bags=_bags(y, groups, count=bags, seed=seed))


def _bags(y: Ints, groups: Ints | None, *, count: int, seed: int) -> npt.NDArray[np.int8] | None:
    """Which rows a bag learns from (1) and stops by (-1); None leaves it to InterpretML.

    A customer who comes at several dates must not be on both sides, or the boosting stops too late.
    """
    if groups is None:
        return None
    apart = [folds(y, count=_STOPPING_FOLDS, seed=seed + bag, groups=groups) == 0 for bag in range(count)]
    return np.where(np.column_stack(apart), -1, 1).astype(np.int8)


def _tables(
    model: Any, inputs: list[_Input]
) -> tuple[dict[int, Floats], dict[tuple[int, int], Floats], dict[int, Floats]]:
    """Tables of one, tables of two, and companions' tables by the variable they belong to."""
    owners = [index for index, given in enumerate(inputs) if given.companion is not None]
    mains: dict[int, Floats] = {}
    pairs: dict[tuple[int, int], Floats] = {}
    companions: dict[int, Floats] = {}
    for places, scores in zip(model.term_features_, model.term_scores_, strict=True):
        table = np.asarray(scores, dtype=np.float64)
        if len(places) == 2:
            pairs[places] = table
        elif places[0] < len(inputs):
            mains[places[0]] = table
        else:
            owner = owners[places[0] - len(inputs)]
            companions[owner] = _by_code(table, model.bins_[places[0]][0], _specials(inputs[owner]) + 1)
    return mains, pairs, companions


def _specials(given: _Input) -> int:
    return len(given.variable.special)


def _by_code(table: Floats, bins: Any, count: int) -> Floats:
    """A nominal table, by our codes 0, 1, .. instead of InterpretML's; a code it never met is 0."""
    assert isinstance(bins, dict), "a nominal column has named bins"
    places = {int(float(name)): place for name, place in bins.items()}
    return np.array([table[places[code]] if code in places else 0.0 for code in range(count)])


def _level(model: Any, index: int, dimensions: int) -> Any:
    """The bins that InterpretML uses for a column in tables of this many dimensions."""
    levels = model.bins_[index]
    return levels[min(len(levels), dimensions) - 1]


def _slot_scores(given: _Input, bins: Any, table: Floats, axis: int = 0) -> Floats:
    """The table along one axis in our order of slots: regular, missing, then special or unseen."""
    table = np.moveaxis(table, axis, 0)
    if given.variable.numeric:
        # Its order is missing, regular, unknown; a special value was missing to it.
        parts = [table[1:-1], *(table[:1] for _ in range(1 + _specials(given)))]
    else:
        places = {int(float(name)): place for name, place in bins.items()}
        rows = [places.get(code, len(table) - 1) for code in range(len(given.groups))]
        parts = [table[rows], table[:1], table[-1:]]
    return np.moveaxis(np.concatenate(parts), 0, axis)


def _main(
    given: _Input, index: int, model: Any, table: Floats, companion: Floats | None
) -> tuple[Feature, Term, list[str]]:
    variable, bins, notes = given.variable, _level(model, index, 1), []
    scores = _slot_scores(given, bins, table)
    edges: tuple[float, ...] = ()
    if variable.numeric:
        edges = tuple(np.asarray(bins, dtype=np.float64).tolist())
        if companion is not None:  # the regular rows and the missing ones share its first entry
            scores[: len(edges) + 2] += companion[0]
            scores[len(edges) + 2 :] += companion[1:]
    entries = np.rint(scores * MILLION).astype(np.int64)
    if variable.numeric:
        entries, edges, moved = _monotone_and_short(entries, edges, variable.sign)
        if moved:
            notes.append(f"{variable.name}: {moved} entries were moved to keep the declared direction")
    slots = _slots(given, edges)
    rows = np.bincount(slots, minlength=len(entries)).tolist()
    scores_settled, reference = settled(entries.tolist(), rows)
    feature = Feature(
        name=variable.name,
        type="numeric" if variable.numeric else "category",
        rows=tuple(rows),
        edges=edges,
        special=variable.special,
        categories=given.groups,
        unseen=given.pooled,
        direction=variable.sign,
        typical=_typical(given),
        meaning=variable.meaning.as_data() if variable.meaning else None,
    )
    return feature, Term((index,), scores_settled, reference), notes


def _monotone_and_short(
    entries: Ints, edges: tuple[float, ...], direction: int
) -> tuple[Ints, tuple[float, ...], int]:
    """Keep the declared direction to the last millionth, and join neighbours with the same entry."""
    regular, rest = entries[: len(edges) + 1], entries[len(edges) + 1 :]
    kept = direction * np.maximum.accumulate(direction * regular) if direction else regular
    steps = np.flatnonzero(np.diff(kept) != 0)
    short = np.append(kept[steps], kept[-1])
    moved = int((kept != regular).sum())
    return np.append(short, rest), tuple(edges[step] for step in steps.tolist()), moved


def _slots(given: _Input, edges: tuple[float, ...]) -> Ints:
    if given.variable.numeric:
        special = {value: index for index, value in enumerate(given.variable.special)}
        return numeric_slots(given.variable.values, edges, special)
    return np.where(np.isnan(given.values), len(given.groups), given.values).astype(np.int64)


def _typical(given: _Input) -> float | None:
    """The median of the ordinary values."""
    known = given.values[~np.isnan(given.values)]
    return float(np.median(known)) if given.variable.numeric and len(known) else None


def _pair(places: tuple[int, int], table: Floats, model: Any, inputs: list[_Input]) -> Term:
    """A table of two, flat, and its mean over the training rows."""
    slots = []
    for axis, index in enumerate(places):
        bins = _level(model, index, 2)
        table = _slot_scores(inputs[index], bins, table, axis)
        slots.append(_slots(inputs[index], tuple(bins) if inputs[index].variable.numeric else ()))
    entries = np.rint(table * MILLION).astype(np.int64)
    reference = round(float(entries[slots[0], slots[1]].mean()))
    return Term(places, tuple(entries.ravel().tolist()), reference)
