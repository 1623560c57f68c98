"""Weights of the online matcher, learnt by Splink from encoded records: no clear text is needed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import log2
from typing import Any

import pyarrow as pa
import splink.comparison_level_library as cll
import splink.comparison_library as cl

from shouxin.identity.domain.encoding import LEVEL_MASK, LEVEL_OF, LEVELS, Encoded
from shouxin.identity.domain.weighing import DIFFERS, LinkageWeights, agreement, weighed
from shouxin.identity.linkage.columns import Column, ColumnKind
from shouxin.identity.linkage.training import Share, learnt_shares
from shouxin.identity.linkage.weights import MICRO, probability, weights_of

# 32 to 1: a merge joins two people's money.
MERGE_FROM = 5 * MICRO
# Evens: below it a look is rather wasted.
REVIEW_FROM = 0
Pattern = tuple[tuple[str, str], ...]
# A key that more records share says nothing about who somebody is.
KEY_SHARED_MAX = 60
_KINDS = {
    "name": ColumnKind.PERSON_NAME,
    "birth_date": ColumnKind.DATE,
    "phone": ColumnKind.NUMBER,
    "email": ColumnKind.EMAIL,
    "national_id": ColumnKind.NUMBER,
    "address": ColumnKind.TEXT,
}
_STEPS = 20
_TRAINED_MIN = 500


class UnableToTrainLinkage(ValueError):
    """There are too few records to learn from."""


def learn_weights(records: Sequence[Encoded]) -> LinkageWeights:
    """Learn how often each level holds within one person and among strangers. Raises UnableToTrainLinkage."""
    if len(records) < _TRAINED_MIN:
        raise UnableToTrainLinkage(
            f"{len(records)} records are too few to learn from; {_TRAINED_MIN} are needed"
        )
    columns = [Column(field, kind, len(records)) for field, kind in _KINDS.items()]
    comparisons = [_comparison(place, column.name) for place, column in enumerate(columns)]
    learnt, start = learnt_shares(_table(records), columns, comparisons)
    shares = dict(zip(LEVELS, learnt, strict=True))
    return _refined(records, shares, LinkageWeights(_bits(shares), start, MERGE_FROM, REVIEW_FROM))


def _bits(shares: Mapping[str, Sequence[Share]]) -> dict[str, tuple[int, ...]]:
    """The micro-bits of the levels of every field, of a difference last."""
    found = {}
    for field, told in shares.items():
        levels = [(label, "") for label in LEVELS[field]]
        one = weights_of(Column(field, _KINDS[field], _TRAINED_MIN), levels, told)
        found[field] = (*(level.weight for level in one.levels), one.otherwise)
    return found


def _table(records: Sequence[Encoded]) -> pa.Table:
    """A column of codes for every level, and of every field one code to learn by."""
    by_level: list[dict[int, list[int]]] = [defaultdict(list) for _ in records]
    for held, record in zip(by_level, records, strict=True):
        for code in sorted(record.codes):
            held[code & LEVEL_MASK].append(code)
    table: dict[str, Any] = {"unique_id": pa.array(range(len(records)), pa.int64())}
    for number, (field, label) in LEVEL_OF.items():
        lists = [held.get(number) for held in by_level]
        table[f"l{number}"] = pa.array(lists, pa.list_(pa.int64()))
        if label == "same":
            table[field] = pa.array([codes[0] if codes else None for codes in lists], pa.int64())
    return pa.table(table)


def _comparison(place: int, field: str) -> Any:
    numbers = {label: number for number, (name, label) in LEVEL_OF.items() if name == field}
    same = numbers["same"]
    missing = cll.CustomLevel(f"l{same}_l IS NULL OR l{same}_r IS NULL").configure(is_null_level=True)
    levels = [
        cll.CustomLevel(f"coalesce(list_has_any(l{numbers[label]}_l, l{numbers[label]}_r), false)", label)
        for label in LEVELS[field]
    ]
    return cl.CustomComparison([missing, *levels, cll.ElseLevel()], output_column_name=f"c{place}")


def _refined(
    records: Sequence[Encoded], shares: Mapping[str, Sequence[Share]], weights: LinkageWeights
) -> LinkageWeights:
    """Learn m and the prior once more from all pairs that share a key, whatever they share.

    Splink learns m from pairs that agree on one field at a time. Where nearly all of those are one
    person's, its two classes may become two sorts of that person, and m comes out too small.
    """
    patterns = Counter(
        tuple(agreement(records[one], records[other]).items())
        for one, other in candidate_pairs(record.keys for record in records)
    )
    pairs = max(1, len(records) * (len(records) - 1) // 2)
    for _ in range(_STEPS):
        likely = [(found, count * _likelihood(dict(found), weights)) for found, count in patterns.items()]
        share = min(max(sum(expected for _, expected in likely) / pairs, 1e-9), 0.5)
        shares = {field: _reshared(field, told, likely) for field, told in shares.items()}
        prior = round(log2(share / (1 - share)) * MICRO)
        weights = LinkageWeights(_bits(shares), prior, weights.merge_from, weights.review_from)
    return weights


def _likelihood(found: Mapping[str, str], weights: LinkageWeights) -> float:
    micro_bits = weighed(found, weights=weights).micro_bits
    return 0.0 if micro_bits is None else probability(micro_bits / MICRO)


def _reshared(field: str, told: Sequence[Share], likely: Iterable[tuple[Pattern, float]]) -> list[Share]:
    """m of each level of a field among likely pairs; u as it was."""
    held: dict[str, float] = defaultdict(float)
    for found, expected in likely:
        level = dict(found).get(field)
        if level is not None:
            held[level] += expected
    total = sum(held.values())
    if not total:
        return list(told)
    labels = (*LEVELS[field], DIFFERS)
    return [(held[label] / total, u or 0.0) for label, (_, u) in zip(labels, told, strict=True)]


def candidate_pairs(keys: Iterable[Iterable[int]]) -> set[tuple[int, int]]:
    """The pairs of positions that share a key."""
    holders: dict[int, list[int]] = defaultdict(list)
    for position, held in enumerate(keys):
        for key in held:
            holders[key].append(position)
    return {
        pair
        for positions in holders.values()
        if len(positions) <= KEY_SHARED_MAX
        for pair in combinations(positions, 2)
    }
