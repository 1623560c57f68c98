"""score: many customers at once with every contribution, and one at a time with its reasons."""

from __future__ import annotations

from typing import Any

from shouxin import scoring
from shouxin.entrypoints.bench import others
from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import absent, call_seconds, median_seconds, percentile, seconds_of
from shouxin.scoring.domain.families import Tables, Trees

_GOALS = {"scorecard": 500_000.0, "ebm": 100_000.0}
_SPELT = 20_000
_ONE_BY_ONE = 2_000
_EXPLAINED = 50_000


def measure(ground: Ground) -> list[Line]:
    """Rows a second of both kinds of model; microseconds of one row."""
    columns = ground.resampled(ground.sizes.rows)
    rows = [dict(zip(columns, row, strict=True)) for row in _rows(columns, _ONE_BY_ONE)]
    peer = _peer(ground, columns)
    lines = []
    for model, goal in _GOALS.items():
        ground.say(f"scoring {ground.sizes.rows:,} customers with the {model}")
        theirs = peer if model == "scorecard" else None
        lines += _model_lines(ground.models[model], model, columns, rows, goal, ground, theirs)
    return [*lines, *_tree_lines(ground, columns, rows)]


def _tree_lines(ground: Ground, columns: dict[str, Any], rows: list[dict[str, Any]]) -> list[Line]:
    """Boosted trees with every contribution, beside LightGBM's own TreeSHAP on as many trees and leaves."""
    ground.say("scoring customers with boosted trees")
    artefact = ground.trees
    body = artefact.body
    assert isinstance(body, Trees), "lightgbm grows trees"
    some = {name: values[:_EXPLAINED] for name, values in columns.items()}
    count = len(next(iter(some.values())))
    first = {name: values[:1] for name, values in some.items()}
    scoring.score_columns(artefact, first)  # makes its tables
    scoring.pd_of_columns(artefact, first)
    whole = median_seconds(lambda: scoring.score_columns(artefact, some), repeats=ground.sizes.repeats)
    alone = median_seconds(lambda: scoring.pd_of_columns(artefact, some), repeats=ground.sizes.repeats)
    one = call_seconds(lambda n: scoring.score_one(artefact, rows[n % len(rows)]), calls=_ONE_BY_ONE // 4)
    peer = others.tree_shap_rows_a_second(
        ground.learnt(), ground.labelled["event"].to_numpy(), some, trees=len(body.trees)
    )
    what = f"{len(body.trees)} trees, {sum(len(tree.leaves) for tree in body.trees):,} leaves"
    return [
        Line(
            "trees, all at once",
            count / whole,
            "rows/s",
            peer=peer,
            note=f"{what}; points, pd and every contribution; peer: LightGBM's pred_contrib, no points or pd",
        ),
        Line("trees, pd alone", count / alone, "rows/s", goal=50_000, keeps=">=", note=what),
        Line("trees, one row, p50", percentile(one, 0.5) * 1e6, "us", note="score and contributions"),
    ]


def _model_lines(
    artefact: scoring.Artefact,
    model: str,
    columns: dict[str, Any],
    rows: list[dict[str, Any]],
    goal: float,
    ground: Ground,
    peer: others.ScorecardSpeed | None,
) -> list[Line]:
    count = len(next(iter(columns.values())))
    whole = median_seconds(lambda: scoring.score_columns(artefact, columns), repeats=ground.sizes.repeats)
    spelt = min(_SPELT, count)
    spelling = seconds_of(_spell(artefact, {n: v[:spelt] for n, v in columns.items()}))
    one = call_seconds(
        lambda n: scoring.reasons(artefact, scoring.score_one(artefact, rows[n % len(rows)])),
        calls=ground.sizes.decisions,
    )
    why = (
        ""
        if model == "ebm"
        else f"; peer: {absent('optbinning', 'optbinning', ground.sizes) or 'optbinning'}"
    )
    assert isinstance(artefact.body, Tables), "both kinds are additive"
    what = f"{len(artefact.names)} features, {len(artefact.body.terms)} tables"
    return [
        Line(
            f"{model}, all at once",
            count / whole,
            "rows/s",
            peer=peer.rows_a_second if peer else None,
            goal=goal,
            keeps=">=",
            note=f"{what}; points, pd and every contribution{why}",
        ),
        Line(f"{model}, reasons spelt out", spelt / spelling, "rows/s", note="in two languages, row by row"),
        Line(
            f"{model}, one row, p50",
            percentile(one, 0.5) * 1e6,
            "us",
            peer=peer.one_row_microseconds if peer else None,
            note=f"score and reasons{why}",
        ),
        Line(f"{model}, one row, p99", percentile(one, 0.99) * 1e6, "us", note="score and reasons"),
    ]


def _rows(columns: dict[str, Any], count: int) -> list[tuple[Any, ...]]:
    return list(zip(*(values[:count].tolist() for values in columns.values()), strict=True))


def _spell(artefact: scoring.Artefact, columns: dict[str, Any]) -> Any:
    names = list(columns)

    def spell() -> None:
        scored = scoring.score_columns(artefact, columns)
        for row, values in enumerate(_rows(columns, len(scored))):
            told = scoring.score_at(artefact, scored, row, dict(zip(names, values, strict=True)))
            scoring.reasons(artefact, told)

    return spell


def _peer(ground: Ground, columns: dict[str, Any]) -> others.ScorecardSpeed | None:
    if absent("optbinning", "optbinning", ground.sizes):
        return None
    learnt = ground.learnt()
    return others.scorecard_speed(learnt, ground.labelled["event"].to_numpy(), columns)
