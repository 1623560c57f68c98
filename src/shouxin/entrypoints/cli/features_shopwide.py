"""``shouxin features shopwide | rings | patterns``: what only the whole shop can tell about a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.common import (
    HomeOption,
    House,
    JsonOption,
    emit,
    fail,
    instant_of,
    opened_house,
    print_table,
    progress_bar,
    say,
)
from shouxin.entrypoints.jobs.nightly import keep_shopwide
from shouxin.entrypoints.linked_history import linked_history
from shouxin.features import graph, patterns, shopwide

app = typer.Typer(
    help="Shop-wide features: list them, keep a night, see which nights are missing.", no_args_is_help=True
)
DayOption = Annotated[
    str | None,
    typer.Option("--day", help="The midnight (UTC), as in 2026-03-01; default the last one."),
]
LanguageOption = Annotated[str, typer.Option("--language", help="Language of the meanings: zh or en.")]


def add_to(features: typer.Typer) -> None:
    """Put these commands below ``shouxin features``."""
    features.add_typer(app, name="shopwide")
    features.command("rings")(rings)
    features.command("patterns")(risk_patterns)


@app.command("list")
def list_shopwide(language: LanguageOption = "en", as_json: JsonOption = False) -> None:
    """List the shop-wide features; --json tells everything."""
    if as_json:
        told = [feature.as_data() for feature in shopwide.SHOPWIDE]
        emit({"version": shopwide.VERSION, "features": told}, as_json=True)
        return
    rows = [
        (item.name, item.topic.words.in_language(language), item.unit, item.meaning.in_language(language))
        for item in shopwide.SHOPWIDE
    ]
    print_table(f"{len(rows)} shop-wide features", ("name", "topic", "unit", "meaning"), rows)


@app.command("keep")
def keep(day: DayOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Compute the shop-wide features of a midnight and keep them; a night that was kept stays as it is."""
    with opened_house(home) as house:
        night = _night(house, day)
        try:
            with progress_bar("looking at the shop") as advance:
                kept = keep_shopwide(house, night=night, progress=advance)
        except shopwide.UnableToKeepNight as error:
            fail(str(error))
    told = {
        "night": kept.night.isoformat(),
        "version": kept.version,
        "customers": kept.customers,
        "changed": kept.changed,
        "patterns": kept.document_hash,
        "kept_at": kept.kept_at.isoformat(),
    }
    emit(told, as_json=as_json, title="Shop-wide features kept")


@app.command("missing")
def missing(
    nights: Annotated[int, typer.Option("--nights", min=1, help="How many nights to look back.")] = 30,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name the nights that were not kept: their features are null. Exit code 1 when there are any."""
    with opened_house(home) as house, house.database.begin() as db:
        found = shopwide.nights_missing(db, as_of=house.clock(), nights=nights)
    if as_json:
        emit({"missing": [night.isoformat() for night in found]}, as_json=True)
    else:
        say(", ".join(map(str, found)) if found else f"of the last {nights} nights none is missing")
    if found:
        raise typer.Exit(1)


def rings(
    day: DayOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many to print.")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List suspected rings: groups who share two kinds of token or more, the densest first."""
    with opened_house(home) as house:
        history, links, night = _read(house, day)
        found = graph.find_rings(history, links, night=night)
    if as_json:
        told = [ring.as_data() | {"members": list(members)} for ring, members in found[:limit]]
        emit({"night": night.date().isoformat(), "suspected": len(found), "rings": told}, as_json=True)
        return
    rows = [_ring_row(ring, members) for ring, members in found[:limit]]
    title = f"{len(found)} suspected rings at {night:%Y-%m-%d}"
    columns = ("customers", "known bad", "joined together", "shared", "density", "one of them")
    print_table(title, columns, rows)


def risk_patterns(
    day: DayOption = None,
    language: LanguageOption = "en",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the risk patterns of a month: what, how many times as often, on how many customers."""
    with opened_house(home) as house:
        history, links, night = _read(house, day)
        try:
            document = patterns.mine_patterns(history, links, night=night)
        except patterns.UnableToMinePatterns as error:
            fail(str(error))
    if as_json:
        emit({"hash": document.hash} | document.as_data(), as_json=True)
        return
    rows: list[tuple[Any, ...]] = []
    for pattern in document.patterns:
        lift, later = pattern.confirmed.lift, pattern.confirmed
        figure = f"{lift.value:.2f} ({lift.low:.2f} to {lift.high:.2f})"
        meaning = document.meaning(pattern).in_language(language)
        rows.append((meaning, figure, pattern.found.lift.value, later.with_items, later.both))
    title = (
        f"{len(rows)} risk patterns of {document.as_of:%Y-%m} out of {document.tested:,} sets,"
        f" {document.hash[:19]}"
    )
    columns = ("pattern", "lift (95 %)", "lift where found", "customers", "events")
    print_table(title, columns, rows)


def _ring_row(ring: graph.SuspectedRing, members: tuple[str, ...]) -> tuple[Any, ...]:
    shared = ", ".join(f"{kind} {count}" for kind, count in ring.tokens.items() if count)
    return (len(members), ring.bad, ring.together, shared, ring.density, members[0])


def _read(house: House, day: str | None) -> tuple[Any, Any, datetime]:
    night = _night(house, day)
    with house.database.begin() as db:
        links = linked_history(house, db, now=house.clock(), bar=progress_bar)
    return house.home.history, links, night


def _night(house: House, day: str | None) -> datetime:
    if day is None:
        return shopwide.last_midnight(house.clock())
    night = instant_of(day, option="--day")
    if night != shopwide.last_midnight(night):
        raise typer.BadParameter(f"{day!r} is no day (as in 2026-03-01)", param_hint="--day")
    return night
