"""`shouxin train`: any table in, a model and its figures out. No database."""

from __future__ import annotations

import csv
import json as json_format
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.binning_options import (
    EdgesOption,
    PeriodOption,
    ShapeOption,
    edges_of,
    shapes_of,
)
from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table, progress_bar, say
from shouxin.entrypoints.cli.tables import (
    UNABLE,
    CsvOption,
    GroupOption,
    IdOption,
    SeedOption,
    TargetOption,
    TimeOption,
    print_figures,
)
from shouxin.scoring import RejectInference, Table, TrainedModel, evaluate, read_table
from shouxin.scoring import optimism as difference_of
from shouxin.scoring import train as train_model

KeepOption = Annotated[
    list[str] | None, typer.Option("--keep", help="COL=why: keep a column that looks like a leak.")
]
TuneOption = Annotated[
    int, typer.Option("--tune", min=0, help="Settings to try; each is kept in OUT/trials.jsonl.")
]
CalibrateOption = Annotated[
    float | None,
    typer.Option("--calibrate", help="Share of the rows, the latest, to make PDs true on; needs --time."),
]
RejectsOption = Annotated[
    str | None,
    typer.Option(
        "--reject-inference", help="none, reweighting, parcelling, fuzzy or self-learning; needs --decision."
    ),
]
DecisionOption = Annotated[
    str | None, typer.Option("--decision", help="Column that says who was declined, without an outcome.")
]
OptimismOption = Annotated[
    bool, typer.Option("--optimism", help="Train on a random split, too, and tell how it flatters; --time.")
]


def train(  # noqa: PLR0917 - a command has as many options as people need
    csv_file: CsvOption,
    target: TargetOption,
    out: Annotated[Path, typer.Option("--out", help="Folder for model.json, report.json, holdout.csv.")],
    model: Annotated[str, typer.Option("--model", help="A learner; an unknown one lists all.")] = "scorecard",
    id_column: IdOption = None,
    time_column: TimeOption = None,
    group_column: GroupOption = None,
    special: Annotated[str, typer.Option("--special", help="Special values, as -9,-8,-7.")] = "",
    period_column: PeriodOption = None,
    edges: EdgesOption = None,
    shape: ShapeOption = None,
    keep: KeepOption = None,
    tune: TuneOption = 0,
    calibrate: CalibrateOption = None,
    reject_inference: RejectsOption = None,
    decision: DecisionOption = None,
    optimism: OptimismOption = False,
    seed: SeedOption = 7,
    json: JsonOption = False,
) -> None:
    """Train a model on 70 % of a table and measure it, with intervals, on the 30 % it never saw."""
    told: dict[str, Any] = {
        "target": target, "model": model, "id_column": id_column, "group_column": group_column,
        "special": _special(special), "period_column": period_column, "edges": edges_of(edges or []),
        "directions": shapes_of(shape or []), "keep": _kept(keep or []), "seed": seed,
    }  # fmt: skip
    rejects = _rejects(reject_inference, decision)
    try:
        table = read_table(csv_file)
        with progress_bar("training") as advance:
            trained = train_model(
                table,
                time_column=time_column,
                calibrate=calibrate,
                rejects=rejects,
                trials=tune,
                journal=out / "trials.jsonl" if tune else None,
                progress=advance,
                **told,
            )
        if optimism:
            trained = _beside_random(trained, table, time_column=time_column, **told)
        _write(trained, table, id_column, out)
    except UNABLE as error:
        fail(str(error))
    _tell(trained, out, as_json=json)


def _beside_random(
    trained: TrainedModel, table: Table, *, time_column: str | None, **same: Any
) -> TrainedModel:
    """The model with what a random split of the same rows would have promised."""
    if time_column is None:
        raise typer.BadParameter("--optimism compares with later rows; name the time with --time")
    timeless = {name: values for name, values in table.columns.items() if name != table.name(time_column)}
    with progress_bar("training on a random split") as advance:
        flattered = train_model(Table(timeless, table.aliases), progress=advance, **same)
    random, later = (
        evaluate(one.holdout.y, one.holdout.pd).auc for one in (flattered, trained) if one.holdout
    )
    told = {
        "random": random.as_data(),
        "later": later.as_data(),
        "difference": difference_of(random, later).as_data(),
    }
    return replace(trained, report={**trained.report, "optimism": told})


def _rejects(method: str | None, decision: str | None) -> RejectInference | None:
    if (method is None) != (decision is None):
        raise typer.BadParameter("--reject-inference and --decision go together")
    return None if method is None or decision is None else RejectInference(method, decision)


def _special(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a list of numbers such as -9,-8,-7", param_hint="--special"
        ) from None


def _kept(entries: Sequence[str]) -> dict[str, str]:
    """``COL=why``; a column without a reason may stay too, and the report says that none was given."""
    split = (entry.partition("=") for entry in entries)
    return {name.strip(): why.strip() or "no reason was given" for name, _, why in split}


def _write(trained: TrainedModel, table: Table, id_column: str | None, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.json").write_bytes(trained.artefact.to_json())
    report = json_format.dumps(trained.report, ensure_ascii=False, indent=1)
    (out / "report.json").write_text(report, encoding="utf-8")
    held = trained.holdout
    assert held is not None, "training from a table holds rows out"
    names = table.column(id_column)[held.rows].tolist() if id_column else held.rows.tolist()
    with (out / "holdout.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([id_column or "row", "event", "pd"])
        writer.writerows(zip(map(_spelt, names), held.y.tolist(), held.pd.tolist(), strict=True))


def _spelt(name: Any) -> Any:
    return int(name) if isinstance(name, float) and name.is_integer() else name


def _tell(trained: TrainedModel, out: Path, *, as_json: bool) -> None:
    report, held = trained.report, trained.report["holdout"]
    if as_json:
        summary = {name: report[name] for name in ("model", "hash", "outcome", "split", "dropped", "leaks")}
        used = [told["name"] for told in report["variables"] if told["used"]]
        told_apart = ("calibration", "optimism", "selection")
        more: dict[str, Any] = {name: report[name] for name in told_apart if report.get(name)}
        emit({**summary, "variables": used, **held, **more, "out": str(out)}, as_json=True)
        return
    print_figures(
        f"{report['model']}: {held['n']:,} rows held out ({report['split']['kind']}), "
        f"{held['event_rate']:.2%} events",
        held,
    )
    told = [variable for variable in report["variables"] if variable["used"]]
    print_table("variables", ["name", "IV"], [(v["name"], v["iv"]["value"]) for v in told])
    _tell_folds(report["selection"], used=[variable["name"] for variable in told])
    if report["dropped"]:
        print_table("not used", ["name", "why"], [(d["name"], d["reason"]) for d in report["dropped"]])
    for leak in report["leaks"]:
        say(f"kept although it looks like a leak: {leak['name']} (AUC {leak['auc']}): {leak['kept_because']}")
    if "optimism" in report:
        gap = report["optimism"]["difference"]
        say(f"a random split flatters by {gap['value']:+.4f} ({gap['low']:+.4f} to {gap['high']:+.4f})")
    say(f"written to {out}; {report['evaluated']}")


def _tell_folds(selection: dict[str, Any] | None, *, used: Sequence[str]) -> None:
    """In how many folds each variable of the model was kept, and why not; the rest is in the report."""
    if selection is None:
        return
    rows = [
        (told["name"], told["kept"], "; ".join(sorted({why for why in told["dropped"] if why})))
        for told in selection["variables"]
        if told["name"] in used
    ]
    print_table(f"selection in {len(selection['folds'])} folds", ["name", "kept in", "why not"], rows)
