"""Other people's libraries beside ours, where they are installed: never needed, run with --peer only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.entrypoints.bench.timing import call_seconds, percentile, seconds_of
from shouxin.scoring import BinningRules

_CALLS = 50
_ROWS_MAX = 100_000
_SHAP_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class ScorecardSpeed:
    """How fast optbinning's scorecard scores, without any reasons; ``score_row`` scores one of its rows."""

    rows_a_second: float
    one_row_microseconds: float
    score_row: Callable[[int], object]


def optimal_binning(
    values: npt.NDArray[np.float64], y: npt.NDArray[np.int64], trend: str | None, rules: BinningRules
) -> tuple[float, float]:
    """Seconds and information value of optbinning's OptimalBinning under the same rules."""
    binning = import_module("optbinning").OptimalBinning(
        name="x",
        dtype="numerical",
        monotonic_trend=trend,
        max_n_bins=rules.bins_max,
        min_bin_size=rules.share_min,
    )
    seconds = seconds_of(lambda: binning.fit(values, y))
    binning.binning_table.build()
    return seconds, float(binning.binning_table.iv)


def scorecard_speed(
    learnt: Mapping[str, npt.NDArray[Any]], y: npt.NDArray[Any], columns: Mapping[str, npt.NDArray[Any]]
) -> ScorecardSpeed:
    """Fit optbinning's scorecard on the same rows and time it on (at most 100,000 of) the same columns."""
    optbinning, pandas = import_module("optbinning"), import_module("pandas")
    from sklearn.linear_model import LogisticRegression

    process = optbinning.BinningProcess(list(learnt))
    card = optbinning.Scorecard(binning_process=process, estimator=LogisticRegression(max_iter=1_000))
    card.fit(pandas.DataFrame(dict(learnt)), y)
    frame = pandas.DataFrame({name: values[:_ROWS_MAX] for name, values in columns.items()})
    seconds = seconds_of(lambda: card.score(frame))
    rows = [frame.iloc[[number]] for number in range(min(_CALLS, len(frame)))]

    def score_row(number: int) -> object:
        return card.score(rows[number % len(rows)])

    one = percentile(call_seconds(score_row, calls=_CALLS), 0.5)
    return ScorecardSpeed(len(frame) / seconds, one * 1e6, score_row)


def tree_shap_rows_a_second(
    learnt: Mapping[str, npt.NDArray[Any]],
    y: npt.NDArray[Any],
    columns: Mapping[str, npt.NDArray[Any]],
    *,
    trees: int,
) -> float:
    """LightGBM's own contributions (TreeSHAP, one thread) of as many trees as asked, on the same columns."""
    lightgbm = import_module("lightgbm")
    told = {"objective": "binary", "num_leaves": 15, "max_depth": 8, "num_threads": 1, "verbose": -1}
    booster = lightgbm.train(told, lightgbm.Dataset(np.column_stack(list(learnt.values())), y), trees)
    rows = np.column_stack([values[:_SHAP_ROWS] for values in columns.values()])
    return len(rows) / seconds_of(lambda: booster.predict(rows, pred_contrib=True, num_threads=1))


def zen_decider() -> Callable[[Mapping[str, Any]], object]:
    """Rules like those of the standard checkout as a decision table of GoRules ZEN."""
    decision = import_module("zen").ZenEngine().create_decision(json.dumps(_zen_document()))
    evaluate: Callable[[Mapping[str, Any]], object] = decision.evaluate
    return evaluate


def _zen_document() -> dict[str, Any]:
    fields = ("frozen", "days_past_due", "grade", "amount", "refunds_only")
    rules = (
        ("frozen", "true", "decline"),
        ("days_past_due", ">= 1", "decline"),
        ("grade", '"D"', "decline"),
        ("amount", "> 1000000", "decline"),
        ("refunds_only", ">= 4", "review"),
        ("", "", "approve"),
    )
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": name, "name": name, "field": name} for name in fields],
        "outputs": [{"id": "outcome", "name": "outcome", "field": "outcome"}],
        "rules": [
            {"_id": str(number), "outcome": f'"{outcome}"'}
            | {name: (test if name == field else "") for name in fields}
            for number, (field, test, outcome) in enumerate(rules)
        ],
    }
    return {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", "position": {"x": 0, "y": 0}},
            {
                "id": "table",
                "name": "table",
                "type": "decisionTableNode",
                "content": table,
                "position": {"x": 1, "y": 0},
            },
            {"id": "out", "name": "out", "type": "outputNode", "position": {"x": 2, "y": 0}},
        ],
        "edges": [
            {"id": "a", "sourceId": "in", "targetId": "table", "type": "edge"},
            {"id": "b", "sourceId": "table", "targetId": "out", "type": "edge"},
        ],
    }
