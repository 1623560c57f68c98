"""``shouxin features``: the catalogue, what is kept beside the log, and whether it is right."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from shouxin import features as room
from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    fail,
    instant_of,
    opened_house,
    print_table,
    progress_bar,
)
from shouxin.entrypoints.jobs.nightly import SKEW_DECISIONS_MAX, absorb_events, check_skew

app = typer.Typer(
    help="The catalogue of features; what is kept of each customer for the checkout; whether it is right.",
    add_completion=False,
)
_ROWS_SHOWN = 20


@app.callback(invoke_without_command=True)
def features(
    context: typer.Context,
    language: Annotated[str, typer.Option("--language", help="Language of the meanings: zh or en.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """List the features of the catalogue: window, direction, meaning; --json tells everything."""
    if context.invoked_subcommand is not None:
        return
    if as_json:
        definitions = [definition.as_data() for definition in room.CATALOGUE]
        emit({"hash": room.catalogue_hash(), "features": definitions}, as_json=True)
        return
    rows = [
        (
            definition.name,
            "all" if definition.window_days is None else f"{definition.window_days} d",
            _RISK[definition.direction],
            definition.meaning.in_language(language),
        )
        for definition in room.CATALOGUE
    ]
    title = f"{len(rows)} features, {room.catalogue_hash()[:19]}"
    print_table(title, ("name", "window", "risk", "meaning"), rows)


@app.command("absorb")
def absorb(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Bring what is kept of each reference up to the event log; a worker does it every minute."""
    with opened_house(home) as house:
        with progress_bar("absorbing events") as advance:
            done = absorb_events(house, progress=advance)
        with house.database.begin() as db:
            kept, waiting = room.count_states(db)
    told = {"states": done.states, "events": done.events, "position": done.position}
    emit({**told, "kept": kept, "waiting": waiting}, as_json=as_json, title="Absorbed from the event log")


@app.command("skew")
def skew(
    since: Annotated[
        str | None, typer.Option("--since", help="First instant (ISO 8601); default a day before --until.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last instant; default now.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="So many of the newest decisions at most.")
    ] = SKEW_DECISIONS_MAX,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute anew from the history what decisions read; ends with 1 if a difference is unexplained."""
    with opened_house(home) as house, progress_bar("computing values anew") as advance:
        last = instant_of(until, option="--until") if until else house.clock()
        first = instant_of(since, option="--since") if since else last - timedelta(days=1)
        if first >= last:
            raise typer.BadParameter("it lies at or after --until", param_hint="--since")
        report = check_skew(house, since=first, until=last, limit=limit, progress=advance)
    data = report.as_data()
    if as_json:
        emit(data, as_json=True)
    else:
        figures = ("since", "until", "decisions", "left_out", "compared", "unequal", "unexplained")
        emit({name: data[name] for name in figures}, as_json=False, title="What decided, and the history")
        rows = [
            (one["feature"], one["compared"], one["unequal"], one["largest"], one["causes"], one["examples"])
            for one in data["features"][:_ROWS_SHOWN]
            if one["unequal"]
        ]
        if rows:
            columns = ("feature", "compared", "unequal", "largest", "causes", "examples")
            print_table("Features that differ", columns, rows)
    if not report.is_good:
        fail(f"{report.unexplained} values differ and nothing explains why; see docs/online-features.md")


_RISK = {None: "", room.Direction.HIGHER_IS_RISKIER: "up", room.Direction.HIGHER_IS_SAFER: "down"}
