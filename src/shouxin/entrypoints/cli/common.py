"""What all commands share: opening the house, printing figures, progress, and saying no."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import (
    Progress as RichProgress,
)
from rich.table import Table

from shouxin.entrypoints.house import House, opened_house
from shouxin.kernel import Progress, parse_instant

__all__ = [
    "HomeOption",
    "House",
    "JsonOption",
    "emit",
    "fail",
    "instant_of",
    "opened_house",
    "print_table",
    "progress_bar",
    "read_instant",
    "say",
]

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of the installation; default SHOUXIN_HOME, else ./var.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else.")
]

# People read standard error; standard output is for figures and for other programs.
_people = Console(stderr=True, highlight=False)
# A file or a pipe has no width of its own; a table there is as wide as it needs to be.
_PIPE_WIDTH = 180
_figures = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def emit(result: Mapping[str, Any], *, as_json: bool, title: str | None = None) -> None:
    """Print figures: one JSON object, or a two-column table for people."""
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False, default=str) + "\n")
        return
    table = Table(show_header=False, box=box.SIMPLE)
    for name, value in result.items():
        table.add_row(name, _shown(value))
    if title:
        _figures.print(f"[bold]{title}[/]")
    _figures.print(table)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table for people on standard output; numbers are right-aligned."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    _figures.print(f"[bold]{title}[/]")
    _figures.print(table)


def say(text: str) -> None:
    """Tell the person at the terminal something (standard error)."""
    _people.print(text)


def read_instant(told: str | None) -> datetime | None:
    """``instant_of`` of what may have been left out."""
    return None if told is None else instant_of(told)


def instant_of(told: str, *, option: str | None = None) -> datetime:
    """An instant that somebody typed, a day alone being its first; wrong usage when it is none."""
    try:
        return parse_instant(told)
    except ValueError:
        raise typer.BadParameter(
            f"{told!r} is no day or instant (ISO 8601, as in 2026-03-01)", param_hint=option
        ) from None


def fail(message: str) -> NoReturn:
    """Refuse or give up with one clear line on standard error and exit code 1."""
    sys.stderr.write(f"shouxin: {' '.join(message.split())}\n")
    raise typer.Exit(1)


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A bar on standard error; the block gets ``advance(done, total)`` to call as often as it likes."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    # In a log a bar is noise; the commands say there what they finished.
    with RichProgress(*columns, console=_people, disable=not _people.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None)

        yield advance


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool) or not isinstance(value, int):
        return (
            json.dumps(value, ensure_ascii=False, default=str)
            if isinstance(value, dict | list)
            else str(value)
        )
    return f"{value:,}"
