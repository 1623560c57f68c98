"""The EBM: boosted additive tables and some tables of two (Nori et al. 2019), read out exactly.

LightGBM does the boosting, held to trees of one variable or of a chosen two; several bags are averaged, and
what they learnt is written down as tables of whole millionths of a log-odd. The tables are the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.binning import Binning
from shouxin.scoring.domain.families import Tables, Term
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.split import folds
from shouxin.scoring.training.grid import Grid, grid_of
from shouxin.scoring.training.learners import Fitted, Learner, Task
from shouxin.scoring.training.lookup import Places, added_up, columns_of, joint_rows, purified
from shouxin.scoring.training.parts import predicted_apart
from shouxin.scoring.training.preparation import Variable
from shouxin.scoring.training.scorecard import settled, variable_report

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

VARIABLES_MAX = 60
_ROUNDS_MAX = 3_000
_PATIENCE = 50
# One row in seven decides when a bag has learnt enough.
_STOPPING_FOLDS = 7
# Pairs are looked for among the variables that do most alone, in this many rounds.
_PAIRED_MAX = 40
_PAIR_ROUNDS = 200
# With many rows fewer bags are as steady.
_ROWS_MANY = 60_000


def fit_ebm(task: Task) -> Fitted:
    """Boost, read out the tables, and check that they are monotone where that was asked."""
    y, asked = task.y, task.settings
    binnings = {variable.name: variable.binned(y) for variable in task.kept}
    kept, dropped = _strongest(task.kept, binnings, count=VARIABLES_MAX)
    grids = [grid_of(variable, y, bins=asked["bins"]) for variable in kept]
    boosting = _Boosting(grids, task)
    bags = asked["bags"] if len(y) <= _ROWS_MANY else max(1, asked["bags"] // 2)
    fitted = _averaged(boosting, boosting.pairs(), bags=bags)
    told = [variable_report(variable, binnings[variable.name], seed=task.seed) for variable in task.kept]
    return replace(fitted, variables=told, dropped=dropped)


def ebm_apart(task: Task, fitted: Fitted) -> Floats:
    """Log-odds (millionths) of every row from a bag that did not see its customer.

    Variables and pairs stay those that the whole model chose: to look for them takes most of its time.
    """
    assert isinstance(fitted.body, Tables), "an EBM is tables"
    by_name = {variable.name: variable for variable in task.kept}
    read = replace(task, kept=[by_name[feature.name] for feature in fitted.features])
    pairs: list[Places] = [term.features for term in fitted.body.terms if len(term.features) == 2]

    def one_bag(part: Task) -> Fitted:
        grids = [grid_of(variable, part.y, bins=part.settings["bins"]) for variable in part.kept]
        return _averaged(_Boosting(grids, part), pairs, bags=1)

    return predicted_apart(one_bag, read)


def _averaged(boosting: _Boosting, pairs: Sequence[Places], *, bags: int) -> Fitted:
    """The mean of some bags as tables; nothing is told of variables yet."""
    grids, trees = boosting.grids, list[Any]()
    for bag in range(bags):
        trees += boosting.trees(pairs, bag=bag)
    constant, tables = added_up(trees, grids)
    average = {places: table / bags for places, table in tables.items()}
    moved_out, mains, twos = purified(average, grids)
    intercept = round((constant / bags + moved_out) * MILLION)
    features, body, notes = written(grids, mains, twos)
    notes.append(f"{len(trees)} trees in {bags} bags, {len(twos)} tables of two")
    return Fitted(features, body, intercept, [], {}, notes)


def strongest(variables: Sequence[Variable], y: Ints, *, count: int) -> tuple[list[Variable], dict[str, str]]:
    """The ``count`` variables with the highest information value, in their order, and why the others go."""
    return _strongest(variables, {v.name: v.binned(y) for v in variables}, count=count)


def _strongest(
    variables: Sequence[Variable], binnings: Mapping[str, Binning], *, count: int
) -> tuple[list[Variable], dict[str, str]]:
    order = sorted(variables, key=lambda variable: -binnings[variable.name].iv)
    dropped = {variable.name: f"not among the {count} strongest" for variable in order[count:]}
    return [variable for variable in variables if variable.name not in dropped], dropped


class _Boosting:
    """The matrix that all bags share, and how LightGBM is held to one variable or two a tree."""

    def __init__(self, grids: Sequence[Grid], task: Task) -> None:
        self.grids, self.task = grids, task
        self.owners, columns = columns_of(grids)
        self.matrix = np.column_stack(
            [values[grids[owner].slots] for owner, values in zip(self.owners, columns, strict=True)]
        )

    def pairs(self) -> list[Places]:
        """The pairs that boosting takes most from, once each variable alone has said what it can."""
        wanted = self.task.settings["pairs"]
        if not wanted or len(self.grids) < 2:
            return []
        rows = self._learning(bag=0)
        alone = self._fit(rows, [(index,) for index in range(len(self.grids))], bag=0)
        gains = np.zeros(len(self.grids))
        np.add.at(gains, self.owners, alone.feature_importance("gain"))
        strongest = sorted(np.argsort(-gains, kind="stable")[:_PAIRED_MAX].tolist())
        margin = alone.predict(self.matrix, raw_score=True)
        every = list(combinations(strongest, 2))
        both = self._fit(rows, every, bag=0, margin=margin, rounds=_PAIR_ROUNDS)
        taken: dict[Places, float] = {}
        for info in both.dump_model()["tree_info"]:
            for places, gain in _gains(info["tree_structure"], self.owners, frozenset()):
                taken[places] = taken.get(places, 0.0) + gain
        return sorted(sorted(taken, key=lambda places: -taken[places])[:wanted])

    def trees(self, pairs: Sequence[Places], *, bag: int) -> list[Any]:
        """The trees of one bag."""
        alone: list[Places] = [(index,) for index in range(len(self.grids))]
        booster = self._fit(self._learning(bag), [*alone, *pairs], bag=bag)
        best = booster.best_iteration or booster.current_iteration()
        told = booster.dump_model(num_iteration=best)["tree_info"]
        return [info["tree_structure"] for info in told]

    def _learning(self, bag: int) -> npt.NDArray[np.bool_]:
        """The rows that a bag learns from; the others tell it when to stop. No customer is in both."""
        task = self.task
        learning: npt.NDArray[np.bool_] = (
            folds(task.y, count=_STOPPING_FOLDS, seed=task.seed + bag, groups=task.groups) != 0
        )
        return learning

    def _fit(
        self,
        learning: npt.NDArray[np.bool_],
        groups: Sequence[Places],
        *,
        bag: int,
        margin: Floats | None = None,
        rounds: int = _ROUNDS_MAX,
    ) -> Any:
        import lightgbm

        held = ~learning
        told, untold = (None, None) if margin is None else (margin[learning], margin[held])
        options = self._options(groups, seed=self.task.seed + bag)
        train = lightgbm.Dataset(
            self.matrix[learning], self.task.y[learning], init_score=told, params=options
        )
        stop = train.create_valid(self.matrix[held], self.task.y[held], init_score=untold)
        early = lightgbm.early_stopping(_PATIENCE, verbose=False)
        return lightgbm.train(options, train, rounds, valid_sets=[stop], callbacks=[early])

    def _options(self, groups: Sequence[Places], *, seed: int) -> dict[str, Any]:
        asked = self.task.settings
        members = [[c for c, owner in enumerate(self.owners) if owner in places] for places in groups]
        signs = [grid.variable.sign for grid in self.grids]
        return {
            "objective": "binary",
            "metric": "binary_logloss",
            "learning_rate": asked["learning_rate"],
            "num_leaves": asked["leaves"],
            "feature_fraction": asked["features_a_tree"],
            "bagging_fraction": asked["rows_a_tree"],
            "bagging_freq": 1,
            "lambda_l2": asked["ridge"],
            "min_data_in_leaf": int(min(asked["rows_a_leaf"], max(5, len(self.task.y) // 100))),
            "max_bin": asked["bins"] + 1,
            "min_data_in_bin": 1,
            "interaction_constraints": members,
            "monotone_constraints": [*signs, *(0 for _ in self.owners[len(signs) :])],
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }


def _gains(node: Any, owners: Sequence[int], above: frozenset[int]) -> Iterator[tuple[Places, float]]:
    """What every split gained that asked a second variable on its way."""
    if "split_feature" in node:
        asked = above | {owners[int(node["split_feature"])]}
        if len(asked) == 2:
            yield tuple(sorted(asked)), float(node["split_gain"])
        yield from _gains(node["left_child"], owners, asked)
        yield from _gains(node["right_child"], owners, asked)


def written(
    grids: Sequence[Grid], mains: dict[int, Floats], pairs: dict[Places, Floats]
) -> tuple[tuple[Feature, ...], Tables, list[str]]:
    """Tables in whole millionths, with no more edges than they need; what does nothing is left out."""
    features, terms, notes = [], [], []
    used = [i for i in mains if np.any(np.rint(mains[i] * MILLION)) or any(i in p for p in pairs)]
    place = {index: new for new, index in enumerate(used)}
    for index in used:
        grid = grids[index]
        entries, moved = _monotone(np.rint(mains[index] * MILLION).astype(np.int64), grid, axis=0)
        short, edges, rows = _short(entries, grid)
        scores, reference = settled(short.tolist(), rows.tolist())
        paired = grid.edges if any(index in places for places in pairs) else ()
        features.append(grid.feature(edges, paired, rows))
        terms.append(Term((place[index],), scores, reference))
        notes += [f"{grid.variable.name}: {moved} entries were moved to keep the direction"] if moved else []
    for places, table in pairs.items():
        entries = np.rint(table * MILLION).astype(np.int64)
        for axis in (0, 1):
            entries, moved = _monotone(entries, grids[places[axis]], axis=axis)
            notes += [f"{_name(places, grids)}: {moved} entries were moved"] if moved else []
        rows = joint_rows(grids[places[0]], grids[places[1]])
        reference = round(float((entries * rows).sum() / rows.sum()))
        terms.append(Term(tuple(place[i] for i in places), tuple(entries.ravel().tolist()), reference))
    return tuple(features), Tables(tuple(terms)), notes


def _name(places: Places, grids: Sequence[Grid]) -> str:
    return " & ".join(grids[index].variable.name for index in places)


def _monotone(entries: Ints, grid: Grid, *, axis: int) -> tuple[Ints, int]:
    """Keep the declared direction to the last millionth along an axis; how many entries had to move."""
    sign = grid.variable.sign
    if not sign:
        return entries, 0
    kept = np.moveaxis(entries.copy(), axis, 0)
    kept[: grid.regular] = sign * np.maximum.accumulate(sign * kept[: grid.regular], axis=0)
    found = np.moveaxis(kept, 0, axis)
    return found, int((found != entries).sum())


def _short(entries: Ints, grid: Grid) -> tuple[Ints, tuple[float, ...], Ints]:
    """Neighbouring slots with the same entry joined: entries, edges and rows."""
    if not grid.variable.numeric:
        return entries, (), grid.rows
    regular = entries[: grid.regular]
    steps = np.flatnonzero(np.diff(regular) != 0)
    starts = np.append(0, steps + 1)
    rows = np.append(np.add.reduceat(grid.rows[: grid.regular], starts), grid.rows[grid.regular :])
    return (
        np.append(regular[starts], entries[grid.regular :]),
        tuple(grid.edges[step] for step in steps.tolist()),
        rows,
    )


EBM = Learner(
    "ebm",
    Bilingual("可解释提升模型", "Explainable boosting machine"),
    fit_ebm,
    ("shouxin", "numpy", "lightgbm"),
    stops_itself=True,
    apart=ebm_apart,
    space={
        "bags": (4, 1, 2, 8, 16),
        "pairs": (100, 0, 30, 60),
        "bins": (32, 64, 128),
        "leaves": (8, 4, 6, 12),
        "learning_rate": (0.05, 0.02, 0.03, 0.1),
        "features_a_tree": (0.5, 0.2, 0.3, 1.0),
        "rows_a_tree": (0.7, 0.5, 0.9),
        "rows_a_leaf": (50, 20, 100, 200),
        "ridge": (20.0, 1.0, 5.0, 50.0, 100.0),
    },
)
