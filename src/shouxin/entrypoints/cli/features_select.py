"""``shouxin features select``: what every column of a table is worth, and why each is kept or left out."""

from __future__ import annotations

from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table
from shouxin.entrypoints.cli.tables import CsvOption, TargetOption
from shouxin.scoring import UnableToFindColumn, UnableToReadTable, UnableToTrain, read_table, select_features


def select(
    csv_file: CsvOption,
    target: TargetOption,
    time_column: Annotated[
        str | None, typer.Option("--time", help="Column with the time: stability by month is told.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell IV, F, mutual information, stability, twins and importance of every column, and what to drop."""
    try:
        found = select_features(read_table(csv_file), target=target, time_column=time_column)
    except (UnableToFindColumn, UnableToReadTable, UnableToTrain, OSError) as error:
        fail(str(error))
    if as_json:
        emit({"variables": found}, as_json=True)
        return
    rows = [(told["name"], *_figures(told), told["dropped"] or "kept") for told in found]
    print_table(f"{len(found)} columns", ("name", "IV", "F", "information", "importance", "verdict"), rows)


def _figures(told: dict[str, object]) -> tuple[object, ...]:
    if "iv" not in told:
        return ("-",) * 4
    iv, f = told["iv"], told["f"]
    assert isinstance(iv, dict) and isinstance(f, dict)
    return iv["value"], f["value"], told["mutual_information"], told["importance"]
