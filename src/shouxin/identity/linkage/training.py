"""Weights learnt from a file alone, with Splink on DuckDB; and Splink's own linking of it, as our peer.

u (how often strangers agree) comes from random pairs, m (how often one person's records do) from
expectation maximisation over pairs that agree on something else. No truth is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import log2
from typing import Any

import pyarrow as pa
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.exceptions import SplinkException

from shouxin.identity.linkage.columns import Column, ColumnKind
from shouxin.identity.linkage.weights import MICRO, MatchWeights, levels_of, weights_of

_SEED = 20260101
_RANDOM_PAIRS = 2_000_000
_TRAININGS_MAX = 4
# What share of matching pairs agrees on two strong columns; a rough start, refined by the pairs' weights.
_RECALL_OF_STRICT_RULES = 0.7
# How often a level holds within one person's records, and among strangers; None where nobody showed it.
Share = tuple[float | None, float | None]
_THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
_SILENT = 60
_LOWEST_WEIGHT = -10.0


def train(records: pa.Table, columns: Sequence[Column]) -> MatchWeights:
    """Weights for these columns of ``records`` (``unique_id`` and every column as text, null if missing)."""
    comparisons = [_comparison(column, columns) for column in columns]
    shares, prior = learnt_shares(records, columns, comparisons)
    learnt = [
        weights_of(column, levels_of(column, columns), told)
        for column, told in zip(columns, shares, strict=True)
    ]
    return MatchWeights(tuple(learnt), prior)


def learnt_shares(
    records: pa.Table, columns: Sequence[Column], comparisons: list[Any]
) -> tuple[list[list[Share]], int]:
    """(m, u) of every level of the comparisons (named c0, c1 .. as the columns); the prior in micro-bits."""
    model: dict[str, Any] = _trained(records, columns, comparisons).misc.save_model_to_json()
    by_name = {one["output_column_name"]: one["comparison_levels"] for one in model["comparisons"]}
    shares = [
        [
            (level.get("m_probability"), level.get("u_probability"))
            for level in by_name[f"c{position}"]
            if not level.get("is_null_level")
        ]
        for position in range(len(columns))
    ]
    return shares, _prior(model["probability_two_random_records_match"])


def splink_clusters(records: pa.Table, columns: Sequence[Column]) -> Iterator[tuple[float, list[int]]]:
    """(threshold, cluster of each record) as Splink links the file with its own comparisons.

    Nothing when Splink can not: from a small file it may learn too little to predict with.
    """
    comparisons = [_library_comparison(column) for column in columns]
    linker = _trained(records, columns, comparisons)
    try:
        predicted = linker.inference.predict(threshold_match_weight=_LOWEST_WEIGHT)
    except SplinkException:
        return
    for threshold in _THRESHOLDS:
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predicted, threshold_match_probability=threshold
        )
        told = clusters.as_duckdbpyrelation().to_arrow_table().to_pydict()
        of = dict(zip(told["unique_id"], told["cluster_id"], strict=True))
        yield threshold, [of[one] for one in range(records.num_rows)]


def _trained(records: pa.Table, columns: Sequence[Column], comparisons: list[Any]) -> Linker:
    """A linker that has learnt from every column it can; after a failed lesson it starts anew without it."""
    by_distinct = sorted(_useful(columns), key=lambda column: (-column.distinct, column.name))
    lessons = by_distinct[:_TRAININGS_MAX]
    while True:
        linker = _untrained(records, columns, comparisons)
        failed = _maximise(linker, lessons)
        if failed is None:
            return linker
        lessons = [column for column in lessons if column is not failed]


def _untrained(records: pa.Table, columns: Sequence[Column], comparisons: list[Any]) -> Linker:
    """A linker that knows how often strangers agree, and not yet how often one person's records do."""
    useful = _useful(columns)
    pairs = list(combinations(useful, 2))
    alone = [block_on(_named(column)) for column in useful if column.identifies]
    together = [
        block_on(_named(one), _named(other))
        for one, other in pairs
        if not (one.identifies or other.identifies)
    ]
    strict = [block_on(_named(a), _named(b)) for a, b in pairs if a.identifies or b.identifies] or together
    rules: list[Any] = [*alone, *together] or list(strict)
    settings = SettingsCreator(
        "dedupe_only", comparisons=comparisons, blocking_rules_to_generate_predictions=rules
    )
    linker = Linker(DuckDBAPI().register(records), settings, log_level=_SILENT)
    if strict:
        linker.training.estimate_probability_two_random_records_match(
            [*strict], recall=_RECALL_OF_STRICT_RULES
        )
    linker.training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=_SEED)
    return linker


def _maximise(linker: Linker, lessons: Sequence[Column]) -> Column | None:
    """Train m on pairs that agree on one column, then on another; returns the column that taught nothing.

    No pair may agree on it, or too few to learn from; and Splink forgets a column in a lesson that fails.
    """
    for column in lessons:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(_named(column)), record_sample_proportion=1.0
            )
        except (ValueError, SplinkException):
            return column
    return None


def _useful(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.kind is not ColumnKind.CLASS]


def _comparison(column: Column, columns: Sequence[Column]) -> Any:
    levels: list[Any] = [cll.NullLevel(_named(column))]
    levels += [cll.CustomLevel(sql, label) for label, sql in levels_of(column, columns)]
    position = [one.name for one in columns].index(column.name)
    return cl.CustomComparison([*levels, cll.ElseLevel()], output_column_name=f"c{position}")


def _library_comparison(column: Column) -> Any:
    """What Splink's library offers for the kind of column."""
    name = _named(column)
    if column.kind is ColumnKind.PERSON_NAME:
        return cl.NameComparison(name).configure(term_frequency_adjustments=True)
    if column.kind is ColumnKind.EMAIL:
        return cl.EmailComparison(name)
    if column.kind is ColumnKind.DATE:
        return cl.DateOfBirthComparison(name, input_is_string=True, datetime_format="%Y-%m-%d")
    if column.kind is ColumnKind.CLASS:
        return cl.ExactMatch(name).configure(term_frequency_adjustments=True)
    if column.kind in {ColumnKind.TEXT, ColumnKind.WORD}:
        return cl.JaroWinklerAtThresholds(name, [0.92, 0.8]).configure(term_frequency_adjustments=True)
    return cl.LevenshteinAtThresholds(name, [1, 2])


def _named(column: Column) -> str:
    return '"' + column.name.replace('"', '""') + '"'


def _prior(share: float) -> int:
    return round(log2(share / (1 - share)) * MICRO)
