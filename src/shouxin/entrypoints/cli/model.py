"""``shouxin model``: registered models, their document, challengers, the monitor, retraining, feedback."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from shouxin import reporting, scoring
from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    fail,
    opened_house,
    print_table,
    progress_bar,
    read_instant,
    say,
)
from shouxin.entrypoints.cli.model_tables import import_model, sql
from shouxin.entrypoints.cli.named_customer import named_customer
from shouxin.entrypoints.cli.rejects import rejects
from shouxin.entrypoints.cli.robustness import robustness
from shouxin.entrypoints.console.document_page import document_page
from shouxin.entrypoints.jobs.nightly import monitor_models, retrain_when_due, shadow_challengers
from shouxin.scoring import FeedbackKind, MonitoringRun, StageRefusal, StageRow, Verdict

app = typer.Typer(
    help="Registered models: their documents, challengers, monitoring, retraining, and feedback.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("sql")(sql)
app.command("import")(import_model)
_ACTOR = "command line"
_FEATURES_SHOWN = 10
app.command("robustness")(robustness)
app.command("rejects")(rejects)
ModelArgument = Annotated[
    str, typer.Argument(help="The hash of a model, or its beginning: sha256:1a2b..; champion for that one.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept for ever.")]


@app.command("list")
def list_models(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List every registered model and where it stands."""
    with opened_house(home) as house, house.database.begin() as db:
        found = scoring.list_models(db)
    if as_json:
        emit({"models": [_row(row) for row in found]}, as_json=True)
        return
    rows = [(row.model_hash[:19], row.name, row.stage, f"{row.at:%Y-%m-%d %H:%M}") for row in found]
    print_table(f"{len(rows)} models", ("hash", "name", "stage", "since"), rows)


@app.command("document")
def document(
    model: ModelArgument = "champion",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the document as HTML and JSON.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the document of a model: purpose, data, features, method, figures, monitoring, sign-off."""
    with opened_house(home) as house, house.database.begin() as db:
        found = reporting.model_document(db, _named(db, model))
    assert found is not None, "a named model is registered"
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "model.html").write_text(document_page(found), encoding="utf-8")
        body = json_format.dumps(found.as_data(), ensure_ascii=False, indent=1)
        (out / "document.json").write_text(body, encoding="utf-8")
    if as_json:
        emit(found.as_data(), as_json=True)
        return
    print_table(
        f"{found.name} ({found.stage})",
        ("section", "章节", "tables"),
        [(section.heading.en, section.heading.zh, len(section.tables)) for section in found.sections],
    )
    say(f"written to {out}" if out else "write it down with --out FOLDER")


@app.command("gates")
def gates(model: ModelArgument = "champion", home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show how a model did at its gates; exit code 1 where they are shut."""
    with opened_house(home) as house, house.database.begin() as db:
        model_hash = _named(db, model)
        found = scoring.find_gates(db, model_hash)
    if found is None:
        fail(f"{model_hash} has not been through its gates; `shouxin grade` trains a model and tests them")
    kept, at = found
    is_open = scoring.open_gates(kept)
    if as_json:
        data = {"model": model_hash, "at": at.isoformat(), "open": is_open}
        emit(data | {"gates": [gate.as_data() for gate in kept]}, as_json=True)
    else:
        rows = [(scoring.GATE_WORDS[gate.code].en, gate.passed.value, gate.figure) for gate in kept]
        print_table(f"Gates of {model_hash[:19]} at {at:%Y-%m-%d %H:%M}", ("gate", "", "figure"), rows)
    if not is_open:
        raise typer.Exit(1)


@app.command("challenge")
def challenge(
    model: ModelArgument, reason: ReasonOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Let a candidate score in the shadow of the champion; it decides nothing."""
    emit(_moved(scoring.challenge, model, reason, home=home), as_json=as_json, title="Challenger")


@app.command("withdraw")
def withdraw(
    model: ModelArgument, reason: ReasonOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Retire a candidate or a challenger."""
    emit(_moved(scoring.withdraw, model, reason, home=home), as_json=as_json, title="Withdrawn")


@app.command("shadow")
def shadow(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Let every challenger speak of the decisions made since it last did."""
    with opened_house(home) as house:
        found = shadow_challengers(house)
    told = [{"model": one.model_hash, "scored": one.scored, "unread": one.unread} for one in found]
    if as_json:
        emit({"challengers": told}, as_json=True)
        return
    rows = [(one.model_hash[:19], one.scored, one.unread) for one in found]
    print_table(f"{len(rows)} challengers", ("model", "decisions scored", "lacking a feature"), rows)


@app.command("monitor")
def monitor(
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day to look at; default now.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at the champion and the challengers: drift, vintages, and what is foretold without labels.

    Exit code 1 where one of them calls for action.
    """
    at = read_instant(as_of)
    with opened_house(home) as house, progress_bar("looking at models") as advance:
        advance(0, 1)
        looks = monitor_models(house, as_of=at)
        advance(1, 1)
    if not looks:
        fail("there is no champion or challenger that can be monitored; train one with `shouxin grade`")
    if as_json:
        emit({"looks": [look.as_data() for look in looks]}, as_json=True)
    else:
        for look in looks:
            _show_look(look)
    if any(look.verdict is Verdict.ACT for look in looks):
        raise typer.Exit(1)


@app.command("retrain")
def retrain(
    as_of: Annotated[str | None, typer.Option("--as-of", help="Learn until this day; default now.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a candidate where the champion has drifted or is a quarter old; nothing is promoted."""
    at = read_instant(as_of)
    with opened_house(home) as house, progress_bar("training when due") as advance:
        advance(0, 1)
        found = retrain_when_due(house, as_of=at)
        advance(1, 1)
    if found is None:
        emit({"trained": None}, as_json=as_json, title="Not due: the champion is young and has not drifted")
        return
    told = {"trained": found.artefact.hash, "rows": found.rows, "events": found.events, "open": found.passed}
    emit(told, as_json=as_json, title="A candidate")


@app.command("tell")
def tell(
    ref: Annotated[str, typer.Argument(help="The shop's reference of the customer, or our id (cus_..).")],
    kind: Annotated[FeedbackKind, typer.Option("--kind", help="What sort of word it is.")],
    said: Annotated[
        str, typer.Option("--said", help="event, non_event; a grade, approve, decline; upheld, rejected.")
    ],
    as_of: Annotated[str, typer.Option("--as-of", help="The day that it speaks about.")],
    reason: ReasonOption,
    source: Annotated[str, typer.Option("--source", help="Which shop's reference it is.")] = "shop",
    by: Annotated[str, typer.Option("--by", help="The department or the person who says it.")] = _ACTOR,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the models what people know better: a label, an override, or how an appeal ended."""
    at = read_instant(as_of)
    assert at is not None, "the option is given"
    with opened_house(home) as house, house.database.begin() as db:
        customer_id = named_customer(db, ref, source=source)
        word = scoring.tell(
            db, str(customer_id), kind=kind, said=said, as_of=at, reason=reason, by=by, now=house.clock()
        )
    emit({"customer_id": word.customer_id, "kind": word.kind.value, "said": word.said}, as_json=as_json)


@app.command("feedback")
def feedback(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List every word that people told, and how overrides turned out, the newest first."""
    with opened_house(home) as house, house.database.begin() as db:
        words, report = scoring.list_feedback(db), reporting.override_report(db)
    if as_json:
        told = [
            {
                "kind": word.kind.value,
                "customer_id": word.customer_id,
                "as_of": word.as_of.isoformat(),
                "said": word.said,
                "reason": word.reason,
                "by": word.by,
                "at": word.at.isoformat(),
            }
            for word in words
        ]
        emit({"feedback": told, "overrides": [line.as_data() for line in report]}, as_json=True)
        return
    rows = [
        (f"{word.at:%Y-%m-%d}", word.kind.value, word.said, word.customer_id, word.by, word.reason)
        for word in words
    ]
    print_table(f"{len(rows)} words", ("told", "kind", "said", "customer", "by", "why"), rows)
    lines = [(line.said, line.overrides, line.defaulted, line.mean_pd) for line in report]
    print_table("Overrides, and what followed", ("said", "overrides", "later in default", "mean PD"), lines)


def _named(db: Connection, told: str) -> str:
    """The hash of the model that somebody means; ends the command where it is none or more than one."""
    if told == "champion":
        champion = scoring.champion(db)
        if champion is None:
            fail("no model is champion; train one with `shouxin grade` and have it promoted")
        return champion.hash
    wanted = told if told.startswith("sha256:") else f"sha256:{told}"
    found = [row.model_hash for row in scoring.list_models(db) if row.model_hash.startswith(wanted)]
    if len(found) != 1:
        fail(f"{len(found)} models begin with {wanted}; `shouxin model list` names them")
    return found[0]


def _moved(
    verb: Callable[..., StageRow | StageRefusal], model: str, reason: str, *, home: Path | None
) -> dict[str, str]:
    """Move the model that somebody means; ends the command where that is refused."""
    with opened_house(home) as house, house.database.begin() as db:
        model_hash = _named(db, model)
        made = verb(db, model_hash, by=_ACTOR, reason=reason, now=house.clock())
        if isinstance(made, StageRefusal):
            fail(made.reason)
    return {"model": model_hash, "stage": made.stage}


def _row(row: scoring.ModelRow) -> dict[str, Any]:
    return {
        "model": row.model_hash,
        "name": row.name,
        "learner": row.model,
        "outcome": row.outcome,
        "stage": row.stage,
        "since": row.at.isoformat(),
        "registered_at": row.registered_at.isoformat(),
    }


def _show_look(look: MonitoringRun) -> None:
    moved = sorted(look.shifts[1:], key=lambda shift: -shift.psi)[:_FEATURES_SHOWN]
    rows = [
        (shift.name, f"{shift.psi:.4f}", f"{shift.critical:.4f}", shift.verdict.value)
        for shift in (look.shifts[0], *moved)
    ]
    title = f"{look.model_hash[:19]} at {look.as_of:%Y-%m-%d}: {look.verdict.value} ({look.rows:,} rows)"
    print_table(title, ("what", "PSI", "by chance", ""), rows)
    rate = look.foretold.event_rate
    say(f"foretold: AUC {look.foretold.auc:.4f}, event rate {rate.value:.2%}")
    for name, vintage in (("matured", look.matured), ("early", look.early)):
        if vintage is not None:
            seen = vintage.observed
            say(
                f"{name} cohort of {vintage.as_of:%Y-%m-%d}: {vintage.events} events, observed over expected "
                f"{seen.value:.2f} ({seen.low:.2f} to {seen.high:.2f}): {vintage.verdict.value}"
            )
        else:
            say(f"{name}: {look.why_not.get(name, '')}")
