"""`shouxin train` and `shouxin evaluate`: any table in, a model and its figures out. No database."""

from __future__ import annotations

import csv
import json as json_format
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table, progress_bar, say
from shouxin.scoring import (
    Artefact,
    Table,
    TrainedModel,
    UnableToEvaluate,
    UnableToFindColumn,
    UnableToReadArtefact,
    UnableToReadTable,
    UnableToScore,
    UnableToTrain,
    evaluate_table,
    read_table,
)
from shouxin.scoring import train as train_model

_FIGURES = ("auc", "ks", "gini", "brier", "slope")
_UNABLE = (
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


def train(
    csv_file: CsvOption,
    target: TargetOption,
    out: Annotated[Path, typer.Option("--out", help="Folder for model.json, report.json, holdout.csv.")],
    model: Annotated[str, typer.Option("--model", help="A learner; an unknown one lists all.")] = "scorecard",
    id_column: Annotated[str | None, typer.Option("--id", help="Column that names the row.")] = None,
    time_column: Annotated[
        str | None, typer.Option("--time", help="Column with the time; the latest rows are held out.")
    ] = None,
    group_column: Annotated[
        str | None, typer.Option("--group", help="Column that names the customer; kept on one side.")
    ] = None,
    special: Annotated[str, typer.Option("--special", help="Special values, as -9,-8,-7.")] = "",
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="COL=why: keep a column that looks like a leak.")
    ] = None,
    tune: Annotated[
        int, typer.Option("--tune", min=0, help="Settings to try; each is kept in OUT/trials.jsonl.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same model.")] = 7,
    json: JsonOption = False,
) -> None:
    """Train a model on 70 % of a table and measure it, with intervals, on the 30 % it never saw."""
    codes = _special(special)
    try:
        table = read_table(csv_file)
        with progress_bar("training") as advance:
            trained = train_model(
                table,
                target=target,
                model=model,
                id_column=id_column,
                time_column=time_column,
                group_column=group_column,
                special=codes,
                keep=_kept(keep or []),
                seed=seed,
                trials=tune,
                journal=out / "trials.jsonl" if tune else None,
                progress=advance,
            )
        _write(trained, table, id_column, out)
    except _UNABLE as error:
        fail(str(error))
    _tell(trained, out, as_json=json)


def evaluate(
    model: Annotated[Path, typer.Option("--model", help="Folder that `shouxin train` wrote, or model.json.")],
    csv_file: CsvOption,
    target: TargetOption,
    json: JsonOption = False,
) -> None:
    """Measure a model on a table: AUC, KS, Gini, Brier and calibration slope, each with an interval."""
    try:
        artefact = artefact_at(model)
        found = evaluate_table(artefact, read_table(csv_file), target=target).as_data()
    except _UNABLE as error:
        fail(str(error))
    if json:
        emit(found, as_json=True)
    else:
        _print_figures(f"{artefact.model} on {found['n']:,} rows, {found['event_rate']:.2%} events", found)


def artefact_at(model: Path) -> Artefact:
    """The model in a folder, or in a file. Raises UnableToReadArtefact."""
    return Artefact.from_json(_document(model).read_bytes())


def _document(model: Path) -> Path:
    path = model / "model.json" if model.is_dir() else model
    if not path.is_file():
        raise UnableToReadArtefact(f"there is no model at {path}")
    return path


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
        emit({**summary, "variables": used, **held, "out": str(out)}, as_json=True)
        return
    _print_figures(
        f"{report['model']}: {held['n']:,} rows held out ({report['split']['kind']}), "
        f"{held['event_rate']:.2%} events",
        held,
    )
    told = [variable for variable in report["variables"] if variable["used"]]
    print_table("variables", ["name", "IV"], [(v["name"], v["iv"]["value"]) for v in told])
    if report["dropped"]:
        print_table("not used", ["name", "why"], [(d["name"], d["reason"]) for d in report["dropped"]])
    for leak in report["leaks"]:
        say(f"kept although it looks like a leak: {leak['name']} (AUC {leak['auc']}): {leak['kept_because']}")
    say(f"written to {out}; {report['evaluated']}")


def _print_figures(title: str, figures: dict[str, Any]) -> None:
    rows = [(name, *(_figure(figures[name][part]) for part in ("value", "low", "high"))) for name in _FIGURES]
    print_table(title, ["", "value", "95 % low", "95 % high"], rows)


def _figure(number: float | None) -> float | str:
    return "-" if number is None else number
