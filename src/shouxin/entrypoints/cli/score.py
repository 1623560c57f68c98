"""``shouxin score``: a model over any table, with reasons, and with what would have to be different."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer

from shouxin import features, grading, scoring
from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table, say
from shouxin.entrypoints.cli.tables import UNABLE, CsvOption, ModelOption, read_model

_SHOWN = 10
LanguageOption = Annotated[str, typer.Option("--language", help="Language of the reasons: zh or en.")]


def score(
    model: ModelOption,
    csv_file: CsvOption,
    id_column: Annotated[str | None, typer.Option("--id", help="Column that names the row.")] = None,
    row: Annotated[list[str] | None, typer.Option("--row", help="Only this row; again for more.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Tell the reasons of each row.")] = False,
    advise: Annotated[
        grading.Grade | None, typer.Option("--advise", help="What would have to be different for this grade.")
    ] = None,
    can_change: Annotated[
        list[str] | None,
        typer.Option("--can-change", help="COL:down or COL:up, for a table that is not of the catalogue."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write row, points, PD, grade, reasons.")] = None,
    language: LanguageOption = "en",
    json: JsonOption = False,
) -> None:
    """Score every row of a table; --explain gives reasons, --advise the smallest changes for a grade."""
    try:
        artefact = read_model(model)
        table = scoring.read_table(csv_file)
        columns = table.select(artefact.names)
        names = [_spelt(name) for name in table.column(id_column).tolist()] if id_column else None
        names = names or [str(place) for place in range(len(table))]
        places = _places(names, row)
        picked = {name: values[places] for name, values in columns.items()}
        scored = scoring.score_columns(artefact, picked)
    except UNABLE as error:
        fail(str(error))
    language = "zh" if language == "zh" else "en"
    scale = grading.scale_for(artefact.outcome)
    levers = _levers(artefact, can_change or [])
    told = []
    for place, at in enumerate(places):
        values = {name: _plain(column[place]) for name, column in picked.items()}
        one = scoring.score_at(artefact, scored, place, values)
        line: dict[str, Any] = {
            "row": names[at],
            "points": one.points,
            "pd": one.pd,
            "grade": grading.grade_of(one.pd, scale).value,
        }
        if explain or advise is not None:
            line["reasons"] = [_reason(item) for item in scoring.reasons(artefact, one)]
        if advise is not None:
            line["advice"] = _advice(artefact, values, levers, below=grading.below_for(advise, scale))
        told.append(line)
    if out is not None:
        _write(told, out)
    _tell(artefact, told, as_json=json, language=language)


def _places(names: Sequence[str], wanted: Sequence[str] | None) -> list[int]:
    if not wanted:
        return list(range(len(names)))
    known = {name: place for place, name in enumerate(names)}
    for name in wanted:
        if name not in known:
            fail(f"there is no row {name!r}; --id says which column names the rows")
    return [known[name] for name in wanted]


def _levers(artefact: scoring.Artefact, asked: Sequence[str]) -> list[Any]:
    """What can be done: the actions of the catalogue, and the columns that somebody named."""
    by_name = {feature.name: feature for feature in artefact.features}
    definitions = [item for item in features.CATALOGUE if item.name in by_name]
    actions = list(scoring.actions_for(definitions))
    for entry in asked:
        name, _, way = entry.rpartition(":")
        if way not in {"down", "up"} or name not in by_name or by_name[name].type != "numeric":
            raise typer.BadParameter(
                f"{entry!r} is not COL:down or COL:up with a number that the model reads",
                param_hint="--can-change",
            )
        towards: Literal["down", "up"] = "down" if way == "down" else "up"
        actions.append(scoring.lever(by_name[name], towards=towards))
    return actions


def _advice(
    artefact: scoring.Artefact, values: Mapping[str, Any], actions: Sequence[Any], *, below: float
) -> dict[str, Any]:
    found = scoring.advise(artefact, values, actions, pd_below=below)
    if isinstance(found, scoring.AdviceRefusal):
        return {"why_not": found.text.as_data()}
    scale = grading.scale_for(artefact.outcome)
    return {**found.as_data(), "grade": grading.grade_of(found.after.pd, scale).value}


def _reason(reason: scoring.Reason) -> dict[str, Any]:
    family = scoring.family_of(reason.topic)
    more = {"statement": family.statement.as_data(), "check": family.check.as_data()} if family else {}
    return {**reason.as_data(), **more}


def _tell(
    artefact: scoring.Artefact, told: Sequence[Mapping[str, Any]], *, as_json: bool, language: str
) -> None:
    if as_json:
        emit({"model": artefact.hash, "rows": list(told)}, as_json=True)
        return
    shown = [(line["row"], line["points"], f"{line['pd']:.4f}", line["grade"]) for line in told[:_SHOWN]]
    print_table(f"{len(told):,} rows scored", ("row", "points", "pd", "grade"), shown)
    for line in told[:_SHOWN]:
        for reason in line.get("reasons", ()):
            statement = f"{reason['statement'][language]}: " if "statement" in reason else ""
            text, points = reason["text"][language], reason["points"]
            say(f"{line['row']} {reason['rank']}. {statement}{text} ({points:+d})")
        if "advice" in line:
            _tell_advice(line["row"], line["advice"], language=language)
    if len(told) > _SHOWN:
        say(f"and {len(told) - _SHOWN:,} more rows; --out FILE writes them all")


def _tell_advice(row: str, advice: Mapping[str, Any], *, language: str) -> None:
    if "why_not" in advice:
        say(f"{row} advice: {advice['why_not'][language]}")
        return
    for action in advice["actions"]:
        say(f"{row} advice: {action['text'][language]}")
    pd = advice["pd"]
    say(
        f"{row} then, with nothing else different: PD {pd['before']:.4f} -> {pd['after']:.4f}, "
        f"grade {advice['grade']}"
    )


def _write(told: Sequence[Mapping[str, Any]], out: Path) -> None:
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "points", "pd", "grade", "reasons"])
        for line in told:
            codes = " ".join(reason["code"] for reason in line.get("reasons", ()))
            writer.writerow([line["row"], line["points"], line["pd"], line["grade"], codes])


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _spelt(name: Any) -> str:
    return str(int(name)) if isinstance(name, float) and name.is_integer() else str(name)
