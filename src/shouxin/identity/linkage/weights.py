"""Weights of evidence between two records, as data: for each column its levels, the likeliest first."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from shouxin.identity.linkage.columns import Column, ColumnKind
from shouxin.kernel import canonical_json

# Millionths of a bit: whole numbers add up to the same sum everywhere.
MICRO = 1_000_000
# Nothing that was not seen in training is impossible; what was seen by chance proves little.
_RAREST = 1e-5
_UNSEEN = 5e-4
_SWAPPED = "swapped with "
_RAREST_DIFFERENCE = 0.01


@dataclass(frozen=True, slots=True)
class Level:
    """One degree of agreement: the SQL that tells it of ``l`` and ``r``, and its weight in micro-bits."""

    label: str
    sql: str
    weight: int


@dataclass(frozen=True, slots=True)
class ColumnWeights:
    """The levels of a column; ``otherwise`` is the weight where none holds. A missing value weighs 0.

    ``typical_share``: how often two strangers agree exactly. An exact agreement on a rarer value weighs more,
    where ``by_frequency``.
    """

    column: Column
    levels: tuple[Level, ...]
    otherwise: int
    by_frequency: bool
    typical_share: float


@dataclass(frozen=True, slots=True)
class MatchWeights:
    """Everything that scores a pair: the sum of its columns' weights and the ``prior`` (micro-bits)."""

    columns: tuple[ColumnWeights, ...]
    prior: int

    def as_data(self) -> dict[str, Any]:
        """The artefact: JSON with whole weights, named by its content."""
        columns = [
            {
                "name": one.column.name,
                "kind": one.column.kind.value,
                "levels": [{"label": level.label, "micro_bits": level.weight} for level in one.levels],
                "otherwise_micro_bits": one.otherwise,
                "by_frequency": one.by_frequency,
            }
            for one in self.columns
        ]
        content: dict[str, Any] = {"columns": columns, "prior_micro_bits": self.prior}
        return {**content, "hash": "sha256:" + hashlib.sha256(canonical_json(content)).hexdigest()}


def levels_of(column: Column, columns: Sequence[Column]) -> list[tuple[str, str]]:
    """(label, SQL over ``<name>_l`` and ``<name>_r``) of each degree of agreement, the closest first."""
    left, right = quoted(column.name, "l"), quoted(column.name, "r")
    same = ("same", f"{left} = {right}")
    kind = column.kind
    if kind is ColumnKind.CLASS:
        return [same]
    if kind in {ColumnKind.NUMBER, ColumnKind.CODE}:
        return [same, _edits(left, right, most=1), _edits(left, right, most=2)]
    if kind is ColumnKind.DATE:
        return [same, *_date_levels(left, right)]
    if kind is ColumnKind.EMAIL:
        users = [f"split_part({side}, '@', 1)" for side in (left, right)]
        alike = [_alike(users[0], users[1], share=share) for share in (0.88, 0.7)]
        return [same, ("same user", f"{users[0]} = {users[1]}"), _edits(left, right, most=2), *alike]
    swapped = _swapped_levels(column, columns) if kind is ColumnKind.PERSON_NAME else []
    return [same, *swapped, *(_alike(left, right, share=share) for share in (0.95, 0.88, 0.8, 0.7))]


def weights_of(
    column: Column, levels: Sequence[tuple[str, str]], shares: Sequence[tuple[float | None, float | None]]
) -> ColumnWeights:
    """Weights from shares (m among one person's records, u among strangers), the last for ``otherwise``.

    A closer level never weighs less than a farther one, whatever a small training said.
    """
    bits = [_bits(m, u, unseen=_UNSEEN if place else _RAREST) for place, (m, u) in enumerate(shares)]
    bits[-1] = _bits(max(shares[-1][0] or 0.0, _RAREST_DIFFERENCE), shares[-1][1], unseen=_RAREST)
    known = [bit for bit in bits if bit is not None]
    filled = [bit if bit is not None else min(known, default=0.0) for bit in bits]
    swapped = [label.startswith(_SWAPPED) for label, _ in levels]
    nested = [place for place in range(len(filled)) if place >= len(swapped) or not swapped[place]]
    for closer, farther in reversed(list(pairwise(nested))):
        filled[closer] = max(filled[closer], filled[farther])
    # Strangers' names are hardly ever swapped, so that little would prove too much.
    filled = [min(bit, filled[0]) for bit in filled]
    made = [Level(label, sql, _micro(bit)) for (label, sql), bit in zip(levels, filled, strict=False)]
    by_frequency = column.kind in {ColumnKind.PERSON_NAME, ColumnKind.WORD, ColumnKind.TEXT}
    typical = shares[0][1] or 1 / max(1, column.distinct)
    return ColumnWeights(column, tuple(made), _micro(filled[-1]), by_frequency, typical)


def probability(weight: float) -> float:
    """The probability that a weight in bits (prior included) says."""
    return 1 / (1 + 2 ** -max(-60.0, min(60.0, weight)))


def quoted(name: str, side: str) -> str:
    """The column of one side of a pair."""
    return '"' + f"{name}_{side}".replace('"', '""') + '"'


def _bits(m: float | None, u: float | None, *, unseen: float) -> float | None:
    if m is None or u is None:
        return None
    return math.log2((m + unseen) / (u + unseen))


def _micro(bits: float) -> int:
    return round(bits * MICRO)


def _edits(left: str, right: str, *, most: int) -> tuple[str, str]:
    return (f"{most} edits at most", f"damerau_levenshtein({left}, {right}) <= {most}")


def _alike(left: str, right: str, *, share: float) -> tuple[str, str]:
    return (f"alike {share}", f"jaro_winkler_similarity({left}, {right}) >= {share}")


def _date_levels(left: str, right: str) -> list[tuple[str, str]]:
    digits = [f"regexp_replace({side}, '[^0-9]', '', 'g')" for side in (left, right)]
    same = [
        f"(substr({digits[0]}, {start}, {length}) = substr({digits[1]}, {start}, {length}))"
        for start, length in ((1, 4), (5, 2), (7, 2))
    ]
    two = " OR ".join(f"({one} AND {other})" for one, other in combinations(same, 2))
    return [
        _edits(digits[0], digits[1], most=1),
        ("two parts same", f"({two})"),
        _edits(digits[0], digits[1], most=2),
        ("same year", same[0]),
    ]


def _swapped_levels(column: Column, columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Family and given name change places in many a form."""
    others = [c for c in columns if c.kind is ColumnKind.PERSON_NAME and c.name != column.name]
    left, right = quoted(column.name, "l"), quoted(column.name, "r")
    found = []
    for other in others:
        crossed = f"{left} = {quoted(other.name, 'r')} AND {quoted(other.name, 'l')} = {right}"
        found.append((f"{_SWAPPED}{other.name}", crossed))
    return found
