"""Reading: files as chunks of rows, every row with its place, nothing lost on the way.

CSV is read with Python's own reader: it knows the line of every record, keeps going after a bad one
and takes any line end. A row that does not fit its header, or is not text, comes out as refused.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as described
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CHUNK_ROWS = 100_000
# The canonical columns of a file; the last ones may be missing.
REQUIRED_COLUMNS = ("source", "source_id", "kind", "customer_ref", "occurred_at", "payload")
OPTIONAL_COLUMNS = ("version", "received_at", "order_ref", "amount_minor", "amount", "currency", "personal")
_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_WIDTH = "\x00width"  # beside the columns of a header: how many fields a row has
_ENDS_WRONG = "surrogateescape"  # undecodable bytes survive as lone surrogates, found below


class UnableToRead(ValueError):
    """The file as a whole can not be read; the message says what, where and how to mend it."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that an adapter or the reader can not take; ``raw`` is what it held, to be sealed."""

    place: str
    position: int
    field: str
    reason: str
    source: str
    raw: str = described(repr=False)
    customer_ref: str | None = None


@dataclass(frozen=True, slots=True)
class RawChunk:
    """Rows of one or more files: text columns, a place for each row, and what was not even a row."""

    table: pa.Table
    malformed: tuple[RefusedRow, ...]
    first_position: int
    done: int
    total: int

    @property
    def read(self) -> int:
        """How many records this chunk accounts for."""
        rows: int = self.table.num_rows
        return rows + len(self.malformed)


def files_below(path: Path) -> list[Path]:
    """The file itself, or the data files of a folder by name. Raises UnableToRead when there is none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UnableToRead(f"{path}: no such file or folder")
    found = sorted(p for p in path.iterdir() if p.name.endswith(_SUFFIXES))
    if not found:
        raise UnableToRead(f"{path}: holds no file that ends in {', '.join(_SUFFIXES)}")
    return found


def canonical_chunks(path: Path, *, rows: int = CHUNK_ROWS) -> Iterator[RawChunk]:
    """Chunks of a canonical event file (CSV or Parquet) or of a folder of them. Raises UnableToRead."""
    files = files_below(path)
    texts = [file for file in files if not file.name.endswith(".parquet")]
    tables = [file for file in files if file.name.endswith(".parquet")]
    if texts and tables:
        raise UnableToRead(f"{path}: holds both CSV and Parquet; load them one after the other")
    if tables:
        yield from _parquet_chunks(tables, rows=rows)
    else:
        yield from csv_chunks(texts, required=REQUIRED_COLUMNS, optional=OPTIONAL_COLUMNS, rows=rows)


def csv_chunks(
    files: Sequence[Path],
    *,
    required: Sequence[str],
    optional: Sequence[str] | None = None,
    source: str = "",
    legacy_encoding: str | None = None,
    rows: int = CHUNK_ROWS,
) -> Iterator[RawChunk]:
    """Chunks of CSV files that share a header. ``optional`` None: further columns are not read.

    ``legacy_encoding`` reads rows that are not UTF-8; without it they are refused.
    """
    total = sum(_line_count(file) for file in files) - len(files)
    gathering = _Gathering(source, legacy_encoding)
    position = 0
    for file in files:
        with _opened(file) as stream:
            records = _records(csv.reader(stream), file)
            header = _header(records, file, required=required, optional=optional)
            if gathering.count and header != gathering.header:  # its columns stand in another order
                position += gathering.count
                yield gathering.taken(position, total=total)
            gathering.header = header
            for line, record in records:
                gathering.add(f"{file.name}:{line}", record)
                if gathering.count >= rows:
                    position += gathering.count
                    yield gathering.taken(position, total=total)
    if gathering.count:
        position += gathering.count
        yield gathering.taken(position, total=total)


class _Gathering:
    """Rows on their way into a chunk."""

    def __init__(self, source: str, legacy_encoding: str | None) -> None:
        self._source = source
        self._legacy = legacy_encoding
        self.header: Mapping[str, int] = {}
        self._start()

    @property
    def count(self) -> int:
        """How many records are gathered."""
        return len(self._rows) + len(self._malformed)

    def add(self, place: str, record: list[str] | csv.Error) -> None:
        """Take one record of a file with the current header."""
        if isinstance(record, csv.Error):
            self._refuse(place, [], "not a readable CSV record")
        elif len(record) != self._width:
            self._refuse(place, record, f"has {len(record)} fields instead of {self._width}")
        else:
            self._rows.append(record)
            self._places.append(place)
            self._positions.append(self.count - 1)

    def taken(self, done: int, *, total: int) -> RawChunk:
        """The chunk that ends ``done`` records into the load, and start again."""
        try:
            table = self._table(self._rows)
        except UnicodeEncodeError:  # somewhere bytes were not UTF-8: look at each row
            self._mend()
            table = self._table(self._rows)
        chunk = RawChunk(table, tuple(self._malformed), done - self.count, done, max(total, done))
        self._start()
        return chunk

    def _start(self) -> None:
        self._rows: list[list[str]] = []
        self._places: list[str] = []
        self._positions: list[int] = []
        self._malformed: list[RefusedRow] = []

    @property
    def _width(self) -> int:
        return self.header[_WIDTH]

    def _refuse(self, place: str, record: list[str], reason: str) -> None:
        raw = json.dumps(record)
        self._malformed.append(RefusedRow(place, self.count, "row", reason, self._source, raw))

    def _mend(self) -> None:
        rows, places, positions = self._rows, self._places, self._positions
        self._rows, self._places, self._positions = [], [], []
        for record, place, position in zip(rows, places, positions, strict=True):
            mended = [_decoded(cell, self._legacy) for cell in record]
            if None in mended:
                raw = json.dumps(record)
                self._malformed.append(RefusedRow(place, position, "row", "is not UTF-8", self._source, raw))
                continue
            self._rows.append([cell for cell in mended if cell is not None])
            self._places.append(place)
            self._positions.append(position)

    def _table(self, rows: list[list[str]]) -> pa.Table:
        columns: list[Any] = list(zip(*rows, strict=True))
        names = {name: index for name, index in self.header.items() if name != _WIDTH}
        data = {name: pa.array(columns[index] if rows else [], pa.string()) for name, index in names.items()}
        data["place"] = pa.array(self._places, pa.string())
        data["position"] = pa.array(self._positions, pa.int32())
        return pa.table(data)


def _parquet_chunks(files: Sequence[Path], *, rows: int) -> Iterator[RawChunk]:
    total, done = sum(_parquet(file).metadata.num_rows for file in files), 0
    for file in files:
        parquet = _parquet(file)
        _checked_columns(
            parquet.schema_arrow.names, file, required=REQUIRED_COLUMNS, optional=OPTIONAL_COLUMNS
        )
        row = 0
        for batch in parquet.iter_batches(batch_size=rows):
            table = pa.Table.from_batches([batch])
            positions = np.arange(table.num_rows, dtype=np.int32)
            numbers = pa.array(positions + (row + 1)).cast(pa.string())
            places = pc.binary_join_element_wise(file.name, numbers, ":")
            table = table.append_column("place", places).append_column("position", pa.array(positions))
            yield RawChunk(table, (), done, done + table.num_rows, total)
            row += table.num_rows
            done += table.num_rows


def _parquet(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise UnableToRead(f"{file}: is not a Parquet file: {str(error).splitlines()[0]}") from None


def _opened(file: Path) -> IO[str]:
    if file.name.endswith(".gz"):
        return gzip.open(file, "rt", encoding="utf-8-sig", errors=_ENDS_WRONG, newline="")
    return file.open(encoding="utf-8-sig", errors=_ENDS_WRONG, newline="")


def _records(reader: Any, file: Path) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Line number and record; a record that can not be parsed is its error, and reading goes on."""
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, error
        except OSError as error:
            raise UnableToRead(f"{file}: {error}") from None
        else:
            if record:  # an empty line is not a record
                yield reader.line_num, record


def _header(
    records: Iterator[tuple[int, list[str] | csv.Error]],
    file: Path,
    *,
    required: Sequence[str],
    optional: Sequence[str] | None,
) -> dict[str, int]:
    """Column name to index, and how many fields a row has."""
    _, names = next(records, (0, []))
    if isinstance(names, csv.Error) or not names:
        raise UnableToRead(f"{file}: is empty; its first line must name the columns {', '.join(required)}")
    stripped = [name.strip() for name in names]
    _checked_columns(stripped, file, required=required, optional=optional)
    wanted = {*required, *(optional or ())}
    return {name: index for index, name in enumerate(stripped) if name in wanted} | {_WIDTH: len(names)}


def _checked_columns(
    names: Iterable[str], file: Path, *, required: Sequence[str], optional: Sequence[str] | None
) -> None:
    found = list(names)
    missing = [name for name in required if name not in found]
    if missing:
        raise UnableToRead(
            f"{file}: the header lacks {', '.join(missing)}; it has {', '.join(found)[:200]}. "
            f"Rename the columns of the first line to: {', '.join(required)}"
        )
    repeated = sorted({name for name in found if found.count(name) > 1})
    if repeated:
        raise UnableToRead(f"{file}: the header names {', '.join(repeated)} twice; keep one of them")
    unknown = [] if optional is None else sorted({*found} - {*required, *optional})
    if unknown:
        raise UnableToRead(
            f"{file}: the format has no column {', '.join(unknown)[:200]}; remove it (in a file of events, "
            f"put what it says into payload). Columns: {', '.join((*required, *(optional or ())))}"
        )


def _decoded(cell: str, legacy: str | None) -> str | None:
    """The cell as true text, or None when its bytes are not."""
    data = cell.encode("utf-8", _ENDS_WRONG)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None if legacy is None else data.decode(legacy, "replace")


def _line_count(file: Path) -> int:
    """How many lines a file has, for the progress bar; quick and near enough."""
    opener: Any = gzip.open if file.name.endswith(".gz") else open
    with opener(file, "rb") as stream:
        blocks: Iterator[bytes] = iter(lambda: stream.read(1 << 20), b"")
        return max(1, sum(block.count(b"\n") for block in blocks))
