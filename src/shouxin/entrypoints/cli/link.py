"""`shouxin link`: which records of a people file are one person."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table, progress_bar
from shouxin.identity.linkage import LinkReport, UnableToLinkFile, link_file, splink_clusters


def link(
    file: Annotated[Path, typer.Option("--csv", help="CSV file of people (UTF-8), one record a line.")],
    id_column: Annotated[
        str | None, typer.Option("--id", help="Column that names the record; not compared.")
    ] = None,
    truth_column: Annotated[
        str | None, typer.Option("--truth", help="Column that says whose record it is; only measures.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the file with a column `person` to this CSV.")
    ] = None,
    peer: Annotated[
        bool, typer.Option(help="With --truth: link the file with Splink's own comparisons, too.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Find the people of a file: what each column holds is recognised, what agreement weighs is learnt.

    With --truth, pairwise and B-cubed precision, recall and F1 are printed beside Splink's on the same file.
    """
    with progress_bar(f"Linking {file.name}") as advance:
        try:
            report = link_file(
                file,
                id_column=id_column,
                truth_column=truth_column,
                peer=splink_clusters if peer else None,
                progress=advance,
            )
        except UnableToLinkFile as error:
            fail(str(error))
    if out is not None:
        _write(file, out, report)
    _show(report, file, as_json=as_json)


def _show(report: LinkReport, file: Path, *, as_json: bool) -> None:
    told = report.as_data()
    if as_json:
        emit(told, as_json=True)
        return
    figures = {name: told[name] for name in ("records", "clusters", "candidates", "columns")}
    emit(figures, as_json=False, title=f"People of {file.name}")
    if report.pairwise is None or report.b_cubed is None:
        return
    rows = [
        ("Shouxin, pairwise", *_shares(told["pairwise"])),
        ("Shouxin, B-cubed", *_shares(told["b_cubed"])),
    ]
    if report.peer:
        splink = told["splink"]
        rows.append((f"Splink at {splink['threshold']}, pairwise", *_shares(splink["pairwise"])))
        best = f"Splink at its best ({splink['best_threshold']}), pairwise"
        rows.append((best, *_shares(splink["best_pairwise"])))
    print_table("Against the truth", ("", "precision", "recall", "F1"), rows)


def _shares(measured: dict[str, float]) -> tuple[float, float, float]:
    return measured["precision"], measured["recall"], measured["f1"]


def _write(file: Path, out: Path, report: LinkReport) -> None:
    with (
        file.open(encoding="utf-8-sig", newline="") as given,
        out.open("w", encoding="utf-8", newline="") as made,
    ):
        rows = (row for row in csv.reader(given) if row)
        writer = csv.writer(made)
        writer.writerow([*next(rows), "person"])
        writer.writerows([*row, person] for row, person in zip(rows, report.clusters, strict=True))
