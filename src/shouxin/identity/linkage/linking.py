"""A people file in, people out: recognise the columns, learn weights, weigh pairs, form groups."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import log2
from pathlib import Path
from typing import Any

import pyarrow as pa

from shouxin.identity.domain.clustering import agglomerate, components, manageable
from shouxin.identity.linkage.columns import Column, one_spelling, recognise
from shouxin.identity.linkage.metrics import Agreement, b_cubed, pairwise
from shouxin.identity.linkage.scoring import Comparing
from shouxin.identity.linkage.training import splink_clusters, train
from shouxin.identity.linkage.weights import MICRO, MatchWeights, probability
from shouxin.ingestion.domain.normalising import folded
from shouxin.kernel import Progress, counted_steps, silent

# Another way to link the same records: (threshold, cluster of each record), for comparison.
Peer = Callable[[pa.Table, Sequence[Column]], Iterator[tuple[float, list[int]]]]
_FEBRL = re.compile(r"rec-(\d+)-(?:org|dup-\d+)")
# Reading, learning, weighing, grouping; and with a truth the peer.
_STEPS = 4
# Evens: a group is joined when it is likelier one person than two. Not tuned to any file.
CUT_BITS = 0.0
# Pairs below it can still hold a group together through others.
_REACH_BITS = 3.0
_PRIOR_STEPS = 50


class UnableToLinkFile(ValueError):
    """The file can not be linked; the message says what, where and how to mend it."""


@dataclass(frozen=True, slots=True)
class LinkReport:
    """``clusters``: the person of each record in the file's order. Measures are None without a truth.

    ``peer`` has Splink's pairwise measures by threshold, on the same file and the same columns.
    """

    records: int
    clusters: tuple[int, ...]
    columns: tuple[Column, ...]
    weights: MatchWeights
    candidates: int
    pairwise: Agreement | None = None
    b_cubed: Agreement | None = None
    peer: dict[float, Agreement] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """What ``shouxin link`` prints."""
        told: dict[str, Any] = {
            "records": self.records,
            "clusters": len(set(self.clusters)),
            "candidates": self.candidates,
            "columns": {column.name: column.kind.value for column in self.columns},
            "weights": self.weights.as_data()["hash"],
        }
        if self.pairwise is not None and self.b_cubed is not None:
            told |= {"pairwise": self.pairwise.as_data(), "b_cubed": self.b_cubed.as_data()}
        if self.peer:
            best = max(self.peer, key=lambda threshold: self.peer[threshold].f1)
            told["splink"] = {
                "threshold": 0.95,
                "pairwise": self.peer[0.95].as_data(),
                "best_threshold": best,
                "best_pairwise": self.peer[best].as_data(),
            }
        return told


def link_file(
    path: Path,
    *,
    id_column: str | None = None,
    truth_column: str | None = None,
    peer: Peer | None = splink_clusters,
    progress: Progress = silent,
) -> LinkReport:
    """Find the people of a CSV file. The truth, where there is one, only measures. Raises UnableToLinkFile.

    ``truth_column`` names whose record each is; of FEBRL's ``rec-12-dup-0`` it is the number. It and the
    ``id_column`` are never compared, nor is a column in which every value is another.
    """
    header, cells = _read(path)
    for name in (id_column, truth_column):
        if name is not None and name not in header:
            raise UnableToLinkFile(f"{path}: has no column {name}; it has {', '.join(header)[:300]}")
    truth = _truth(cells[truth_column]) if truth_column else None
    columns = _columns(cells, hidden={id_column, truth_column})
    if not columns:
        raise UnableToLinkFile(f"{path}: no column says anything about people that two records could share")
    records = _records(cells, columns)
    steps = counted_steps(progress, total=_STEPS + (truth is not None))
    next(steps)
    report = _linked(records, columns, steps)
    if truth is None:
        return report
    measured = replace(
        report, pairwise=pairwise(report.clusters, truth), b_cubed=b_cubed(report.clusters, truth)
    )
    found = {at: pairwise(c, truth) for at, c in peer(records, columns)} if peer else {}
    next(steps)
    return replace(measured, peer=found)


def _linked(records: pa.Table, columns: Sequence[Column], steps: Iterator[int]) -> LinkReport:
    weights = train(records, columns)
    next(steps)
    comparing = Comparing(records, columns)
    try:
        candidates = comparing.candidates()
        pairs = {(left, right): bits for left, right, bits in comparing.weighed(weights)}
        sums = {pair: sum(bits.values()) / MICRO for pair, bits in pairs.items()}
        prior = _refined_prior(list(sums.values()), weights.prior / MICRO, records.num_rows)
        next(steps)
        weights = replace(weights, prior=round(prior * MICRO))
        clusters = _clusters(records.num_rows, sums, prior, comparing, weights)
    finally:
        comparing.close()
    next(steps)
    return LinkReport(records.num_rows, tuple(clusters), tuple(columns), weights, candidates)


def _clusters(
    count: int,
    sums: Mapping[tuple[int, int], float],
    prior: float,
    comparing: Comparing,
    weights: MatchWeights,
) -> list[int]:
    """The person of each record: the number of the person's first record."""
    near = [pair for pair, bits in sums.items() if bits + prior >= CUT_BITS - _REACH_BITS]
    scored = {pair: bits + prior for pair, bits in sums.items()}
    groups = [
        part
        for group in components(count, near)
        for part in manageable(group, scored, cut=CUT_BITS - _REACH_BITS)
    ]
    known = dict(sums)
    missing = [pair for group in groups for pair in combinations(group, 2) if pair not in known]
    if missing:
        comparing.add_pairs(missing)
        known |= {(a, b): sum(bits.values()) / MICRO for a, b, bits in comparing.weighed(weights)}
    person = list(range(count))
    for group in groups:
        inside = {pair: known[pair] + prior for pair in combinations(group, 2)}
        for part in agglomerate(group, inside, cut=CUT_BITS):
            for one in part:
                person[one] = part[0]
    return person


def _refined_prior(sums: Sequence[float], start: float, count: int) -> float:
    """The prior with which the pairs' own probabilities add up to as many matches as it says."""
    pairs = max(1, count * (count - 1) // 2)
    prior = start
    for _ in range(_PRIOR_STEPS):
        expected = sum(probability(bits + prior) for bits in sums)
        share = min(max(expected / pairs, 1e-9), 0.5)
        prior = log2(share / (1 - share))
    return prior


def _read(path: Path) -> tuple[list[str], dict[str, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[folded(cell) for cell in row] for row in csv.reader(file) if row]
    except UnicodeDecodeError:
        raise UnableToLinkFile(
            f"{path}: is not UTF-8; convert it first: iconv -f GB18030 -t UTF-8 {path.name}"
        ) from None
    except (OSError, csv.Error) as error:
        raise UnableToLinkFile(f"{path}: can not be read: {error}") from None
    if len(rows) < 3:
        raise UnableToLinkFile(f"{path}: needs a header and two records at least")
    header = rows[0]
    if len(set(header)) < len(header) or "" in header:
        raise UnableToLinkFile(f"{path}: the header needs a different name for every column")
    for line, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise UnableToLinkFile(f"{path}: record {line} has {len(row)} fields instead of {len(header)}")
    return header, {name: [row[i] for row in rows[1:]] for i, name in enumerate(header)}


def _columns(cells: Mapping[str, list[str]], *, hidden: set[str | None]) -> list[Column]:
    found = []
    for name, values in cells.items():
        all_differ = len(set(values)) == len(values)
        if name in hidden or all_differ:
            continue
        column = recognise(name, values)
        if column is not None:
            found.append(column)
    return found


def _records(cells: Mapping[str, list[str]], columns: Sequence[Column]) -> pa.Table:
    count = len(next(iter(cells.values())))
    table: dict[str, Any] = {"unique_id": pa.array(range(count), pa.int64())}
    for column in columns:
        spelled = [one_spelling(value, column.kind) or None for value in cells[column.name]]
        table[column.name] = pa.array(spelled, pa.string())
    return pa.table(table)


def _truth(values: Sequence[str]) -> list[str]:
    numbers = [_FEBRL.fullmatch(value) for value in values]
    return (
        [found.group(1) if found else value for found, value in zip(numbers, values, strict=True)]
        if all(numbers)
        else list(values)
    )
