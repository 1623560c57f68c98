"""``shouxin bench``: what the house is promised to do, measured beside a peer in the same run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.database import find_home
from shouxin.entrypoints.bench import NAMES, Ground, Line, Report, Sizes, UnableToBench, run_all, run_bench
from shouxin.entrypoints.bench.credit_sets import UnableToReadSet
from shouxin.entrypoints.bench.models import UnableToBenchModels
from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, fail, print_table, progress_bar, say

_DEFAULT = Sizes()
_MET = {True: "met", False: "MISSED", None: ""}


CopiesOption = Annotated[
    int, typer.Option("--copies", min=1, help="features: so many such shops side by side.")
]
ShopOption = Annotated[int, typer.Option(min=2_000, help="Customers of the shop at checkout.")]
SetOption = Annotated[str, typer.Option("--set", help="models: taiwan, gmsc, german, australian or hmeq.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="The folder of the public sets, for those that read one.")
]
TrialsOption = Annotated[
    int, typer.Option("--trials", min=0, help="models: settings tried for each, in every fold.")
]
RawOption = Annotated[
    bool, typer.Option("--raw", help="models: the columns as the file has them, nothing derived.")
]
PeerOption = Annotated[
    bool, typer.Option("--peer", help="Run zen-engine and optbinning beside us, where installed.")
]


def bench(  # noqa: PLR0917 - options of a terminal are named
    name: Annotated[str, typer.Argument(help=f"{', '.join(NAMES)}, or all.")],
    customers: Annotated[int, typer.Option(min=2_000, help="Customers of the simulated events.")] = 20_000,
    copies: CopiesOption = 1,
    shop_customers: ShopOption = 2_500,
    rows: Annotated[int, typer.Option(min=1_000, help="Customers scored at once.")] = _DEFAULT.rows,
    seconds: Annotated[float, typer.Option(min=1, help="Seconds of each stretch of load.")] = 10.0,
    rate: Annotated[int, typer.Option(min=1, help="Checkouts a second in the steady stretch.")] = 200,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of which the median counts.")] = 3,
    set_name: SetOption = "taiwan",
    data: DataOption = None,
    models: Annotated[str, typer.Option("--models", help="models: learners, as scorecard,ebm.")] = "",
    folds: Annotated[int, typer.Option("--folds", min=2, help="models: parts of the rows.")] = 5,
    trials: TrialsOption = 0,
    raw: RawOption = False,
    others: PeerOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure one promise, or all. Only `console` looks at the home; all else is simulated and thrown away.

    Nothing else should run on the machine meanwhile. Exit code 1 when a goal is missed.
    """
    sizes = replace(
        _DEFAULT, customers=customers, copies=copies, shop_customers=shop_customers, rows=rows,
        seconds=seconds, rate=rate, repeats=repeats, others=others, set_name=set_name, data=data, folds=folds,
        trials=trials, raw=raw,
        learners=tuple(part.strip() for part in models.split(",") if part.strip()),
    )  # fmt: skip
    _warn_when_busy()
    with Ground.made(sizes, home=find_home(home), say=say, bar=progress_bar) as ground:
        try:
            reports = list(run_all(ground)) if name == "all" else [run_bench(name, ground)]
        except (UnableToBench, UnableToBenchModels, UnableToReadSet) as reason:
            fail(str(reason))
    if as_json:
        emit(_as_data(name, reports), as_json=True)
    else:
        for report in reports:
            _print(report)
    if not all(report.met for report in reports):
        raise typer.Exit(1)


def _warn_when_busy() -> None:
    """Others' work makes every time longer, and the long ones most; ratios suffer less."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load > processors / 2:
        say(f"[yellow]the machine is busy[/] (load {load:.1f} on {processors} processors): times are long")


def _as_data(name: str, reports: Sequence[Report]) -> dict[str, object]:
    """One report as it is; of all, every line under its benchmark's name and the reports beside."""
    if name != "all":
        return reports[0].as_data()
    lines = [
        line.as_data() | {"name": f"{report.name}: {line.name}"}
        for report in reports
        for line in report.lines
    ]
    met = all(report.met for report in reports)
    return {"name": name, "lines": lines, "met": met, "benches": [report.as_data() for report in reports]}


def _print(report: Report) -> None:
    if report.beside:
        _print_models(report.beside)
    columns = ("measure", "ours", "peer", "ratio", "goal", "")
    print_table(report.name, columns, [_row(line) for line in report.lines])
    for note in dict.fromkeys(line.note for line in report.lines if line.note):
        say(f"  {note}")


def _print_models(beside: Mapping[str, Any]) -> None:
    rows = [
        (
            one["name"],
            _interval(one["auc"]),
            _interval(one["ks"]),
            _interval(one["brier"]),
            _interval(one["slope"]),
            one["variables"],
            one["seconds"],
        )
        for one in beside["models"]
    ]
    title = f"{beside['set']}: {beside['rows']:,} rows, {beside['folds']} folds; taken: {beside['winner']}"
    print_table(title, ("model", "AUC", "KS", "Brier", "slope", "variables", "seconds"), rows)


def _interval(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:.4f} ({figure['low']:.4f} to {figure['high']:.4f})"


def _row(line: Line) -> tuple[str, ...]:
    ours = f"{_figure(line.ours)} {line.unit}"
    return (line.name, ours, _figure(line.peer), _figure(line.ratio), line.rule, _MET[line.met])


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
