"""Consents: a customer's word comes in, and what holds for each purpose is read."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody
from sqlalchemy import Connection

from shouxin import identity
from shouxin.entrypoints.api import answers
from shouxin.entrypoints.api.customers import as_known, found_customer
from shouxin.entrypoints.api.description import KEYED, described
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.messages import AsOf, ConsentMessage, PathReference
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.api.shapes import consent_shape
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope
from shouxin.ingestion import consent, consenting
from shouxin.ingestion.consent import ConsentRefusal, ConsentState
from shouxin.ingestion.consenting import WordTaken

_READER = {"caller": Provide(caller_with(Scope.CUSTOMERS_READ), sync_to_thread=True)}
_WRITER = {"caller": Provide(caller_with(Scope.EVENTS_WRITE), sync_to_thread=True)}


@post(
    "/consents",
    sync_to_thread=True,
    dependencies=_WRITER,
    summary="Give or withdraw a consent",
    **described("sayConsent", tag="consents", answer=answers.ConsentTaken, refusals=(*KEYED, 409, 415)),
)
def say_consent(
    data: JSONBody[ConsentMessage], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.ConsentTaken:
    """Note a customer's word about a purpose as an event; the same at the same instant is a duplicate."""
    with house.database.begin() as db:
        taken = _taken(db, house, caller, data)
        if isinstance(taken, ConsentRefusal):
            detail = f"{taken.text.en} {taken.detail}".strip()
            more = {"code": taken.reason.value, "text": taken.text.as_data()}
            raise Problem(409, "Refused", detail, more=more)
    return answers.ConsentTaken(
        customer_ref=data.customer_ref,
        purpose=data.purpose,
        state=data.state,
        text_version=taken.text_version,
        occurred_at=taken.occurred_at,
        outcome=taken.outcome.value,
    )


def _taken(db: Connection, house: House, caller: ApiKey, data: ConsentMessage) -> WordTaken | ConsentRefusal:
    at = None if data.occurred_at is None else as_known(data.occurred_at, name="occurred_at")
    if data.state == "withdrawn":
        return consenting.withdraw_consent(
            db,
            data.customer_ref,
            source=caller.source,
            purpose=data.purpose,
            channel=data.channel,
            occurred_at=at,
            keyring=house.keyring,
            now=house.clock(),
        )
    return consenting.give_consent(
        db,
        data.customer_ref,
        source=caller.source,
        purpose=data.purpose,
        text_version=data.text_version,
        channel=data.channel,
        occurred_at=at,
        keyring=house.keyring,
        now=house.clock(),
    )


@get(
    "/customers/{customer_ref:str}/consents",
    sync_to_thread=True,
    dependencies=_READER,
    summary="Read consents",
    **described("readConsents", tag="consents", answer=answers.Consents, refusals=(*KEYED, 404)),
)
def read_consents(
    customer_ref: PathReference,
    house: NamedDependency[House],
    caller: NamedDependency[ApiKey],
    as_of: AsOf = None,
) -> answers.Consents:
    """What holds for each purpose at ``as_of`` (default now), and what was said at the calling shop."""
    at = house.clock() if as_of is None else as_known(as_of)
    with house.database.begin() as db:
        customer_id = found_customer(db, house, caller, customer_ref)
        refs = identity.references_of(db, customer_id)
        standings = consent.standings(db, refs, as_of=at)
        own = [ref for ref in refs if ref[0] == caller.source]
        words = consent.history(db, own, as_of=at)
    return answers.Consents(
        customer_ref=customer_ref,
        as_of=at,
        consents=[consent_shape(one) for one in standings],
        history=[
            answers.ConsentWord(
                customer_ref=word.customer_ref,
                purpose=word.purpose,
                state="granted" if word.state is ConsentState.GRANTED else "withdrawn",
                text_version=word.text_version,
                channel=word.channel,
                occurred_at=word.occurred_at,
                received_at=word.received_at,
            )
            for word in words
        ],
    )
