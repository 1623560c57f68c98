"""``shouxin customer merge | split | undo | rulings | history``: an operator says who is one person."""

from __future__ import annotations

from typing import Annotated, Any, NoReturn

import typer
from sqlalchemy import Connection

from shouxin import identity
from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    fail,
    instant_of,
    opened_house,
    print_table,
)
from shouxin.identity import Ruling, RulingRefusal
from shouxin.kernel import OWN_SOURCE, CustomerId

_ACTOR = "command line"
_MICRO = 1_000_000
CustomerArgument = Annotated[
    str, typer.Argument(help="Our id of the customer (cus_..), or SOURCE:REFERENCE.")
]
ReasonOption = Annotated[str, typer.Option(help="Why, in ten characters and more; it is kept.")]


def merge(
    customer: CustomerArgument,
    other: CustomerArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rule that two customers are one person, and make them one; who has been known longest stays.

    Of two who are one file because they look alike, it says that they really are: both may spend then.
    """
    with opened_house(home) as house, house.database.begin() as db:
        one, two = _own(db, customer), _own(db, other)
        made = identity.merge_customers(db, one, other_id=two, reason=reason, by=_ACTOR, now=house.clock())
        figures = _told(db, made, [one])
    emit(figures, as_json=as_json, title="Merged")


def split(
    customer: CustomerArgument,
    reason: ReasonOption,
    reference: Annotated[
        list[str], typer.Option(help="SOURCE:REFERENCE that is somebody else; give it as often as needed.")
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rule that references are not this customer's, and part them; their lines and events go with them."""
    leaving = [_reference(text) for text in reference]
    with opened_house(home) as house, house.database.begin() as db:
        one = _known(db, customer)
        made = identity.split_customer(
            db, one, references=leaving, reason=reason, by=_ACTOR, now=house.clock()
        )
        others = [_known(db, text) for text in reference]
        figures = _told(db, made, [one, *others])
    emit(figures, as_json=as_json, title="Split")


def undo(
    ruling: Annotated[int, typer.Argument(help="Number of the ruling.")],
    reason: ReasonOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a ruling back; it stays on record, and the other evidence decides again."""
    with opened_house(home) as house, house.database.begin() as db:
        made = identity.undo_ruling(db, ruling, reason=reason, by=_ACTOR, now=house.clock())
        named = [] if isinstance(made, RulingRefusal) else [*made.customer_ids, *made.other_ids]
        figures = _told(db, made, [_known(db, one) for one in named])
    emit(figures, as_json=as_json, title="Undone")


def rulings(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the rulings, the newest first."""
    with opened_house(home) as house, house.database.begin() as db:
        found = identity.list_rulings(db, limit=limit)
    if as_json:
        emit({"rulings": [_data(ruling) for ruling in found]}, as_json=True)
        return
    columns = ("no", "ruled", "verdict", "customers", "others", "by", "reason", "undone by")
    rows = [
        (
            one.ruling_no,
            f"{one.ruled_at:%Y-%m-%d %H:%M}",
            one.verdict.value,
            " ".join(one.customer_ids),
            " ".join(one.other_ids),
            one.ruled_by,
            one.reason,
            one.undone_by or "",
        )
        for one in found
    ]
    print_table(f"{len(rows)} rulings", columns, rows)


def history(
    customer: CustomerArgument,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Only whom it led to at this instant: 2026-03-01.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who was merged into whom, parted, and when; and why, where weights did it."""
    with opened_house(home) as house, house.database.begin() as db:
        if as_of is not None:
            source, ref = _named(customer)
            at = instant_of(as_of, option="--as-of")
            found = identity.customer_as_of(db, source=source, customer_ref=ref, as_of=at)
            emit({"customer": customer, "as_of": as_of, "customer_id": found}, as_json=as_json)
            return
        one = _known(db, customer)
        changes = identity.memberships(db, one)
        why = identity.match_merges(db, [changed for changed, _, _ in changes])
    if as_json:
        told = [{"customer_id": a, "merged_into": b, "since": since.isoformat()} for a, b, since in changes]
        explained = [
            {"customer_id": m.absorbed_id, "micro_bits": m.micro_bits, "evidence": list(m.evidence)}
            for m in why
        ]
        emit({"customer_id": one, "changes": told, "weights": explained}, as_json=True)
        return
    led = [(f"{since:%Y-%m-%d %H:%M}", a, b or "itself") for a, b, since in changes]
    print_table(f"Whom each led to: {one}", ("since", "customer", "led to"), led)
    if why:
        print_table(
            "Merged by weight", ("customer", "bits", "evidence in bits"), [_reckoned(merge) for merge in why]
        )


def _reckoned(merge: identity.MatchMerge) -> tuple[str, str, str]:
    """The weight of a merge and what it is the sum of, as somebody reads it."""
    parts = (
        f"{item['field']}{'' if item['field'] == item['level'] else ' ' + item['level']}"
        f" {item['micro_bits'] / _MICRO:+.1f}"
        for item in merge.evidence
    )
    return merge.absorbed_id, f"{merge.micro_bits / _MICRO:.1f}", ", ".join(parts)


def _known(db: Connection, named: str) -> CustomerId:
    source, ref = _named(named)
    return identity.find_customer(db, source=source, customer_ref=ref) or _unknown(named)


def _own(db: Connection, named: str) -> CustomerId:
    """The customer that was meant, before any merge."""
    source, ref = _named(named)
    return identity.own_customer(db, source=source, customer_ref=ref) or _unknown(named)


def _unknown(named: str) -> NoReturn:
    fail(f"no customer is known as {named}")


def _named(text: str) -> tuple[str, str]:
    return (OWN_SOURCE, text) if text.startswith("cus_") else _reference(text)


def _reference(text: str) -> tuple[str, str]:
    source, colon, ref = text.partition(":")
    if not (source and colon and ref):
        raise typer.BadParameter(f"{text!r} is neither an id (cus_..) nor SOURCE:REFERENCE")
    return source, ref


def _told(db: Connection, made: Ruling | RulingRefusal, customers: list[CustomerId]) -> dict[str, Any]:
    """The ruling and what became of the customers; a refusal ends the command, and nothing is kept."""
    if isinstance(made, RulingRefusal):
        fail(made.text.en)
    now_known = dict.fromkeys(_known(db, one) for one in customers)
    references = {
        one: [f"{source}:{ref}" for source, ref in identity.references_of(db, one)] for one in now_known
    }
    return _data(made) | {"references": references}


def _data(ruling: Ruling) -> dict[str, Any]:
    return {
        "ruling_no": ruling.ruling_no,
        "verdict": ruling.verdict.value,
        "customer_ids": list(ruling.customer_ids),
        "other_ids": list(ruling.other_ids),
        "reason": ruling.reason,
        "ruled_by": ruling.ruled_by,
        "ruled_at": ruling.ruled_at.isoformat(),
        "undone_by": ruling.undone_by,
    }
