"""Possible matches: pairs of customers who may be one person, with the evidence, for somebody to judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from markupsafe import Markup

from shouxin import identity
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.names import people_of, shop_references
from shouxin.entrypoints.console.svg import contribution_chart
from shouxin.entrypoints.console.visit import Refused, Visit
from shouxin.entrypoints.console.visits import does, redirect, shows
from shouxin.governance import Permission
from shouxin.identity import MaskedProfile, PossibleMatch, Ruling, RulingRefusal
from shouxin.kernel import CustomerId

# A pair opens two whole files: few a page, as many as one looks at carefully.
_PAIRS_A_PAGE = 8
_RULINGS_SHOWN = 20
_REASON_LENGTH_MAX = 500
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class SideView:
    """One of the two: what is known, masked, and what the shops call them."""

    customer_id: str
    profile: MaskedProfile
    references: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair as the page shows it; ``evidence`` is (what, level, bits) of the strongest pair of records."""

    match: PossibleMatch
    sides: tuple[SideView, SideView]
    evidence: tuple[tuple[str, str, float], ...]
    chart: Markup

    @property
    def bits(self) -> float:
        """The match weight in bits."""
        return self.match.micro_bits / _MICRO


@shows("/matches", needs=Permission.CUSTOMERS_MERGE)
def possible_matches(visit: Visit) -> Response[Any]:
    """The pairs, the likeliest first, and what was ruled of late."""
    number = visit.page_number()
    found, total = identity.possible_matches(
        visit.db, limit=_PAIRS_A_PAGE, after=(number - 1) * _PAIRS_A_PAGE
    )
    return page(
        visit,
        "matches.html",
        here="matches",
        pairs=[_view(visit, one) for one in found],
        total=total,
        number=number,
        per_page=_PAIRS_A_PAGE,
        rulings=identity.list_rulings(visit.db, limit=_RULINGS_SHOWN),
        people=people_of(visit),
    )


@does("/matches/same", needs=Permission.CUSTOMERS_MERGE)
def rule_same(visit: Visit) -> Response[Any]:
    """They are one: make them one."""
    return _ruled(visit, identity.merge_customers, said="matches_same")


@does("/matches/different", needs=Permission.CUSTOMERS_MERGE)
def rule_different(visit: Visit) -> Response[Any]:
    """They are two: nobody asks again, and nothing merges them."""
    return _ruled(visit, identity.part_customers, said="matches_different")


@does("/matches/rulings/{ruling_no:int}/undo", needs=Permission.CUSTOMERS_MERGE)
def undo_ruling(visit: Visit) -> Response[Any]:
    """Take a ruling back."""
    answer = identity.undo_ruling(
        visit.db,
        visit.number("ruling_no"),
        reason=_reason(visit),
        by=visit.operator.operator_id,
        now=visit.now,
    )
    return _done(answer, said="matches_undone")


def _ruled(visit: Visit, verb: Callable[..., Ruling | RulingRefusal], *, said: str) -> Response[Any]:
    answer = verb(
        visit.db,
        visit.sent("one_id"),
        other_id=visit.sent("other_id"),
        reason=_reason(visit),
        by=visit.operator.operator_id,
        now=visit.now,
    )
    return _done(answer, said=said)


def _done(answer: Ruling | RulingRefusal, *, said: str) -> Response[Any]:
    if isinstance(answer, RulingRefusal):
        raise Refused("not_usable", answer.text)
    return redirect("/matches", said=said)


def _reason(visit: Visit) -> str:
    return visit.sent("reason")[:_REASON_LENGTH_MAX]


def _view(visit: Visit, match: PossibleMatch) -> PairView:
    evidence = tuple(_evidence(visit, item) for item in match.evidence)
    bars = [(f"{what}: {level}" if level else what, round(bits)) for what, level, bits in evidence]
    chart = contribution_chart(bars, title=visit.word("matches.evidence"))
    return PairView(match, (_side(visit, match.one_id), _side(visit, match.other_id)), evidence, chart)


def _evidence(visit: Visit, item: Mapping[str, Any]) -> tuple[str, str, float]:
    bits = item["micro_bits"] / _MICRO
    if item["field"] == "prior":
        return visit.word("matches.prior"), "", bits
    level = str(item["level"]).replace(" ", "_")
    return visit.word(f"identity.{item['field']}"), visit.word(f"agreement.{level}"), bits


def _side(visit: Visit, named: str) -> SideView:
    customer_id = CustomerId(named)
    return SideView(
        customer_id,
        identity.masked_profile(visit.db, visit.house.keyring, customer_id),
        tuple(shop_references(identity.references_of(visit.db, customer_id))),
    )


HANDLERS: tuple[HTTPRouteHandler, ...] = (possible_matches, rule_same, rule_different, undo_ruling)
