"""``shouxin model sql`` and ``shouxin model import``: tables go out as SQL, a card of points comes in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, say
from shouxin.entrypoints.cli.tables import read_model
from shouxin.scoring import (
    DIALECTS,
    ORIGINS,
    SCALINGS,
    UnableToExport,
    UnableToImport,
    UnableToReadArtefact,
    import_card,
    scoring_sql,
)


def sql(
    model: Annotated[Path, typer.Argument(help="Folder that `shouxin train` wrote, or model.json.")],
    table: Annotated[str, typer.Option("--table", help="The table or view to score, as SQL names it.")],
    dialect: Annotated[str, typer.Option("--dialect", help=f"{', '.join(DIALECTS)}.")] = "duckdb",
    key: Annotated[list[str] | None, typer.Option("--key", help="Column that names the row.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a model of tables as one SELECT that gives the same points, pd and contributions."""
    try:
        artefact = read_model(model)
        text = scoring_sql(artefact, dialect=dialect, table=table, keys=key or ())
    except (UnableToExport, UnableToReadArtefact, OSError) as error:
        fail(str(error))
    if as_json:
        emit({"hash": artefact.hash, "dialect": dialect, "sql": text}, as_json=True)
    else:
        sys.stdout.write(text + "\n")


def import_model(
    file: Annotated[Path, typer.Argument(help="Points table: CSV, or JSON.")],
    origin: Annotated[str, typer.Option("--from", help=f"{', '.join(ORIGINS)}.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for model.json.")],
    scaling: Annotated[
        str | None, typer.Option("--scaling", help=f"{', '.join(SCALINGS)}; the library's own if not given.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read the points table of another library as a model of ours; scores are the sums of its points."""
    try:
        artefact = import_card(file, origin=origin, scaling=scaling)
        out.mkdir(parents=True, exist_ok=True)
        (out / "model.json").write_bytes(artefact.to_json())
    except (UnableToImport, OSError) as error:
        fail(str(error))
    if as_json:
        emit({"hash": artefact.hash, "features": list(artefact.names), "out": str(out)}, as_json=True)
    else:
        say(f"{len(artefact.names)} variables read; {artefact.hash} written to {out}")
