"""What commands on any table share: their options, reading a model, telling five figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.common import print_table
from shouxin.scoring import (
    Artefact,
    UnableToEvaluate,
    UnableToFindColumn,
    UnableToReadArtefact,
    UnableToReadTable,
    UnableToScore,
    UnableToTrain,
)

UNABLE = (
    UnableToEvaluate,
    UnableToFindColumn,
    UnableToReadArtefact,
    UnableToReadTable,
    UnableToScore,
    UnableToTrain,
    OSError,
)
CsvOption = Annotated[Path, typer.Option("--csv", help="The table: CSV (also packed) or Parquet.")]
TargetOption = Annotated[str, typer.Option("--target", help="Column with 1 for the event, 0 for the other.")]
ModelOption = Annotated[
    Path, typer.Option("--model", help="Folder that `shouxin train` wrote, or model.json.")
]
IdOption = Annotated[str | None, typer.Option("--id", help="Column that names the row.")]
TimeOption = Annotated[str | None, typer.Option("--time", help="Column with the time; later rows apart.")]
GroupOption = Annotated[str | None, typer.Option("--group", help="Column that names the customer.")]
CutOffOption = Annotated[float | None, typer.Option("--cut-off", help="PD from which a row is an event.")]
ApproveOption = Annotated[float | None, typer.Option("--approve", help="Share of rows to approve, as 0.8.")]
SeedOption = Annotated[int, typer.Option("--seed", help="The same seed gives the same figures.")]
_FIGURES = ("auc", "ks", "gini", "brier", "slope")


def read_model(model: Path) -> Artefact:
    """The artefact in a folder or a file. Raises UnableToReadArtefact."""
    path = model / "model.json" if model.is_dir() else model
    if not path.is_file():
        raise UnableToReadArtefact(f"there is no model at {path}")
    return Artefact.from_json(path.read_bytes())


def print_figures(title: str, figures: Mapping[str, Any]) -> None:
    """Five figures with their intervals, for people."""
    rows = [(name, *(_figure(figures[name][part]) for part in ("value", "low", "high"))) for name in _FIGURES]
    print_table(title, ["", "value", "95 % low", "95 % high"], rows)


def _figure(number: float | None) -> float | str:
    return "-" if number is None else number
