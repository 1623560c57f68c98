"""Verifications: a code to the customer's phone or mailbox, and a real name to the register."""

from __future__ import annotations

import os
import secrets

from litestar import get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody
from sqlalchemy import Connection

from shouxin.entrypoints.api import answers
from shouxin.entrypoints.api.description import KEYED, OPEN, described
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.messages import CodeMessage, PathReference, RealNameMessage, SendCodeMessage
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.house import House
from shouxin.entrypoints.senders import REAL_NAMES_VARIABLE, chosen_register, chosen_sender
from shouxin.governance import ApiKey, Scope
from shouxin.ingestion import verification
from shouxin.ingestion.verification import CODE_DIGITS, CodeRefusal, CodeRefusalReason

HUMAN_CHECK_VARIABLE = "SHOUXIN_HUMAN_CHECK"
_WRITER = {"caller": Provide(caller_with(Scope.EVENTS_WRITE), sync_to_thread=True)}
_WAIT = {CodeRefusalReason.TOO_SOON, CodeRefusalReason.TOO_MANY}
_MISSING = {CodeRefusalReason.NOTHING_KNOWN, CodeRefusalReason.UNKNOWN}


@get(
    "/challenges",
    sync_to_thread=True,
    summary="Get a human check",
    security=[{}],
    **described("newChallenge", tag="verifications", answer=answers.Challenge, refusals=OPEN),
)
def new_challenge(house: NamedDependency[House]) -> answers.Challenge:
    """Work for the browser: a number so that SHA-256 of ``<challenge>:<number>`` begins with zeros."""
    challenge = verification.new_challenge(house.keyring, nonce=secrets.token_hex(8), now=house.clock())
    return answers.Challenge(challenge=challenge.text, zero_bits=challenge.zero_bits)


@post(
    "/verifications",
    sync_to_thread=True,
    dependencies=_WRITER,
    summary="Send a one-time code",
    **described("sendCode", tag="verifications", answer=answers.CodeSent, refusals=(*KEYED, 404, 409, 415)),
)
def send_code(
    data: JSONBody[SendCodeMessage], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.CodeSent:
    """Send a code to the phone or e-mail that the customer registered; it lives ten minutes."""
    with house.database.begin() as db:
        _check_human(db, house, data.human_check)
    try:
        with house.database.begin() as db:
            sent = verification.send_code(
                db,
                house.keyring,
                source=caller.source,
                customer_ref=data.customer_ref,
                field=data.field,
                sender=chosen_sender(house.home),
                number=secrets.randbelow(10**CODE_DIGITS),
                now=house.clock(),
            )
    except verification.UnableToSend as error:
        raise Problem(503, "Service unavailable", str(error), headers={"Retry-After": "60"}) from None
    if isinstance(sent, CodeRefusal):
        raise _problem(sent)
    return answers.CodeSent(
        verification_id=sent.verification_id, sent_to=sent.sent_to, expires_at=sent.expires_at
    )


@post(
    "/verifications/{verification_id:str}/check",
    sync_to_thread=True,
    dependencies=_WRITER,
    summary="Check a one-time code",
    **described("checkCode", tag="verifications", answer=answers.Verified, refusals=(*KEYED, 404, 409, 415)),
)
def check_code(
    verification_id: PathReference,
    data: JSONBody[CodeMessage],
    house: NamedDependency[House],
    caller: NamedDependency[ApiKey],
) -> answers.Verified:
    """Take the code back; a right one makes the phone or e-mail verified. Five tries a code."""
    with house.database.begin() as db:
        taken = verification.check_code(
            db,
            house.keyring,
            verification_id=verification_id,
            source=caller.source,
            code=data.code,
            now=house.clock(),
        )
    # Outside the transaction: a wrong try stays counted.
    if isinstance(taken, CodeRefusal):
        raise _problem(taken)
    return answers.Verified(customer_ref=taken.customer_ref, field=taken.field)


@post(
    "/real-names",
    sync_to_thread=True,
    dependencies=_WRITER,
    summary="Check a real name",
    **described(
        "checkRealName", tag="verifications", answer=answers.RealName, refusals=(*KEYED, 404, 409, 415)
    ),
)
def check_real_name(
    data: JSONBody[RealNameMessage], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.RealName:
    """Put the registered name and national id to the register; agreement makes the id verified."""
    register = chosen_register()
    if register is None:
        detail = f"this house has no register of real names; {REAL_NAMES_VARIABLE} names one"
        raise Problem(409, "Refused", detail, more={"code": "no_register"})
    try:
        with house.database.begin() as db:
            verdict = verification.check_real_name(
                db,
                house.keyring,
                source=caller.source,
                customer_ref=data.customer_ref,
                register=register,
                now=house.clock(),
            )
    except verification.UnableToCheck as error:
        raise Problem(503, "Service unavailable", str(error), headers={"Retry-After": "60"}) from None
    if isinstance(verdict, CodeRefusal):
        raise _problem(verdict)
    return answers.RealName(answer=verdict.answer.value, provider=verdict.provider)


def _check_human(db: Connection, house: House, answer: str | None) -> None:
    if os.environ.get(HUMAN_CHECK_VARIABLE) != "required":
        return
    if answer is None or not verification.check_human(db, house.keyring, answer, now=house.clock()):
        detail = "answer a challenge of GET /v1/challenges; each answer is taken once, for ten minutes"
        raise Problem(422, "Unprocessable content", detail, pointer="#/human_check")


def _problem(refusal: CodeRefusal) -> Problem:
    more = {"code": refusal.reason.value, "text": refusal.text.as_data()}
    if refusal.reason in _WAIT:
        seconds = int(refusal.retry_after.total_seconds()) + 1 if refusal.retry_after else 60
        return Problem(429, "Too many", refusal.text.en, headers={"Retry-After": str(seconds)}, more=more)
    status = 404 if refusal.reason in _MISSING else 409
    return Problem(status, "Not found" if status == 404 else "Refused", refusal.text.en, more=more)
