"""``shouxin decide``: a checkout decision from the terminal, and a kept one made again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shouxin import credit, decisions, governance
from shouxin.credit import CheckoutRequest, UnableToDecide
from shouxin.decisions import UnableToReplay
from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, fail, opened_house, print_table
from shouxin.kernel import Money, UnableToParseMoney

app = typer.Typer(help="Decide a checkout, or make a kept decision again.", invoke_without_command=True)


@app.callback()
def decide(
    context: typer.Context,
    customer: Annotated[str | None, typer.Option(help="The shop's reference of the customer.")] = None,
    amount: Annotated[str | None, typer.Option(help="The amount of the order, such as 1299.00.")] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "CNY",
    plan: Annotated[str, typer.Option(help="How it is to be repaid.")] = "pay_in_3",
    order: Annotated[str, typer.Option(help="The shop's number of the order.")] = "terminal",
    source: Annotated[str, typer.Option(help="Whose reference it is.")] = "shop",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide without holding or keeping.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide one checkout on what is known now; approved, the amount is held."""
    if context.invoked_subcommand is not None:
        return
    if customer is None or amount is None:
        raise typer.BadParameter("--customer and --amount say who asks for how much")
    request = CheckoutRequest(
        customer_ref=customer,
        order_id=order,
        amount=_money(amount, currency),
        plan=plan,
        source=source,
        dry_run=dry_run,
    )
    data = _decided(request, home)
    if as_json:
        emit(data, as_json=True)
    else:
        _print_answer(data)


@app.command()
def replay(
    decision_id: Annotated[str, typer.Argument(help="The id of a kept decision.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a kept decision again from its stored facts and versions; exit 1 when it comes out otherwise."""
    with opened_house(home) as house, house.database.begin() as db:
        try:
            replayed = decisions.replay(db, decision_id)
        except UnableToReplay as error:
            fail(str(error))
    result = {
        "decision_id": decision_id,
        "identical": replayed.identical,
        "rescored": replayed.rescored,
        "outcome": replayed.verdict.outcome.value,
    }
    emit(result, as_json=as_json, title="Replay")
    if not replayed.identical:
        fail(f"{decision_id} comes out otherwise than it was answered")


def _money(amount: str, currency: str) -> Money:
    try:
        return Money.parse(amount, currency)
    except (UnableToParseMoney, AssertionError) as error:
        raise typer.BadParameter(f"--amount {amount} --currency {currency}: {error}") from None


def _decided(request: CheckoutRequest, home: Any) -> dict[str, Any]:
    with opened_house(home) as house, house.database.begin() as db:
        now = house.clock()
        try:
            answer = credit.decide(db, request, now=now, business_date=credit.current_business_date(db))
        except UnableToDecide as error:
            fail(str(error))
        if not request.dry_run:
            governance.record_audit(
                db,
                actor="command line",
                action="checkout_decided",
                subject=answer.decision_id,
                detail={"outcome": answer.outcome, "order_id": request.order_id},
                now=now,
            )
        return answer.as_data()


def _print_answer(data: dict[str, Any]) -> None:
    limit = data["limit"] or {}
    offer = data["offer"] or {}
    emit(
        {
            "decision": data["decision_id"],
            "outcome": data["outcome"],
            "score": data["score"],
            "pd": data["pd"],
            "grade": data["grade"],
            "available": limit.get("available", "no line"),
            "held until": (data["hold"] or {}).get("expires_at", "nothing held"),
            "most that can be had": offer.get("max_amount", "nothing"),
            "down payment": offer.get("down_payment", "none"),
        },
        as_json=False,
    )
    reasons = [
        (
            reason["rank"],
            reason["code"],
            "" if reason["points"] is None else str(reason["points"]),
            reason["text"]["en"],
        )
        for reason in data["reasons"]
    ]
    print_table("Reasons", ("rank", "code", "points", "text"), reasons)
