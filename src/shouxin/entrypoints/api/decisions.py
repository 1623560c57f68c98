"""Decisions: may this customer spend this on credit? Asked once, answered once, for ever."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import HeaderParameter, JSONBody
from sqlalchemy import Connection

from shouxin import cases, credit, decisions
from shouxin.early_warning import Severity
from shouxin.entrypoints.api import answers, forms
from shouxin.entrypoints.api.description import KEYED, described
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.messages import DecisionMessage, PathReference
from shouxin.entrypoints.api.ownership import own_decision
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope
from shouxin.kernel import content_hash

_DECIDER = {"caller": Provide(caller_with(Scope.DECISIONS_WRITE), sync_to_thread=True)}
_JSON = "application/json"
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=False,
        pattern=forms.IDEMPOTENCY_KEY,
        description="A UUID of the caller's; the same key gives the same answer. Needed unless dry_run.",
    ),
]


@post(
    "/decisions",
    sync_to_thread=True,
    dependencies=_DECIDER,
    summary="Decide at checkout and hold the amount",
    description=(
        "Approve, review, counter_offer or decline, with score, grade, limit, hold, 1-4 reasons and "
        "the versions that decided. 409 while the same Idempotency-Key is in flight, the stored answer after."
    ),
    **described("makeDecision", tag="decisions", answer=answers.Decision, refusals=(*KEYED, 409, 415)),
)
def make_decision(
    data: JSONBody[DecisionMessage],
    house: NamedDependency[House],
    caller: NamedDependency[ApiKey],
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    """Answer, hold and store in one transaction."""
    amount = data.request.amount.as_money(pointer="#/request/amount/value")
    question = credit.CheckoutRequest(
        source=caller.source,
        customer_ref=data.customer_ref,
        decision_point=data.decision_point,
        order_id=data.request.order_id,
        amount=amount,
        plan=data.request.plan,
        dry_run=data.dry_run,
    )
    if idempotency_key is None and not data.dry_run:
        detail = (
            "send the header `Idempotency-Key` with a UUID of your own, so that a retry can not hold twice"
        )
        raise Problem(422, "Unprocessable content", detail, pointer="#")
    with house.database.begin() as db:
        if idempotency_key is None:
            body, served = _answer(db, house, question), False
        else:
            body, served = _answer_once(db, house, question, scope=caller.source, key=idempotency_key)
    headers = {"Idempotent-Replay": "true"} if served else {}
    return Response(body, media_type=_JSON, headers=headers)


@get(
    "/decisions/{decision_id:str}",
    sync_to_thread=True,
    dependencies=_DECIDER,
    summary="Read a decision",
    **described("readDecision", tag="decisions", answer=answers.Decision, refusals=(*KEYED, 404)),
)
def read_decision(
    decision_id: PathReference, house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> Response[bytes]:
    """The stored answer of a decision, byte for byte."""
    with house.database.begin() as db:
        return Response(own_decision(db, decision_id, caller=caller).answer, media_type=_JSON)


@get(
    "/decisions/{decision_id:str}/replay",
    sync_to_thread=True,
    dependencies=_DECIDER,
    summary="Replay a decision",
    **described("replayDecision", tag="decisions", answer=answers.Replayed, refusals=(*KEYED, 404)),
)
def replay_decision(
    decision_id: PathReference, house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.Replayed:
    """Decide again from the stored facts and versions, and tell whether the bytes are the same."""
    with house.database.begin() as db:
        decision = own_decision(db, decision_id, caller=caller)
        identical = decisions.replay(db, decision.decision_id).identical
    return answers.Replayed(decision_id=decision_id, identical=identical)


def _answer(db: Connection, house: House, question: credit.CheckoutRequest) -> bytes:
    now, day = house.clock(), credit.current_business_date(db)
    answer = credit.decide(db, question, now=now, business_date=day)
    if answer.outcome == decisions.Outcome.REVIEW and not question.dry_run:
        # High: a customer waits at the checkout for what the reviewer decides.
        cases.open_case(
            db,
            customer_id=answer.customer_id,
            origin=f"decision:{answer.decision_id}",
            title=f"{question.order_id} · {question.amount}",
            opened_by="decisions",
            now=now,
            severity=Severity.HIGH,
            note="\n".join(f"{r['text']['zh']} / {r['text']['en']}" for r in answer.as_data()["reasons"]),
        )
    return answer.body


def _answer_once(
    db: Connection, house: House, question: credit.CheckoutRequest, *, scope: str, key: str
) -> tuple[bytes, bool]:
    request_hash = content_hash(asdict(question))
    if not decisions.try_claim(db, scope, key):
        detail = "this Idempotency-Key is being answered; ask again"
        raise Problem(409, "In flight", detail, headers={"Retry-After": "1"})
    stored = decisions.find_answer(db, scope, key, request_hash=request_hash)
    if isinstance(stored, decisions.KeyReused):
        detail = "this Idempotency-Key was used for another question; send a new one"
        raise Problem(422, "Key reused", detail, pointer="#")
    if stored is not None:
        return stored.body, True
    body = _answer(db, house, question)
    decisions.save_answer(db, scope, key, request_hash=request_hash, status=200, body=body, now=house.clock())
    return body, False
