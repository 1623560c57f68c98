"""`shouxin normalise`: how values of a file are read, and how well."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table
from shouxin.ingestion.domain.normalising import Normal, normal_phone, parse_address
from shouxin.ingestion.domain.normalising.corpus import MARKS, marked_addresses, measure

app = typer.Typer(help="Read phones and addresses of a file, and say how well.", no_args_is_help=True)
Files = Annotated[
    list[Path], typer.Argument(help="Text files (UTF-8), one value a line.", exists=True, dir_okay=False)
]
_MARK_BEGINS = " B-"


@app.command()
def addresses(files: Files, as_json: JsonOption = False) -> None:
    """Read addresses; a file whose parts people have marked (a letter and its mark a line) is a test, too."""
    for file in files:
        lines = _lines(file)
        if any(_MARK_BEGINS in line for line in lines[:20]):
            figures = measure(marked_addresses(lines)).as_data()
        else:
            figures = _read_plain(lines)
        _show(file, figures, as_json=as_json)


@app.command()
def phones(
    files: Files,
    column: Annotated[str | None, typer.Option(help="Column of a CSV file; default: the whole line.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read telephone numbers, and count why some can not be read. No number is shown."""
    for file in files:
        results = [normal_phone(text) for text in _values(file, column)]
        problems = Counter(problem.value for result in results for problem in result.problems)
        read = sum(result.value is not None for result in results)
        figures = {
            "phones": len(results),
            "parse_rate": round(read / len(results), 4) if results else None,
            "problems": dict(problems.most_common()),
            "not_stable": sum(_changes_again(result) for result in results),
        }
        emit({"file": str(file)} | figures, as_json=as_json, title=f"Phones of {file.name}")


def _read_plain(lines: list[str]) -> dict[str, object]:
    read = [parse_address(line) for line in lines if line.strip()]
    placed = sum(address.code is not None for address in read)
    problems = Counter(problem.value for address in read for problem in address.problems)
    return {
        "addresses": len(read),
        "parse_rate": round(placed / len(read), 4) if read else None,
        "problems": dict(problems.most_common()),
    }


def _show(file: Path, figures: dict[str, object], *, as_json: bool) -> None:
    levels = figures.get("levels")
    if as_json or not isinstance(levels, dict):
        emit({"file": str(file)} | figures, as_json=as_json, title=f"Addresses of {file.name}")
        return
    told = {name: value for name, value in figures.items() if name not in {"levels", "examples"}}
    emit({"file": str(file)} | told, as_json=False, title=f"Addresses of {file.name}")
    rows = [
        (level, levels[level]["marked"], levels[level]["precision"], levels[level]["recall"])
        for level in MARKS.values()
    ]
    print_table("Parts found exactly as marked", ("level", "marked", "precision", "recall"), rows)


def _changes_again(result: Normal) -> bool:
    return result.value is not None and normal_phone(result.value).value != result.value


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        fail(f"{file}: is not UTF-8; convert it first (iconv -f GB18030 -t UTF-8)")


def _values(file: Path, column: str | None) -> Iterator[str]:
    lines = _lines(file)
    if column is None:
        yield from (line for line in lines if line.strip())
        return
    reader = csv.DictReader(lines)
    if column not in (reader.fieldnames or ()):
        fail(f"{file}: has no column {column}; it has {', '.join(reader.fieldnames or ())[:200]}")
    yield from (row[column] or "" for row in reader)
