"""``shouxin model robustness``: a model under noise, gaps, outages, other months, and gaming."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from shouxin import grading
from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table, progress_bar, say
from shouxin.entrypoints.cli.tables import (
    UNABLE,
    ApproveOption,
    CsvOption,
    CutOffOption,
    ModelOption,
    SeedOption,
    TargetOption,
    TimeOption,
    read_model,
)
from shouxin.entrypoints.console.assessment_page import interval_text
from shouxin.scoring import Artefact, Given, Judging, Table, examine_table, read_table
from shouxin.scoring.robustness import Lever, Robustness, beside, levers_for


def robustness(
    model: ModelOption,
    csv_file: CsvOption,
    target: TargetOption,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Another model on the same rows, as one trained robustly."),
    ] = None,
    can_change: Annotated[
        list[str] | None,
        typer.Option("--can-change", help="COL or COL=cost of a spread: what a customer could make up."),
    ] = None,
    time_column: TimeOption = None,
    cut_off: CutOffOption = None,
    approve: ApproveOption = None,
    seed: SeedOption = 7,
    json: JsonOption = False,
) -> None:
    """Tell what a model loses under stress, and what has to be spent to look better than one is."""
    named = [_lever(entry) for entry in can_change or []]
    try:
        table = read_table(csv_file)
        judging = Judging(target, time=time_column, given=Given(cut_off, approve), seed=seed)
        models = [read_model(path) for path in (model, against) if path is not None]
        found = [_examined(one, table, judging, named) for one in models]
    except UNABLE as error:
        fail(str(error))
    if json:
        first, *others = [one.as_data() for one in found]
        beside_each_other = [line.as_data() for line in beside(*found)] if others else None
        told = {**first, "against": others[0] if others else None, "beside": beside_each_other}
        emit(told, as_json=True)
        return
    for artefact, one in zip(models, found, strict=True):
        _tell(artefact, one)
    if against is not None:
        _tell_beside(*found, names=[f"{one.model} {one.hash[7:11]}" for one in models])


def _examined(artefact: Artefact, table: Table, judging: Judging, named: Sequence[Lever]) -> Robustness:
    levers = (*levers_for(artefact), *named)
    bounds = [bound for _, bound in grading.scale_for(artefact.outcome).below]
    with progress_bar(f"putting {artefact.model} under stress") as progress:
        return examine_table(artefact, table, judging, levers=levers, bounds=bounds, progress=progress)


def _lever(entry: str) -> Lever:
    name, _, cost = entry.partition("=")
    try:
        price = float(cost) if cost else 1.0
    except ValueError:
        price = np.nan
    if not name or not price > 0:
        raise typer.BadParameter(f"{entry!r} is not COL or COL=cost", param_hint="--can-change")
    return Lever(name, price)


def _tell(artefact: Artefact, found: Robustness) -> None:
    data = found.as_data()
    rows: list[tuple[Any, ...]] = [("as it is", "", interval_text(data["auc"]), "", "", "")]
    rows += [
        (
            stress["kind"],
            stress["name"],
            interval_text(stress["auc"]),
            interval_text(stress["loss"]),
            f"{stress['changed']:.1%}",
            f"{stress['mean_pd']:.4f}",
        )
        for stress in data["stresses"]
    ]
    name = f"{artefact.model} ({artefact.hash[:19]})"
    title = f"{name} on {found.rows:,} rows, turned away from a PD of {found.cut_off:.4f}"
    print_table(title, ("stress", "", "AUC", "loss", "answers changed", "mean PD"), rows)
    gaming = found.gaming
    if gaming is None:
        say(f"not gamed: {found.why_not}")
        return
    lines = [
        (line["budget"], interval_text(line["let_in"]), interval_text(line["points"]), line["auc"])
        for line in gaming.as_data()["budgets"]
    ]
    heads = ("budget (spreads x cost)", "events let in", "points gained", "AUC")
    print_table(f"Gamed by {gaming.rows:,} events that were turned away", heads, lines)
    cost = interval_text(gaming.cost.as_data()) if gaming.cost else "more than the largest budget"
    say(f"to gain a grade costs {cost} in the middle; {gaming.reached:.1%} get there")
    say("changed first: " + ", ".join(f"{name} ({count})" for name, count in gaming.first.items()))


def _tell_beside(first: Robustness, second: Robustness, *, names: Sequence[str]) -> None:
    """Both under the same stress, line by line, and which loses less."""
    rows = [
        (
            line.kind,
            line.name,
            f"{line.aucs[0]:.4f}",
            f"{line.aucs[1]:.4f}",
            f"{line.losses[0]:+.4f}",
            f"{line.losses[1]:+.4f}",
            f"{line.saved:+.4f}",
        )
        for line in beside(first, second)
    ]
    heads = ("stress", "", *(f"AUC {name}" for name in names), *(f"loss {name}" for name in names), "saved")
    print_table("Beside each other: what the second loses less", heads, rows)
