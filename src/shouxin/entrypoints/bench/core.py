"""core: the decision without the database: score, grade, reasons, policy with full trace, answer bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from shouxin import credit, decisions, features
from shouxin.credit.authorisation.domain import line_facts, request_facts
from shouxin.entrypoints.bench import others
from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import absent, call_seconds, percentile
from shouxin.kernel import CustomerId, Money

_NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_GOAL_MILLISECONDS = 0.2
_CUSTOMERS = 2_000
_PEER_CALLS = 200
_LINE = credit.Line(
    line_id="line_bench",
    customer_id=CustomerId("cus_bench"),
    limit=Money(1_200_000, "CNY"),
    held=Money(100_000, "CNY"),
    outstanding=Money(250_000, "CNY"),
    frozen=False,
    days_past_due=0,
    opened_at=_NOW,
)


def measure(ground: Ground) -> list[Line]:
    """p50 and p99 of one decision in this process, for both kinds of model."""
    why = _without_peer(ground)
    peer = None if why else _peer_milliseconds(ground)
    lines = []
    for model in ("scorecard", "ebm"):
        took = call_seconds(_decider(ground, model), calls=ground.sizes.decisions)
        said = why or "ZEN and optbinning, p50, without reasons or trace"
        note = f"{len(took):,} decisions one after another; peer: {said}"
        p50, p99 = (percentile(took, share) * 1e3 for share in (0.5, 0.99))
        lines += [
            Line(f"{model}, p50", p50, "ms", peer=peer, note=note),
            Line(f"{model}, p99", p99, "ms", peer=peer, goal=_GOAL_MILLISECONDS, note=note),
        ]
    return lines


def _decider(ground: Ground, model: str) -> Callable[[int], bytes]:
    """Decide the n-th customer: all that the checkout does between its SQL statements."""
    artefact = ground.models[model]
    rows = _customers(ground)
    policy, features_hash = decisions.STANDARD_CHECKOUT, features.catalogue_hash()

    def decide(number: int) -> bytes:
        amount = Money(20_000 + number % 400 * 1_000, "CNY")
        request = credit.CheckoutRequest(f"C{number}", f"O{number}", amount)
        facts = {
            **request_facts(request, decision_id=f"dec_{number}", hold_id=f"hold_{number}", now=_NOW),
            **decisions.score_facts(artefact, rows[number % len(rows)]),
            "version.features": features_hash,
            "customer.id": _LINE.customer_id,
            **line_facts(_LINE, holder_proven=True, business_date=_NOW.date()),
        }
        verdict, body = decisions.decide_answer(policy, facts)
        assert verdict.trace, "every rule says what it saw"
        return body

    return decide


def _customers(ground: Ground) -> list[dict[str, float | None]]:
    """Features of simulated customers, each as the checkout reads them."""
    columns = ground.resampled(_CUSTOMERS)
    values = ([None if v != v else v for v in column.tolist()] for column in columns.values())  # noqa: PLR0124
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def _without_peer(ground: Ground) -> str | None:
    reasons = [absent("zen", "zen-engine", ground.sizes), absent("optbinning", "optbinning", ground.sizes)]
    return "; ".join(why for why in reasons if why) or None


def _peer_milliseconds(ground: Ground) -> float:
    """p50 of a decision table of ZEN after a score of optbinning; neither gives reasons or a trace."""
    learnt = ground.learnt()
    card = others.scorecard_speed(learnt, ground.labelled["event"].to_numpy(), ground.resampled(_CUSTOMERS))
    decide = others.zen_decider()

    def both(number: int) -> None:
        card.score_row(number)
        decide({"frozen": False, "days_past_due": 0, "grade": "B", "amount": 20_000, "refunds_only": 0})

    return percentile(call_seconds(both, calls=_PEER_CALLS), 0.5) * 1e3
