"""Register people: check, look for whom we have already, keep what is taken and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from shouxin.governance import Keyring
from shouxin.governance.domain import SEALED_FIELDS
from shouxin.ingestion import consent, quarantine
from shouxin.ingestion.domain import Fact, Receipt, Refusal, RefusedItem, receipt_of
from shouxin.ingestion.domain.registering import (
    ADAPTER,
    ID_IN_USE,
    OTHER_VALUES,
    SHARED,
    FieldProblem,
    Registered,
    check,
    event_of,
)
from shouxin.ingestion.erasure import refuse_erased
from shouxin.ingestion.naming import token_of
from shouxin.ingestion.quality.counting import count_malformed, count_people
from shouxin.ingestion.reading import RawChunk, RefusedRow
from shouxin.ingestion.registration import store
from shouxin.ingestion.registration.reading import people_chunks
from shouxin.ingestion.service import append
from shouxin.kernel import Bilingual, Progress, silent

_SHARED_FIELDS = ("phone", "email")
Tokens = dict[str, str]
_REFUSALS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class RefusedPerson:
    """A refused row of a people file: where it stands, whose it is, and what is wrong with which field."""

    place: str
    customer_ref: str
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class PeopleReport:
    """The account of a people file; ``refused`` holds the first thousand, ``warnings`` counts by field."""

    receipt: Receipt
    refused: tuple[RefusedPerson, ...]
    warnings: dict[str, int]


def register_file(
    begin: Callable[[], AbstractContextManager[Connection]],
    path: Path,
    *,
    source: str,
    keyring: Keyring,
    now: datetime,
    progress: Progress = silent,
) -> PeopleReport:
    """Register the people of a CSV file, portion by portion, each in a transaction that ``begin`` opens.

    What was registered stays when it is interrupted, and running it again adds nothing twice. Raises
    UnableToRead.
    """
    receipt, refused, warnings = Receipt(), list[RefusedPerson](), Counter[str]()
    for chunk, rows in people_chunks(path):
        places = chunk.table.column("place").to_pylist()
        with begin() as db:
            answers = register(db, rows, source=source, keyring=keyring, now=now, places=places)
            malformed = [replace(row, source=source) for row in chunk.malformed]
            kept = quarantine.keep(db, malformed, adapter=ADAPTER, keyring=keyring, now=now)
            count_malformed(db, malformed, adapter=ADAPTER, kept=kept, now=now)
        receipt += _receipt(chunk, answers)
        refused += [
            RefusedPerson(place, answer.customer_ref, answer.refusals)
            for place, answer in zip(places, answers, strict=True)
            if answer.outcome == "refused"
        ]
        broken = (FieldProblem(row.field, Bilingual(row.reason, row.reason)) for row in chunk.malformed)
        refused += [
            RefusedPerson(row.place, "", (p,)) for row, p in zip(chunk.malformed, broken, strict=True)
        ]
        warnings.update(f"{one.field}: {one.text.en}" for answer in answers for one in answer.warnings)
        progress(chunk.done, chunk.total)
    return PeopleReport(receipt, tuple(refused[:_REFUSALS_KEPT]), dict(warnings.most_common()))


def register(
    db: Connection,
    rows: Sequence[Mapping[str, Any]],
    *,
    source: str,
    keyring: Keyring,
    now: datetime,
    places: Sequence[str] | None = None,
) -> list[Registered]:
    """What became of each registration, in order; refused ones wait in quarantine, sealed.

    A row has the names of ``domain.FIELDS``; ``places`` says where each stands (for the quarantine).
    Registering the same once more is a duplicate and changes nothing.
    """
    checked = [check(row, now=now) for row in rows]
    told_facts = [
        None if refusals else event_of(row, source=source, now=now)
        for row, (refusals, _) in zip(rows, checked, strict=True)
    ]
    # Before anything is compared: what may not be kept is not told, so the same again is a duplicate.
    facts = refuse_erased(db, consent.screen(db, told_facts, now=now))
    tokens = [_tokens(keyring, fact) if isinstance(fact, Fact) else {} for fact in facts]
    known, held = _known_of(db, [fact for fact in facts if isinstance(fact, Fact)], tokens, source=source)
    answers: list[Registered] = []
    taken: list[Fact] = []
    for row, fact, found, told in zip(rows, facts, checked, tokens, strict=True):
        answer = _judged(str(row.get("customer_ref") or ""), fact, found, told, known=known, held=held)
        if answer.outcome == "accepted":
            assert isinstance(fact, Fact)
            taken.append(fact)
            _learn(fact, told, known=known, held=held)
        answers.append(answer)
    append(db, taken, keyring=keyring)
    kept = _keep_refused(db, rows, answers, source=source, places=places, keyring=keyring, now=now)
    count_people(db, rows, answers, source=source, kept=kept, now=now)
    return answers


def judge_again(
    db: Connection, facts: Sequence[Fact], *, source: str, keyring: Keyring
) -> list[Refusal | None]:
    """Whether registrations of one source that were refused before are still held against what is known."""
    tokens = [_tokens(keyring, fact) for fact in facts]
    known, held = _known_of(db, facts, tokens, source=source)
    verdicts: list[Refusal | None] = []
    for fact, told in zip(facts, tokens, strict=True):
        problem = _held_against(fact, told, known=known, held=held)
        verdicts.append(Refusal(problem.field, problem.text.en) if problem else None)
        if problem is None:
            _learn(fact, told, known=known, held=held)
    return verdicts


def _known_of(
    db: Connection, facts: Sequence[Fact], tokens: Sequence[Tokens], *, source: str
) -> tuple[dict[str, set[tuple[str, str]]], dict[tuple[str, str], set[str]]]:
    """What these registrations told before, and who holds the values that they tell."""
    known = store.told_at_registration(db, [fact.source_id for fact in facts], source=source)
    wanted = {pair for told in tokens for pair in told.items()}
    return known, store.holders(db, sorted(wanted), source=source)


def _learn(
    fact: Fact,
    told: Tokens,
    *,
    known: dict[str, set[tuple[str, str]]],
    held: dict[tuple[str, str], set[str]],
) -> None:
    known[fact.source_id] = set(told.items())
    for pair in told.items():
        held.setdefault(pair, set()).add(fact.customer_ref)


def _judged(
    reference: str,
    fact: Fact | Refusal | None,
    found: tuple[list[FieldProblem], list[FieldProblem]],
    told: Tokens,
    *,
    known: Mapping[str, set[tuple[str, str]]],
    held: Mapping[tuple[str, str], set[str]],
) -> Registered:
    refusals, warnings = found
    if fact is None:
        return Registered(reference, "refused", tuple(refusals))
    if isinstance(fact, Refusal):
        first = FieldProblem(fact.field.removeprefix("personal/"), Bilingual(fact.reason, fact.reason))
        return Registered(reference, "refused", (first,))
    problem = _held_against(fact, told, known=known, held=held)
    if problem is not None:
        return Registered(reference, "refused", (problem,))
    if fact.source_id in known:
        return Registered(reference, "duplicate")
    shared = [
        FieldProblem(field, SHARED)
        for field in _SHARED_FIELDS
        if held.get((field, told.get(field, "")), set()) - {reference}
    ]
    return Registered(reference, "accepted", (), (*warnings, *shared))


def _held_against(
    fact: Fact,
    told: Tokens,
    *,
    known: Mapping[str, set[tuple[str, str]]],
    held: Mapping[tuple[str, str], set[str]],
) -> FieldProblem | None:
    """What the house knows already that keeps a registration out; None when nothing does."""
    if fact.source_id in known:
        return (
            None if known[fact.source_id] == set(told.items()) else FieldProblem("customer_ref", OTHER_VALUES)
        )
    holders = held.get(("national_id", told.get("national_id", "")), set())
    return FieldProblem("national_id", ID_IN_USE) if holders - {fact.customer_ref} else None


def _receipt(chunk: RawChunk, answers: Sequence[Registered]) -> Receipt:
    positions = chunk.table.column("position").to_pylist()
    items = [
        RefusedItem(chunk.first_position + position, answer.refusals[0].field, answer.refusals[0].text.en)
        for position, answer in zip(positions, answers, strict=True)
        if answer.outcome == "refused"
    ]
    items += [RefusedItem(chunk.first_position + r.position, r.field, r.reason) for r in chunk.malformed]
    accepted = sum(answer.outcome == "accepted" for answer in answers)
    return receipt_of(read=chunk.read, accepted=accepted, refused=items)


def _tokens(keyring: Keyring, fact: Fact) -> Tokens:
    return {f: token_of(keyring, f, value) for f, value in fact.personal.items() if f in SEALED_FIELDS}


def _keep_refused(
    db: Connection,
    rows: Sequence[Mapping[str, Any]],
    answers: Sequence[Registered],
    *,
    source: str,
    places: Sequence[str] | None,
    keyring: Keyring,
    now: datetime,
) -> Counter[str]:
    refused = [
        RefusedRow(
            places[position] if places else f"item {position}",
            position,
            answer.refusals[0].field,
            answer.refusals[0].text.en,
            source,
            json.dumps(dict(row), ensure_ascii=False, default=str),
            answer.customer_ref or None,
        )
        for position, (row, answer) in enumerate(zip(rows, answers, strict=True))
        if answer.outcome == "refused"
    ]
    return quarantine.keep(db, refused, adapter=ADAPTER, keyring=keyring, now=now)
