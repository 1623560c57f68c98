"""Headers: which column of a shop's file means what, in Chinese or English."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Collection, Mapping
from pathlib import Path

from shouxin.ingestion.reading import UnableToRead


def columns_of(
    path: Path, *, spellings: Mapping[str, Collection[str]], needed: Collection[str]
) -> dict[str, str]:
    """Column of a CSV file -> our name; a column that means nothing to us is left out. Raises UnableToRead.

    ``spellings`` are how headers spell our names: small letters, without spaces and underscores.
    """
    if not path.is_file():
        raise UnableToRead(f"{path}: no such file")
    header = _header(path)
    meaning = {spelling: name for name, known in spellings.items() for spelling in known}
    found: dict[str, str] = {}
    for column in header:
        name = meaning.get(column.lower().replace(" ", "").replace("_", ""))
        if name and name in found.values():
            raise UnableToRead(f"{path}: two columns mean {name}; keep one of them")
        if name:
            found[column] = name
    missing = set(needed) - set(found.values())
    if missing:
        raise UnableToRead(
            f"{path}: no column means {' or '.join(sorted(missing))}; it has {', '.join(header)[:200]}. "
            f"Name the columns: {', '.join(spellings)}"
        )
    return found


def _header(path: Path) -> list[str]:
    opener = gzip.open if path.name.endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            return [name.strip() for name in next(csv.reader(file), [])]
    except UnicodeDecodeError:
        raise UnableToRead(
            f"{path}: is not UTF-8; convert it first: iconv -f GB18030 -t UTF-8 {path.name}"
        ) from None
    except (OSError, EOFError, csv.Error) as error:
        raise UnableToRead(f"{path}: {error}") from None
