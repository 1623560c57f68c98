"""``shouxin evaluate``: how good a model is on a table, in five figures or in everything that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table, say
from shouxin.entrypoints.cli.tables import (
    UNABLE,
    ApproveOption,
    CsvOption,
    CutOffOption,
    GroupOption,
    IdOption,
    ModelOption,
    TargetOption,
    TimeOption,
    print_figures,
    read_model,
)
from shouxin.entrypoints.console.assessment_page import assessment_page, interval_text
from shouxin.scoring import (
    ASSESSMENT_WORDS,
    Artefact,
    Assessment,
    Given,
    Judging,
    assess_table,
    evaluate_table,
    read_table,
)


def evaluate(  # noqa: PLR0917 - a command has as many options as people need
    model: ModelOption,
    csv_file: CsvOption,
    target: TargetOption,
    id_column: IdOption = None,
    time_column: TimeOption = None,
    group_column: GroupOption = None,
    segment: Annotated[
        list[str] | None, typer.Option("--segment", help="Column to judge by, as channel; again for more.")
    ] = None,
    cut_off: CutOffOption = None,
    approve: ApproveOption = None,
    cost: Annotated[
        float | None,
        typer.Option("--cost", help="What an event let through costs, in non-events turned away."),
    ] = None,
    mistakes: Annotated[int, typer.Option("--mistakes", min=0, help="Worst mistakes to tell.")] = 20,
    html: Annotated[Path | None, typer.Option("--html", help="Write everything as one page.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Tell everything, not five figures.")] = False,
    json: JsonOption = False,
) -> None:
    """Measure a model on a table, each figure with an interval; --full tells everything, mistakes too."""
    asked = (id_column, time_column, group_column, segment, cut_off, approve, cost, html)
    try:
        artefact = read_model(model)
        table = read_table(csv_file)
        short = evaluate_table(artefact, table, target=target).as_data()
        if not full and all(option is None for option in asked):
            _tell_short(artefact, short, as_json=json)
            return
        judging = Judging(
            target,
            row_id=id_column,
            time=time_column,
            group=group_column,
            segments=tuple(segment or ()),
            given=Given(cut_off, approve, cost),
            mistakes=mistakes,
        )
        found = assess_table(artefact, table, judging)
        if html is not None:
            title = f"{artefact.model} · {artefact.outcome} · {csv_file.name}"
            html.write_text(assessment_page(found, title=title), encoding="utf-8")
    except UNABLE as error:
        fail(str(error))
    _tell(artefact, found, as_json=json)
    if html is not None:
        say(f"written to {html}")


def _tell_short(artefact: Artefact, found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(found, as_json=True)
    else:
        print_figures(f"{artefact.model} on {found['n']:,} rows, {found['event_rate']:.2%} events", found)


def _tell(artefact: Artefact, found: Assessment, *, as_json: bool) -> None:
    data = found.as_data()
    if as_json:
        emit({**found.performance.evaluation.as_data(), "assessment": data}, as_json=True)
        return
    figures = data["performance"]
    cut = figures["cut_off"]
    title = (
        f"{artefact.model} on {figures['n']:,} rows, {figures['event_rate']:.2%} events; "
        f"called an event from a PD of {cut['pd']:.4f} ({cut['chosen']})"
    )
    rows = [(words.en, interval_text(figures[name])) for name, words in ASSESSMENT_WORDS.items()]
    print_table(title, ("figure", "value (95 % interval)"), rows)
    print_table(
        "Calibration, the safest first",
        ("rows", "events", "foretold", "observed"),
        [
            (line["rows"], line["events"], line["foretold"], interval_text(line["observed"]))
            for line in data["calibration"]
        ],
    )
    for part in data["segments"]:
        _segment(part)
    _mistakes(data["mistakes"])
    for source in data["error_sources"]:
        leading = [
            (item["feature"], f"{item['pull']:+.3f}", item["leads"]) for item in source["features"][:8]
        ]
        print_table(
            f"{source['kind']}: {source['rows']:,} of {source['of']:,}", ("feature", "pull", "leads"), leading
        )


def _segment(part: Mapping[str, Any]) -> None:
    rows = [
        (
            line["name"],
            line["rows"],
            line["events"],
            *(interval_text(line[name]) for name in ("approved", "approval_ratio", "auc", "slope")),
            line["why_not"] or "",
        )
        for line in part["groups"]
    ]
    heads = ("group", "rows", "events", "approved", "by the highest", "auc", "slope", "")
    print_table(f"By {part['column']}", heads, rows)
    if part["below_four_fifths"]:
        say(f"approved less than four fifths as often: {', '.join(part['below_four_fifths'])}")


def _mistakes(mistakes: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (
            item["row"],
            item["event"],
            f"{item['pd']:.4f}",
            ", ".join(f"{cause['feature']}={cause['value']}" for cause in item["misled_by"]),
        )
        for item in mistakes
    ]
    print_table("Most confident mistakes", ("row", "event", "pd", "misled by"), rows)
