"""``shouxin features``: the catalogue, as SQL, over everybody; what is kept for checkouts, and its skew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from shouxin import features as room
from shouxin.entrypoints.cli import features_shopwide
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
)
from shouxin.entrypoints.cli.features_join import join
from shouxin.entrypoints.cli.features_select import select
from shouxin.entrypoints.jobs.nightly import SKEW_DECISIONS_MAX, absorb_events, check_skew
from shouxin.entrypoints.linked_history import linked_history
from shouxin.features import sequences

app = typer.Typer(help="The catalogue of features, and its values.", no_args_is_help=False)
features_shopwide.add_to(app)
app.command("select")(select)
app.command("join")(join)

_ROWS_SHOWN = 20
LanguageOption = Annotated[str, typer.Option("--language", help="Language of the meanings: zh or en.")]


class DialectName(StrEnum):
    """What definitions are compiled to."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"
    SPARK = "spark"


class EngineName(StrEnum):
    """What computes the features of everybody."""

    DUCKDB = "duckdb"
    SPARK = "spark"


@app.callback(invoke_without_command=True)
def features(
    context: typer.Context,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """List the features of the catalogue: window, direction, meaning; --json tells everything."""
    if context.invoked_subcommand is None:
        _list(room.CATALOGUE, language=language, as_json=as_json)


@app.command("list")
def list_features(
    topic: Annotated[room.Topic | None, typer.Option("--topic", help="Only of this topic.")] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """List the features of the catalogue, or of one topic."""
    chosen = [item for item in room.CATALOGUE if topic in (None, item.topic)]
    _list(chosen, language=language, as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The feature.")],
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Show one feature: what it means, how it is computed, what a missing value means, who answers for it."""
    (definition,) = _named([name])
    if as_json:
        emit(definition.as_data() | {"purposes": sorted(definition.purposes)}, as_json=True)
        return
    told = {
        "meaning": definition.meaning.in_language(language),
        "topic": definition.topic.words.in_language(language),
        "computed as": room.told(definition.formula),
        "unit": definition.unit,
        "missing": definition.missing.value,
        "direction": definition.direction.value if definition.direction else "none declared",
        "owner": definition.owner,
        "purposes": ", ".join(sorted(definition.purposes)) or "none: facts of the contract itself",
    }
    emit(told, as_json=False, title=definition.name)


@app.command()
def document(
    out: Annotated[Path, typer.Option("--out", help="The file to write: docs/features-catalogue.md.")],
    as_json: JsonOption = False,
) -> None:
    """Write the page of the manual that lists the whole catalogue."""
    out.write_text(room.catalogue_page(room.CATALOGUE), encoding="utf-8")
    emit({"features": len(room.CATALOGUE), "out": str(out)}, as_json=as_json)


@app.command("compile")
def compile_features(
    names: Annotated[list[str] | None, typer.Argument(help="The features; none is all of them.")] = None,
    dialect: Annotated[
        DialectName, typer.Option("--dialect", help="The engine that will run it.")
    ] = DialectName.DUCKDB,
    as_json: JsonOption = False,
) -> None:
    """Print features as one SQL query over `history` and `link`, as known at `as_of` (microseconds)."""
    definitions = _named(names or [])
    sql = room.compiled(definitions, dialect=dialect.value)
    if as_json:
        emit(
            {"dialect": dialect.value, "features": [item.name for item in definitions], "sql": sql},
            as_json=True,
        )
    else:
        typer.echo(sql)


@app.command()
def batch(
    as_of: Annotated[str, typer.Option("--as-of", help="The day to stand at: 2026-03-01.")],
    out: Annotated[Path, typer.Option("--out", help="The Parquet file to write; of Spark a folder.")],
    engine: Annotated[
        EngineName, typer.Option("--engine", help="What computes it; spark needs the extra spark and Java.")
    ] = EngineName.DUCKDB,
    master: Annotated[
        str, typer.Option("--master", help="The cluster, as Spark names it; it must see the history.")
    ] = "local[*]",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write every feature of everybody known at a date as Parquet, by DuckDB or on Spark: the same values."""
    day = instant_of(as_of, option="--as-of")
    with opened_house(home) as house:
        links = _links(house)
        try:
            if engine is EngineName.SPARK:
                with progress_bar("computing on Spark") as advance:
                    customers = room.compute_on_spark(
                        house.home.history, links, out, as_of=day, master=master, progress=advance
                    )
            else:
                table = room.compute(house.home.history, links, as_of=day)
                pq.write_table(table, out)
                customers = table.num_rows
        except (room.UnableToReadHistory, room.UnableToRunSpark) as error:
            fail(str(error))
    done = {
        "customers": customers,
        "features": len(room.CATALOGUE),
        "catalogue": room.catalogue_hash(),
        "engine": engine.value,
        "out": str(out),
    }
    emit(done, as_json=as_json, title="Features")


def _links(house: House) -> pa.Table:
    with house.database.begin() as db:
        return linked_history(house, db, now=house.clock(), bar=progress_bar)


@app.command("sequences")
def write_sequences(
    as_of: Annotated[str, typer.Option("--as-of", help="The day to stand at: 2026-03-01.")],
    out: Annotated[Path, typer.Option("--out", help="The Parquet file to write.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write everybody's latest events in their order, one text a customer, for the models that read them."""
    day = instant_of(as_of, option="--as-of")
    with opened_house(home) as house:
        links = _links(house)
        try:
            table = sequences.sequences(house.home.history, links, as_of=day)
        except room.UnableToReadHistory as error:
            fail(str(error))
    pq.write_table(table, out)
    definition = sequences.RECENT_EVENTS
    done = {
        "customers": table.num_rows,
        "column": definition.name,
        "definition": definition.hash,
        "fields": [field.name for field in definition.layout.fields],
        "events_at_most": definition.length,
        "out": str(out),
    }
    emit(done, as_json=as_json, title="Sequences")


def _named(names: Sequence[str]) -> Sequence[room.FeatureDefinition]:
    """The features of these names, in their order; all of them where none is named."""
    by_name = {definition.name: definition for definition in room.CATALOGUE}
    for name in names:
        if name not in by_name:
            fail(f"there is no feature {name!r}; `shouxin features list` names them")
    return [by_name[name] for name in names] or room.CATALOGUE


def _list(definitions: Sequence[room.FeatureDefinition], *, language: str, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {
            "hash": room.catalogue_hash(),
            "features": [definition.as_data() for definition in definitions],
        }
        emit(told, as_json=True)
        return
    rows = [
        (
            definition.name,
            definition.topic.words.in_language(language),
            "all" if definition.window_days is None else f"{definition.window_days} d",
            _RISK[definition.direction],
            definition.meaning.in_language(language),
        )
        for definition in definitions
    ]
    title = f"{len(rows)} features, {room.catalogue_hash()[:19]}"
    print_table(title, ("name", "topic", "window", "risk", "meaning"), rows)


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
