"""`shouxin consent`: what customers agreed to, the texts they saw, and what a source needs consent for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from shouxin.entrypoints.cli.common import (
    HomeOption,
    House,
    JsonOption,
    emit,
    fail,
    opened_house,
    print_table,
    read_instant,
)
from shouxin.identity import find_customer, references_of
from shouxin.ingestion import consent, consenting
from shouxin.ingestion.consent import (
    NO_POLICY,
    STANDARD_POLICY,
    ConsentPolicy,
    ConsentRefusal,
    ConsentText,
    UnableToReadConsentPolicy,
)
from shouxin.ingestion.consenting import WordTaken
from shouxin.ingestion.domain import SOURCE_PATTERN
from shouxin.kernel import OWN_SOURCE, Bilingual

app = typer.Typer(help="What customers agreed to, and what may be done without.", no_args_is_help=True)
policy_app = typer.Typer(help="What a source may send without consent.", no_args_is_help=True)
app.add_typer(policy_app, name="policy")

Reference = tuple[str, str]
# Who has the command line of the house has its key file: the audit names the door, not a person.
_ACTOR = "command line"
WhoArgument = Annotated[str, typer.Argument(help="Our id of the customer (cus_..), or SOURCE:REFERENCE.")]
PurposeArgument = Annotated[str, typer.Argument(help=f"One of {', '.join(consent.PURPOSES)}.")]
ChannelOption = Annotated[str | None, typer.Option(help="Where it was said: app, web, store or phone.")]
AtOption = Annotated[str | None, typer.Option("--at", help="When it was said (ISO 8601); default now.")]


@app.command()
def show(
    who: WhoArgument,
    as_of: Annotated[str | None, typer.Option(help="The day or instant to look from; default now.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where each purpose stands, since when and on which text, and every word that was said."""
    with opened_house(home) as house, house.database.begin() as db:
        at = read_instant(as_of) or house.clock()
        refs = _references(db, who)
        standings = consent.standings(db, refs, as_of=at)
        words = consent.history(db, refs, as_of=at)
    if as_json:
        emit(
            {
                "references": [f"{source}:{ref}" for source, ref in refs],
                "as_of": at.isoformat(),
                "consents": [_standing_data(one) for one in standings],
                "history": [_word_data(one) for one in words],
            },
            as_json=True,
        )
        return
    rows = [
        (one.purpose, consent.PURPOSES[one.purpose].en, one.state, one.since or "", one.text_version or "")
        for one in standings
    ]
    print_table(f"Consents of {who}", ("purpose", "for", "state", "since", "text"), rows)
    told = [
        (
            w.occurred_at,
            w.purpose,
            w.state,
            w.text_version or "",
            w.channel or "",
            f"{w.source}:{w.customer_ref}",
        )
        for w in words
    ]
    if told:
        print_table("History", ("when", "purpose", "said", "text", "channel", "reference"), told)


@app.command()
def grant(
    who: WhoArgument,
    purpose: PurposeArgument,
    text_version: Annotated[
        str | None, typer.Option("--text", help="Version of the text; default the one in force.")
    ] = None,
    channel: ChannelOption = None,
    at: AtOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note that a customer agreed to a purpose."""

    def said(db: Connection, house: House, ref: Reference) -> WordTaken | ConsentRefusal:
        return consenting.give_consent(
            db,
            ref[1],
            source=ref[0],
            purpose=purpose,
            text_version=text_version,
            channel=channel,
            occurred_at=read_instant(at),
            keyring=house.keyring,
            now=house.clock(),
        )

    _say(who, purpose, said, home=home, as_json=as_json)


@app.command()
def withdraw(
    who: WhoArgument,
    purpose: PurposeArgument,
    channel: ChannelOption = None,
    at: AtOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note that a customer took the agreement to a purpose back."""

    def said(db: Connection, house: House, ref: Reference) -> WordTaken | ConsentRefusal:
        return consenting.withdraw_consent(
            db,
            ref[1],
            source=ref[0],
            purpose=purpose,
            channel=channel,
            occurred_at=read_instant(at),
            keyring=house.keyring,
            now=house.clock(),
        )

    _say(who, purpose, said, home=home, as_json=as_json)


@app.command()
def texts(
    purpose: Annotated[str | None, typer.Option(help="Only of this purpose.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the texts that customers are asked to agree to, in their versions."""
    with opened_house(home) as house, house.database.begin() as db:
        found = consent.texts(db, purpose=purpose)
    if as_json:
        emit({"texts": [_text_data(one) for one in found]}, as_json=True)
        return
    rows = [(one.purpose, one.text_version, one.valid_from, one.published_by, one.text.en) for one in found]
    print_table("Texts", ("purpose", "version", "valid from", "by", "text"), rows)


@app.command()
def publish(
    purpose: PurposeArgument,
    text_version: Annotated[str, typer.Argument(help="A name for this version, as in 2026-01.")],
    zh: Annotated[str, typer.Option(help="The text in Chinese.")],
    en: Annotated[str, typer.Option(help="The text in English.")],
    valid_from: Annotated[str | None, typer.Option(help="From when it is shown; default now.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a version of a text; a published version stands for ever."""
    if not zh.strip() or not en.strip():
        fail("a text has both languages; give --zh and --en")
    with opened_house(home) as house, house.database.begin() as db:
        now = house.clock()
        start = read_instant(valid_from) or now
        given = ConsentText(purpose, text_version, Bilingual(zh, en), start, _ACTOR, now)
        answer = consent.publish_text(db, given)
        if isinstance(answer, ConsentRefusal):
            fail(f"{purpose} {text_version}: {answer.text.en}")
    emit(_text_data(answer), as_json=as_json, title="Published")


@policy_app.command("show")
def show_policy(
    source: Annotated[str | None, typer.Argument(help="A source; default every source that has one.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each kind of event and each field needs, and how often a field was left out."""
    with opened_house(home) as house, house.database.begin() as db:
        found = [consent.policy_of(db, source)] if source else consent.policies(db)
        gone = {one: times for one, times in consent.left_out(db).items() if source in (None, one.source)}
    if as_json:
        emit(
            {
                "standard": STANDARD_POLICY.as_data(),
                "policies": [
                    {"source": one.source, "version": one.version, "set_at": one.set_at, "set_by": one.set_by}
                    | one.policy.as_data()
                    for one in found
                ],
                "left_out": [
                    {"source": one.source, "field": one.field, "purpose": one.purpose, "times": times}
                    for one, times in gone.items()
                ],
            },
            as_json=True,
        )
        return
    rows = [
        (one.source, one.version or "never set", part, name, need.purpose, need.without.value)
        for one in found
        for part, needs in (("kind", one.policy.kinds), ("field", one.policy.fields))
        for name, need in sorted(needs.items())
    ] or [(one.source, one.version or "never set", "-", "asks for nothing", "", "") for one in found]
    print_table("Policies", ("source", "version", "what", "name", "needs", "without it"), rows)
    if gone:
        counted = [(one.source, one.field, one.purpose, times) for one, times in gone.items()]
        print_table("Left out", ("source", "field", "needs", "times"), counted)


@policy_app.command("set")
def set_policy(
    source: Annotated[str, typer.Argument(help="The source, as in shop.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="A policy as JSON.", exists=True, dir_okay=False)
    ] = None,
    standard: Annotated[
        bool, typer.Option("--standard", help="The policy that comes with the house.")
    ] = False,
    off: Annotated[bool, typer.Option("--off", help="Ask for no consent.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a source a policy from now on. Its earlier versions stay on record."""
    if [file is not None, standard, off].count(True) != 1:
        raise typer.BadParameter("give one of --file, --standard and --off")
    if not re.fullmatch(SOURCE_PATTERN, source):
        raise typer.BadParameter(f"{source!r} is not a source name (a-z, 0-9, - and _)")
    policy = _read(file) if file else (STANDARD_POLICY if standard else NO_POLICY)
    with opened_house(home) as house, house.database.begin() as db:
        stands = consent.set_policy(db, source, policy, by=_ACTOR, now=house.clock())
    emit({"source": source, "version": stands.version} | policy.as_data(), as_json=as_json, title="Policy")


def _say(who: str, purpose: str, said: Any, *, home: Path | None, as_json: bool) -> None:
    """Say the word under every reference of the customer: the door asks each reference for its own."""
    with opened_house(home) as house, house.database.begin() as db:
        refs = [ref for ref in _references(db, who) if ref[0] != OWN_SOURCE]
        taken = {f"{source}:{ref}": said(db, house, (source, ref)) for source, ref in refs}
        for answer in taken.values():
            if isinstance(answer, ConsentRefusal):
                fail(f"{purpose}: {answer.text.en} {answer.detail}")
        standing = consent.standing(db, refs, purpose=purpose, as_of=house.clock())
    outcomes = {name: answer.outcome.value for name, answer in taken.items()}
    emit({"outcomes": outcomes} | _standing_data(standing), as_json=as_json, title="Consent")


def _references(db: Connection, who: str) -> list[Reference]:
    """The references of the customer; of one who is not linked yet the reference itself."""
    source, colon, ref = who.partition(":")
    name = (source, ref) if colon else (OWN_SOURCE, who)
    found = find_customer(db, source=name[0], customer_ref=name[1])
    if found is not None:
        return references_of(db, found)
    if not colon or not ref or not source:
        fail(f"no customer is known as {who}; give our id (cus_..) or SOURCE:REFERENCE")
    return [(source, ref)]


def _read(file: Path) -> ConsentPolicy:
    try:
        return consent.read_policy(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, UnableToReadConsentPolicy) as error:
        fail(f"{file}: {error}")


def _standing_data(one: consent.ConsentStanding) -> dict[str, Any]:
    return {
        "purpose": one.purpose,
        "state": one.state.value,
        "since": one.since and one.since.isoformat(),
        "text_version": one.text_version,
    }


def _word_data(one: consent.ConsentWord) -> dict[str, Any]:
    return {
        "occurred_at": one.occurred_at.isoformat(),
        "received_at": one.received_at.isoformat(),
        "purpose": one.purpose,
        "state": one.state.value,
        "text_version": one.text_version,
        "channel": one.channel,
        "reference": f"{one.source}:{one.customer_ref}",
    }


def _text_data(one: ConsentText) -> dict[str, Any]:
    return {
        "purpose": one.purpose,
        "text_version": one.text_version,
        "valid_from": one.valid_from.isoformat(),
        "published_by": one.published_by,
        "text": one.text.as_data(),
    }
