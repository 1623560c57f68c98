"""``shouxin model rejects``: what reject inference is worth, where the truth of the declined is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table, progress_bar
from shouxin.entrypoints.cli.tables import (
    UNABLE,
    CsvOption,
    GroupOption,
    IdOption,
    SeedOption,
    TargetOption,
    TimeOption,
)
from shouxin.entrypoints.console.assessment_page import interval_text
from shouxin.scoring import compare_rejects, read_table


def rejects(
    csv_file: CsvOption,
    target: TargetOption,
    decision: Annotated[str, typer.Option("--decision", help="Column that says who was declined.")],
    model: Annotated[str, typer.Option("--model", help="The learner.")] = "scorecard",
    id_column: IdOption = None,
    time_column: TimeOption = None,
    group_column: GroupOption = None,
    seed: SeedOption = 7,
    json: JsonOption = False,
) -> None:
    """Hide the outcome of the declined, let every method guess it, and measure on everybody."""
    try:
        table = read_table(csv_file)
        with progress_bar("comparing") as advance:
            advance(0, 1)
            lines = compare_rejects(
                table,
                target=target,
                decision=decision,
                model=model,
                id_column=id_column,
                time_column=time_column,
                group_column=group_column,
                seed=seed,
            )
            advance(1, 1)
    except UNABLE as error:
        fail(str(error))
    data = [line.as_data() for line in lines]
    if json:
        emit({"methods": data}, as_json=True)
        return
    _tell(data)


def _tell(data: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (
            line["method"],
            interval_text(line["everyone"]["auc"]),
            interval_text(line["gain"]),
            interval_text(line["declined_auc"]),
            interval_text(line["everyone"]["slope"]),
            line["foretold_over_observed"],
        )
        for line in data
    ]
    heads = (
        "method",
        "AUC on everybody",
        "gain over none",
        "AUC on the declined",
        "slope",
        "foretold / seen",
    )
    print_table("Reject inference, measured on everybody held out", heads, rows)
