"""Candidate pairs and their weights, in SQL: records that share a key are compared, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import duckdb
import pyarrow as pa

from shouxin.identity.linkage.columns import Column, ColumnKind
from shouxin.identity.linkage.weights import MICRO, ColumnWeights, MatchWeights, quoted

Pair = tuple[int, int]
# A key that more records share says nothing about who somebody is, and costs the square of them.
SHARED_MAX = 60
# Records of a name alone are compared where names are many.
_NAME_ALONE_SHARE = 0.05


class Comparing:
    """The records of a file in DuckDB, ready to be paired and weighed; close it when done."""

    def __init__(self, records: pa.Table, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._engine = duckdb.connect(config={"threads": 2})
        self._engine.register("given", records)
        count = max(1, records.num_rows)
        shares = "".join(
            f", CASE WHEN {_name(c)} IS NOT NULL THEN count(*) OVER (PARTITION BY {_name(c)}) / {count} END"
            f" AS {quoted(c.name, 'share')}"
            for c in columns
        )
        self._engine.execute(f"CREATE TABLE record AS SELECT *{shares} FROM given")

    def close(self) -> None:
        """Let the memory go."""
        self._engine.close()

    def candidates(self) -> int:
        """Find the pairs that share a key, into the table ``pair``; returns how many."""
        count = self._engine.execute("SELECT count(*) FROM record").fetchall()[0][0]
        keys = list(_keys(self._columns, count))
        if not keys:
            keys = [_name(column) for column in self._columns]
        held = " UNION ALL ".join(
            f"SELECT {number} AS rule, {key} AS key, unique_id FROM record WHERE {key} IS NOT NULL"
            for number, key in enumerate(keys)
        )
        self._engine.execute(
            f"CREATE TABLE held AS SELECT * FROM ({held})"
            f" QUALIFY count(*) OVER (PARTITION BY rule, key) <= {SHARED_MAX}"
        )
        self._engine.execute(
            "CREATE TABLE pair AS SELECT DISTINCT a.unique_id AS l, b.unique_id AS r"
            " FROM held a JOIN held b ON a.rule = b.rule AND a.key = b.key AND a.unique_id < b.unique_id"
        )
        return int(self._engine.execute("SELECT count(*) FROM pair").fetchall()[0][0])

    def add_pairs(self, pairs: Iterable[Pair]) -> None:
        """Look at these pairs instead."""
        rows = list(pairs)
        table = pa.table(
            {"l": pa.array([a for a, _ in rows], pa.int64()), "r": pa.array([b for _, b in rows], pa.int64())}
        )
        self._engine.register("asked", table)
        self._engine.execute("CREATE OR REPLACE TABLE pair AS SELECT * FROM asked")

    def weighed(self, weights: MatchWeights) -> list[tuple[int, int, dict[str, int]]]:
        """Every pair with the micro-bits of each column; the prior is not in them."""
        names = [one.column.name for one in weights.columns]
        sides = ", ".join(
            f"a.{_quote(name)} AS {quoted(name, 'l')}, b.{_quote(name)} AS {quoted(name, 'r')},"
            f" greatest(a.{quoted(name, 'share')}, b.{quoted(name, 'share')}) AS {quoted(name, 'share')}"
            for name in names
        )
        cases = ", ".join(f"{_case(one)} AS w{number}" for number, one in enumerate(weights.columns))
        rows = self._engine.execute(
            f"WITH side AS (SELECT p.l, p.r, {sides} FROM pair p"
            " JOIN record a ON a.unique_id = p.l JOIN record b ON b.unique_id = p.r)"
            f" SELECT l, r, {cases} FROM side ORDER BY l, r"
        ).fetchall()
        return [(row[0], row[1], dict(zip(names, row[2:], strict=True))) for row in rows]


def _case(one: ColumnWeights) -> str:
    left, right = quoted(one.column.name, "l"), quoted(one.column.name, "r")
    whens = []
    for place, level in enumerate(one.levels):
        value = str(level.weight)
        if place == 0 and one.by_frequency:
            share = quoted(one.column.name, "share")
            value = f"{level.weight} + round(log2({one.typical_share!r} / {share}) * {MICRO})"
        whens.append(f"WHEN {level.sql} THEN {value}")
    return (
        f"CAST(CASE WHEN {left} IS NULL OR {right} IS NULL THEN 0 {' '.join(whens)}"
        f" ELSE {one.otherwise} END AS BIGINT)"
    )


def _keys(columns: Sequence[Column], count: int) -> Iterator[str]:
    """What two records of one person may share, although much else differs."""
    useful = [column for column in columns if column.kind is not ColumnKind.CLASS]
    names = [column for column in useful if column.kind is ColumnKind.PERSON_NAME]
    for column in useful:
        yield from _own_keys(column, count)
    for one, other in combinations(useful, 2):
        if not (one.identifies and other.identifies):
            yield _together(_name(one), _name(other))
    for name in names:
        for other in useful:
            if other.kind is ColumnKind.DATE:
                yield _together(_start(name, 2), _start(other, 4))
            elif other is not name and not other.identifies:
                yield _together(_start(name, 3), _start(other, 4))
    for one, other in combinations(names, 2):
        a, b = _name(one), _name(other)
        yield _together(f"least({a}, {b})", f"greatest({a}, {b})")


def _own_keys(column: Column, count: int) -> Iterator[str]:
    """The keys that one column makes alone."""
    many_names = column.kind is ColumnKind.PERSON_NAME and column.distinct > _NAME_ALONE_SHARE * count
    if column.identifies or column.kind is ColumnKind.TEXT or many_names:
        yield _name(column)
    if column.kind is ColumnKind.EMAIL:
        yield f"split_part({_name(column)}, '@', 1)"


def _together(one: str, other: str) -> str:
    return f"{one} || chr(31) || {other}"


def _start(column: Column, length: int) -> str:
    return f"left({_name(column)}, {length})"


def _name(column: Column) -> str:
    return _quote(column.name)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
