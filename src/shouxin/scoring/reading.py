"""Reading tables: any CSV that a shop, a bank or a university hands over, and Parquet."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from shouxin.scoring.domain.table import Table

_MISSING = {"", "na", "n/a", "nan", "null", "none", "?", ".", "#n/a", "-nan", "<na>"}
_DELIMITERS = ",;\t|"
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_LEADING_ZERO = re.compile(r"0\d+")
_LOOK_AHEAD = 20
# A spreadsheet may write which delimiter follows as a line of its own.
_DELIMITER_LINE = re.compile(r'"?sep=(.)"?\n', re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")


class UnableToReadTable(ValueError):
    """The file is not a table we can read; the message says where and what."""


def read_table(path: Path, *, columns: Sequence[str] | None = None) -> Table:
    """Read CSV (also .gz, .bz2, .xz, .zip) or Parquet; ``columns`` keeps only those, by name or alias.

    A column is numeric when every value that is there is a number. Where a second header line follows
    the first, its names are the columns' and the first line's are aliases. Raises UnableToReadTable,
    UnableToFindColumn.
    """
    if not path.is_file():
        raise UnableToReadTable(f"there is no file {path}")
    table = _read_parquet(path) if path.suffix.lower() in {".parquet", ".pq"} else _read_csv(path)
    if not len(table):
        raise UnableToReadTable(f"{path.name} has no rows")
    if columns is None:
        return table
    names = [table.name(wanted) for wanted in columns]
    aliases = {alias: name for alias, name in table.aliases.items() if name in names}
    return Table({name: table.columns[name] for name in names}, aliases)


def _read_parquet(path: Path) -> Table:
    try:
        found = pyarrow.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise UnableToReadTable(f"{path.name} is not a Parquet file: {_one_line(error)}") from None
    return Table({name: _values(found.column(name)) for name in found.column_names})


def _values(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A typed column: numbers and truth values as float64, instants and the rest as text."""
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        column = pc.cast(column, pa.float64(), safe=False)
    if pa.types.is_floating(column.type):
        return np.asarray(pc.fill_null(pc.cast(column, pa.float64()), float("nan")).to_numpy())
    text = pc.cast(column, pa.string())
    return _parsed(text) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else _objects(text)


def _read_csv(path: Path) -> Table:
    text = _text(path)
    if said := _DELIMITER_LINE.match(text):
        text = text[said.end() :]
    delimiter = said.group(1) if said else _delimiter(text)
    head = _first_rows(text, delimiter, path)
    if not head:
        raise UnableToReadTable(f"{path.name} is empty")
    skip, names, other = _headers(head, path)
    if len(head) <= skip:
        raise UnableToReadTable(f"{path.name} has no rows")
    try:
        found = pyarrow.csv.read_csv(
            pa.py_buffer(text.encode()),
            read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=skip, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values='"' in text),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise UnableToReadTable(f"{path.name}: {_without_content(error)}") from None
    # A comma inside a cell is a decimal comma, unless commas already part the columns.
    decimal = "." if delimiter == "," else ","
    columns = {name: _parsed(found.column(name), decimal=decimal) for name in names}
    aliases = {alias: name for alias, name in other.items() if alias not in columns}
    return Table(columns, aliases)


def _text(path: Path) -> str:
    """The file as text with plain line ends: UTF-8 with or without a mark, GB 18030, else Windows 1252."""
    raw = _unpacked(path)
    if b"\0" in raw[:1000] and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnableToReadTable(f"{path.name} is not text")
    encodings = (
        ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030", "cp1252")
    )
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROLS.search(text):  # any bytes at all may pass for one of the older encodings
            continue
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return re.sub(r"\n\n+", "\n", text.strip("\n")) if '"' not in text else text.strip("\n")
    raise UnableToReadTable(f"{path.name} is not text in UTF-8, GBK or Windows 1252")


def _unpacked(path: Path) -> bytes:
    raw = path.read_bytes()
    try:
        match path.suffix.lower():
            case ".gz":
                return gzip.decompress(raw)
            case ".bz2":
                return bz2.decompress(raw)
            case ".xz":
                return lzma.decompress(raw)
            case ".zip":
                return _only_member(path, raw)
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error, zipfile.BadZipFile) as error:
        raise UnableToReadTable(f"{path.name} could not be unpacked: {_one_line(error)}") from None
    return raw


def _only_member(path: Path, raw: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith("__MACOSX")]
        if len(names) != 1:
            raise UnableToReadTable(f"{path.name} holds {len(names)} files; unpack it and name one")
        return archive.read(names[0])


def _delimiter(text: str) -> str:
    first = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return max(_DELIMITERS, key=first.count)


def _first_lines(text: str) -> str:
    lines = text[:1_000_000].split("\n", _LOOK_AHEAD + 2)[: _LOOK_AHEAD + 2]
    return "\n".join(lines)


def _first_rows(text: str, delimiter: str, path: Path) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(_first_lines(text)), delimiter=delimiter))
    except csv.Error as error:
        raise UnableToReadTable(f"{path.name}: {_one_line(error)}") from None


def _headers(head: list[list[str]], path: Path) -> tuple[int, list[str], dict[str, str]]:
    """How many header lines there are, the columns' names, and their other names."""
    first, body = head[0], head[1:]
    numeric = sum(map(_is_number, first))
    if numeric and numeric * 2 >= len(first):
        raise UnableToReadTable(f"the first line of {path.name} holds numbers, not names; add a header line")
    if not (body and _is_second_header(body[0], body[1:], width=len(first))):
        return 1, _unique(first), {}
    names = _unique(body[0])
    return 2, names, {alias: name for alias, name in zip(first, names, strict=True) if alias.strip()}


def _is_second_header(line: list[str], below: list[list[str]], *, width: int) -> bool:
    """Names stand where numbers follow: most columns are numeric below, and none is in this line."""
    full = [row for row in below if len(row) == width]
    if len(line) != width or len(full) < 2 or len(set(line)) < width or any(map(_is_number, line)):
        return False
    numeric = sum(all(_is_number(row[i]) for row in full) and line[i].strip() != "" for i in range(width))
    return numeric * 2 >= width and not any(cell.strip().lower() in _MISSING for cell in line)


def _unique(names: Iterable[str]) -> list[str]:
    """Names as they are; an empty one is called by its place, a repeated one gets a number."""
    found: list[str] = []
    for place, raw in enumerate(names, start=1):
        name = raw.strip() or f"column_{place}"
        number = 2
        unique = name
        while unique in found:
            unique, number = f"{name}_{number}", number + 1
        found.append(unique)
    return found


def _is_number(cell: str) -> bool:
    if "_" in cell:  # Python reads 1_2 as twelve; here it is a code
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parsed(column: pa.ChunkedArray, *, decimal: str = ".") -> npt.NDArray[Any]:
    """A text column as numbers where all that is there are numbers, else as texts; each spelt once."""
    coded = column.combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    spelt = [text.strip() for text in coded.dictionary.to_pylist()]
    present = [text for text in spelt if text.lower() not in _MISSING]
    codes = np.asarray(pc.fill_null(coded.indices.cast(pa.int64()), len(spelt)))
    with_comma = _DECIMAL_COMMA if decimal == "," else _THOUSANDS
    numeric = bool(present) and all(with_comma.fullmatch(t) or _is_number(t) for t in present)
    # 007 is a code, not seven.
    if numeric and not any(_LEADING_ZERO.fullmatch(text) for text in present):
        numbers = [_number(text, decimal=decimal) for text in spelt]
        return np.take(np.asarray([*numbers, float("nan")], dtype=np.float64), codes)
    if not present:
        return np.full(len(column), np.nan)
    texts = [None if text.lower() in _MISSING else text for text in spelt]
    return np.take(np.array([*texts, None], dtype=object), codes)


def _number(text: str, *, decimal: str) -> float:
    if text.lower() in _MISSING:
        return float("nan")
    return float(text.replace(",", "." if decimal == "," else ""))


def _objects(text: pa.ChunkedArray) -> npt.NDArray[Any]:
    return np.array([*text.to_pylist(), None], dtype=object)[:-1]


def _one_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _without_content(error: Exception) -> str:
    """What went wrong and in which row, without the row itself, which may be about a person."""
    parts = _one_line(error).split(": ")[1:]
    told = [part for part in parts if part.startswith(("Row #", "Expected "))]
    return ": ".join(told) or "it could not be parsed as CSV"
