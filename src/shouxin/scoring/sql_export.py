"""A model of tables as one SELECT: the same integers as in Python, in the shop's own warehouse.

Slots are found by CASE, entries by their place in an array, and everything is added up in whole millionths,
so DuckDB, PostgreSQL and Spark SQL give the points, the pd and every contribution that Python gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.families import Tables, Term
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.score import BILLION, LOG_ODDS_CLAMP

Dialect = Literal["duckdb", "postgres", "spark"]


class UnableToExport(ValueError):
    """The model is not a sum of tables, or there is no such dialect."""


@dataclass(frozen=True, slots=True)
class _Spelling:
    """What the dialects say differently. Arrays count from 1 in all three."""

    name: Dialect
    number: str
    text: str
    entry: Callable[[str, str], str]
    whole: str

    def quoted(self, name: str) -> str:
        return exp.to_identifier(name, quoted=True).sql(dialect=self.name)

    def literal(self, text: str) -> str:
        return exp.Literal.string(text).sql(dialect=self.name)

    def double(self, value: float) -> str:
        """A number with all its digits; a bare literal might be a decimal."""
        return f"CAST('{value!r}' AS {self.number})"

    def divided(self, dividend: str, divisor: int) -> str:
        """Whole division that rounds down, as Python's: every dialect rounds a negative one up."""
        rest = f"(({dividend}) % {divisor} + {divisor}) % {divisor}"
        return f"((({dividend}) - {rest}) {self.whole} {divisor})"


_SPELLINGS: Mapping[str, _Spelling] = {
    "duckdb": _Spelling("duckdb", "DOUBLE", "VARCHAR", lambda e, i: f"([{e}]::BIGINT[])[{i} + 1]", "//"),
    "postgres": _Spelling(
        "postgres", "DOUBLE PRECISION", "TEXT", lambda e, i: f"(ARRAY[{e}]::BIGINT[])[{i} + 1]", "/"
    ),
    "spark": _Spelling(
        "spark", "DOUBLE", "STRING", lambda e, i: f"element_at(CAST(array({e}) AS ARRAY<BIGINT>), {i} + 1)",
        "DIV",
    ),
}  # fmt: skip
DIALECTS = tuple(_SPELLINGS)


def scoring_sql(artefact: Artefact, *, dialect: str, table: str, keys: Sequence[str] = ()) -> str:
    """One SELECT over ``table``: the ``keys``, then ``points``, ``pd``, ``log_odds``, two columns a feature.

    ``<feature>_log_odds`` (millionths) and ``<feature>_points`` are the contributions, which add up to
    ``log_odds`` and ``points`` from ``reference_log_odds`` and ``reference_points``. A category is compared
    as text. Raises UnableToExport.
    """
    if dialect not in _SPELLINGS:
        raise UnableToExport(f"there is no dialect {dialect!r}; there are {', '.join(DIALECTS)}")
    if not isinstance(artefact.body, Tables):
        raise UnableToExport(f"a {artefact.model} is not a sum of tables and has no SQL; score it in Python")
    say = _SPELLINGS[dialect]
    kept = [say.quoted(key) for key in keys]
    steps = [
        ("found", ", ".join([*kept, *_slots(artefact, artefact.body, say)]), table),
        ("looked_up", ", ".join([*kept, *_entries(artefact, artefact.body, say)]), "found"),
        ("added_up", ", ".join([*kept, *_sums(artefact, artefact.body, say)]), "looked_up"),
    ]
    common = ",\n".join(f"{name} AS (SELECT {columns} FROM {source})" for name, columns, source in steps)
    return f"WITH {common}\nSELECT {', '.join([*kept, *_told(artefact, say)])} FROM added_up"


def _slots(artefact: Artefact, body: Tables, say: _Spelling) -> list[str]:
    """``s<i>``: the slot of each feature; ``p<i>``: its slot in tables of two."""
    paired = sorted({i for term in body.terms if len(term.features) == 2 for i in term.features})
    found = [f"{_slot(f, f.edges, say)} AS s{i}" for i, f in enumerate(artefact.features)]
    return found + [
        f"{_slot(artefact.features[i], artefact.features[i].pair_edges, say)} AS p{i}" for i in paired
    ]


def _slot(feature: Feature, edges: Sequence[float], say: _Spelling) -> str:
    name = say.quoted(feature.name)
    if feature.type == "category":
        text = f"CAST({name} AS {say.text})"
        groups = [
            f"WHEN {text} IN ({', '.join(map(say.literal, group))}) THEN {slot}"
            for slot, group in enumerate(feature.categories)
        ]
        unseen = feature.slots - 1 if feature.unseen is None else feature.unseen
        return f"CASE WHEN {name} IS NULL THEN {feature.regular} {' '.join(groups)} ELSE {unseen} END"
    number, missing = f"CAST({name} AS {say.number})", len(edges) + 1
    # NaN is a value like others to all three, and the largest.
    cases = [f"WHEN {name} IS NULL OR {number} = CAST('NaN' AS {say.number}) THEN {missing}"]
    cases += [
        f"WHEN {number} = {say.double(value)} THEN {missing + 1 + index}"
        for index, value in enumerate(feature.special)
    ]
    cases += [f"WHEN {number} < {say.double(edge)} THEN {slot}" for slot, edge in enumerate(edges)]
    return f"CASE {' '.join(cases)} ELSE {len(edges)} END"


def _entries(artefact: Artefact, body: Tables, say: _Spelling) -> list[str]:
    """``t<k>``: what each table says against its mean."""
    return [f"{_entry(artefact.features, term, say)} AS t{number}" for number, term in enumerate(body.terms)]


def _entry(features: Sequence[Feature], term: Term, say: _Spelling) -> str:
    place = f"s{term.features[0]}"
    if len(term.features) == 2:
        first, second = term.features
        place = f"p{first} * {features[second].pair_slots} + p{second}"
    return say.entry(", ".join(map(str, term.deltas)), place)


def _sums(artefact: Artefact, body: Tables, say: _Spelling) -> list[str]:
    """``d<i>``: what each feature did. A table of two is shared half and half, the odd one to the first."""
    parts: list[list[str]] = [[] for _ in artefact.features]
    for number, term in enumerate(body.terms):
        half = say.divided(f"t{number}", 2)
        if len(term.features) == 1:
            parts[term.features[0]].append(f"t{number}")
        else:
            parts[term.features[0]].append(f"t{number} - {half}")
            parts[term.features[1]].append(half)
    return [f"{' + '.join(own) or '0'} AS d{index}" for index, own in enumerate(parts)]


def _told(artefact: Artefact, say: _Spelling) -> list[str]:
    """The columns that people read."""
    scaling, base = artefact.scaling, artefact.reference
    # A bare literal would be a small integer, and products of those overflow.
    sums = [f"CAST({base} AS BIGINT)"]
    for index in range(len(artefact.features)):
        sums.append(f"{sums[-1]} + d{index}")

    def points(log_odds: str) -> str:
        offset = scaling.offset * MILLION + MILLION**2 // 2
        return say.divided(f"{offset} - {scaling.factor} * ({log_odds})", MILLION**2)

    total = sums[-1]
    clamped = f"LEAST(GREATEST({total}, -{LOG_ODDS_CLAMP}), {LOG_ODDS_CLAMP})"
    power = f"EXP(CAST({clamped} AS {say.number}) / {say.double(-float(MILLION))})"
    billion = say.double(float(BILLION))
    share = f"FLOOR({billion} / ({say.double(1.0)} + {power}) + {say.double(0.5)})"
    told = [
        f"{points(total)} AS points",
        f"CAST({share} AS {say.number}) / {billion} AS pd",
        f"{total} AS log_odds",
        f"{sums[0]} AS reference_log_odds",
        f"{scaling.points_at(base)} AS reference_points",
    ]
    for index, feature in enumerate(artefact.features):
        told.append(f"d{index} AS {say.quoted(f'{feature.name}_log_odds')}")
        step = f"{points(sums[index + 1])} - {points(sums[index])}"
        told.append(f"{step} AS {say.quoted(f'{feature.name}_points')}")
    return told
