"""``shouxin bench models``: every learner on a public set that you have on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import typer

from shouxin.entrypoints.bench import UnableToBench
from shouxin.entrypoints.bench.models import ModelsReport, run_models
from shouxin.entrypoints.cli.common import emit, fail, print_table, progress_bar, say
from shouxin.scoring import UnableToReadTable, UnableToTrain


def bench_models(
    public_set: str | None,
    data: Path | None,
    *,
    models: str,
    folds: int,
    trials: int,
    home: Path,
    as_json: bool,
) -> None:
    """Run, keep the result below the home, and tell it. What is done survives an interruption."""
    if public_set is None or data is None:
        raise typer.BadParameter("wants --set NAME and --data DIR: the sets are not part of Shouxin")
    kept = home / "bench"
    unfinished = kept / f"models-{public_set}"
    try:
        with progress_bar("models") as advance:
            report = run_models(
                public_set,
                data,
                models=[name.strip() for name in models.split(",") if name.strip()],
                folds=folds,
                trials=trials,
                keep_in=unfinished,
                advance=advance,
            )
    except (UnableToBench, UnableToReadTable, UnableToTrain, OSError) as error:
        fail(str(error))
    kept.mkdir(parents=True, exist_ok=True)
    path = kept / f"models-{public_set}.json"
    path.write_text(json.dumps(report.as_data(), ensure_ascii=False, indent=1), encoding="utf-8")
    shutil.rmtree(unfinished, ignore_errors=True)
    if as_json:
        emit(report.as_data(), as_json=True)
    else:
        _print(report, path)
    if not report.met:
        raise typer.Exit(1)


def _print(report: ModelsReport, path: Path) -> None:
    found = report.comparison
    print_table(
        f"{report.public_set.name}: {len(found.y):,} rows, {report.folds} folds",
        ["model", "family", "AUC", "low", "high", "behind the best", "Brier", "slope", "seconds", "KB"],
        [
            (
                model.name,
                model.family,
                *(round(getattr(model.figures.auc, part), 4) for part in ("value", "low", "high")),
                _behind(report, place),
                round(model.figures.brier.value, 5),
                round(model.figures.slope.value, 3),
                round(model.seconds, 1),
                model.size // 1000,
            )
            for place, model in enumerate(found.models)
        ],
    )
    for line in report.lines:
        say(f"  {line.name}: {line.ours:.4f} {line.rule} {_MET[line.met]}")
    for name, why in found.left_out.items():
        say(f"  left out: {name}: {why}")
    say(f"  chosen: {found.chosen.name}, the shortest within 0.003 of the best; kept at {path}")


_MET = {True: "met", False: "MISSED", None: ""}


def _behind(report: ModelsReport, place: int) -> str:
    if place == 0:
        return "-"
    behind = report.comparison.behind(report.comparison.models[place])
    return f"{behind.value:.4f} ({behind.low:.4f} to {behind.high:.4f})"
