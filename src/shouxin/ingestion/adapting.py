"""Adapting: what an adapter hands on, whatever shop the data came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from shouxin.ingestion.reading import RawChunk, RefusedRow

_OWN_COLUMNS = ("digest", "is_repeat", "field", "reason")


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A chunk in canonical columns: rows to check, rows refused, and how many repeat another row."""

    rows: pa.Table
    refused: tuple[RefusedRow, ...]
    repeats: int
    adapter: str
    first_position: int = 0
    done: int = 0
    total: int = 0
    refused_digests: tuple[str, ...] = ()

    @property
    def read(self) -> int:
        """How many records of the file this chunk accounts for."""
        rows: int = self.rows.num_rows
        return rows + len(self.refused) + self.repeats


def canonical(chunk: RawChunk) -> Interpreted:
    """A chunk that is in canonical columns already."""
    return Interpreted(
        chunk.table, chunk.malformed, 0, "canonical", chunk.first_position, chunk.done, chunk.total
    )


def split(judged: pa.Table, given: pa.Table, *, source: str) -> Interpreted:
    """Divide an adapter's rows by what it says of them: ``is_repeat``, ``field`` and ``reason``.

    ``given`` are the rows as they stood in the file; both tables carry ``position``.
    """
    repeats = judged.column("is_repeat").to_pylist()
    fields = judged.column("field").to_pylist()
    taken = [i for i, field in enumerate(fields) if field is None and not repeats[i]]
    refused = [i for i, field in enumerate(fields) if field is not None and not repeats[i]]
    verdicts = judged.select(["position", "place", "customer_ref", *_OWN_COLUMNS])
    verdicts = verdicts.take(pa.array(refused, pa.int64())).to_pylist()
    rows_of = dict(zip(given.column("position").to_pylist(), range(given.num_rows), strict=True))
    held = given.take(pa.array([rows_of[v["position"]] for v in verdicts], pa.int64()))
    raws = [json.dumps(row) for row in held.drop_columns(["place", "position"]).to_pylist()]
    items = (
        RefusedRow(v["place"], v["position"], v["field"], v["reason"], source, raw, v["customer_ref"] or None)
        for v, raw in zip(verdicts, raws, strict=True)
    )
    return Interpreted(
        judged.take(pa.array(taken, pa.int64())).drop_columns(list(_OWN_COLUMNS)),
        tuple(items),
        sum(repeats),
        source,
        refused_digests=tuple(v["digest"] for v in verdicts),
    )


def interpreted_chunks(
    chunks: Iterable[RawChunk], interpret: Callable[[pa.Table], Interpreted], *, source: str
) -> Iterator[Interpreted]:
    """Interpret chunk by chunk; a refused row that repeats one of an earlier chunk is a repeat too."""
    seen: set[str] = set()
    for chunk in chunks:
        found = interpret(chunk.table)
        fresh = [
            row
            for row, digest in zip(found.refused, found.refused_digests, strict=True)
            if digest not in seen
        ]
        seen.update(found.refused_digests)
        yield replace(
            found,
            refused=(*fresh, *chunk.malformed),
            repeats=found.repeats + len(found.refused) - len(fresh),
            adapter=source,
            first_position=chunk.first_position,
            done=chunk.done,
            total=chunk.total,
            refused_digests=(),
        )
