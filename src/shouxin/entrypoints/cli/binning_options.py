"""What may be told of a scorecard's bins at the command line: own edges, a shape, the periods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

PeriodOption = Annotated[
    str | None,
    typer.Option("--period", help="Column with the period, as a month: bins keep their ranking in each."),
]
EdgesOption = Annotated[
    list[str] | None, typer.Option("--edges", help="COL=1,2.5,10: these bins of a column, no others.")
]
ShapeOption = Annotated[
    list[str] | None,
    typer.Option("--shape", help="COL=rising, falling, peak or valley: how the risk goes with a column."),
]
_SHAPES = ("rising", "falling", "peak", "valley")


def edges_of(entries: Sequence[str]) -> dict[str, list[float]]:
    """``COL=1,2.5,10`` by column; wrong usage where it is not that."""
    found = {}
    for name, told in _parted(entries, option="--edges", example="COL=1,2.5,10"):
        try:
            found[name] = [float(part) for part in told.split(",") if part.strip()]
        except ValueError:
            raise typer.BadParameter(
                f"{told!r} is not a list of numbers such as 1,2.5,10", param_hint="--edges"
            ) from None
    return found


def shapes_of(entries: Sequence[str]) -> dict[str, str]:
    """``COL=peak`` by column; wrong usage where it is not that."""
    found = {}
    for name, told in _parted(entries, option="--shape", example="COL=peak"):
        if told not in _SHAPES:
            raise typer.BadParameter(
                f"{told!r} is no shape; there are {', '.join(_SHAPES)}", param_hint="--shape"
            )
        found[name] = told
    return found


def _parted(entries: Sequence[str], *, option: str, example: str) -> list[tuple[str, str]]:
    """Each entry as a column and what is said of it, no column twice."""
    found: dict[str, str] = {}
    for entry in entries:
        # The last sign parts them: a column may have one in its name.
        name, sign, told = (part.strip() for part in entry.rpartition("="))
        if not sign or not name or not told:
            raise typer.BadParameter(f"{entry!r} is not of the form {example}", param_hint=option)
        if name in found:
            raise typer.BadParameter(f"{name!r} is named twice", param_hint=option)
        found[name] = told
    return list(found.items())
