"""External credit data: providers and breakers, money, what enquiries gave, what products are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from markupsafe import Markup

from shouxin import reporting
from shouxin.entrypoints.console import formats, svg
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.visit import Visit
from shouxin.entrypoints.console.visits import shows
from shouxin.entrypoints.console.words import words_known
from shouxin.entrypoints.providers import UnableToReadProviders, known_providers
from shouxin.governance import Permission
from shouxin.ingestion import external
from shouxin.ingestion.external import Outcome, Product, ProductCount, ProviderStatus
from shouxin.ingestion.external.domain import FAILED, REFUSED, tries_again_at
from shouxin.kernel import Money, parse_instant

_FAILURES_SHOWN = 8
_TONES = {"closed": "good", "open": "bad", "half_open": "warn"}
_VERDICTS = {"better": "good", "worse": "bad", "not_shown": "warn", "not_measured": ""}


@dataclass(frozen=True, slots=True)
class ProviderCard:
    """A provider as text."""

    name: str
    state: str
    tone: str
    failures: int
    again: str
    spent: str
    budget: str
    meter: Markup


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product and its enquiries of the month as text."""

    name: str
    price: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiftRow:
    """A line of the lift report as text."""

    name: str
    verdict: str
    tone: str
    cells: tuple[str, ...]


@shows("/external", needs=Permission.REPORTS_READ)
def external_data(visit: Visit) -> Response[Any]:
    """One page; without providers it says how to set one up."""
    why = ""
    try:
        providers = known_providers(visit.house.home)
    except UnableToReadProviders as error:
        providers, why = [], str(error)
    statuses = external.status(visit.db, providers, now=visit.now)
    lift = reporting.latest_lift(visit.db)
    return page(
        visit,
        "external.html",
        here="external",
        unreadable=why,
        cards=[_card(visit, status) for status in statuses],
        products=[
            _product(visit, product, status) for status in statuses for product in status.provider.products
        ],
        failures=[
            (item, _named(visit, item.product))
            for item in external.latest_failures(visit.db, limit=_FAILURES_SHOWN)
        ],
        lift=_lift_heading(visit, lift) if lift else "",
        lift_rows=[_lift_row(visit, line, lift["currency"]) for line in lift["products"]] if lift else [],
    )


def _card(visit: Visit, status: ProviderStatus) -> ProviderCard:
    budget, breaker = status.provider.monthly_budget, status.breaker
    again = tries_again_at(breaker, status.provider.rules)
    share = status.spent.minor / budget.minor if budget.minor else 1.0
    return ProviderCard(
        status.provider.name,
        breaker.state.value,
        _TONES[breaker.state.value],
        breaker.failures,
        formats.when_fully(again) if again else "",
        formats.money_exactly(status.spent),
        formats.money_exactly(budget),
        svg.meter(share, title=visit.word("external.spent")),
    )


def _product(visit: Visit, product: Product, status: ProviderStatus) -> ProductRow:
    found = next((count for count in status.counts if count.product == product.code), None)
    name, price = _named(visit, product.code), formats.money_exactly(product.price)
    if found is None:
        return ProductRow(name, price, ("0", *[formats.NOTHING] * 8))
    return ProductRow(name, price, _counted(visit, found, product.price.currency))


def _counted(visit: Visit, count: ProductCount, currency: str) -> tuple[str, ...]:
    def of(*outcomes: Outcome) -> str:
        return formats.count(sum(count.outcomes.get(outcome, 0) for outcome in outcomes))

    took = formats.NOTHING
    if count.latency_ms_median is not None and count.latency_ms_p95 is not None:
        took = visit.word("external.ms", median=count.latency_ms_median, p95=count.latency_ms_p95)
    return (
        formats.count(count.enquiries),
        of(Outcome.FOUND),
        of(Outcome.UNKNOWN_PERSON),
        formats.NOTHING if count.hit_rate is None else formats.percent_shortly(count.hit_rate),
        of(*REFUSED),
        of(*FAILED),
        formats.money_exactly(Money(count.cost_minor, currency)),
        formats.money_exactly(Money(count.disputed_minor, currency)),
        took,
    )


def _lift_heading(visit: Visit, lift: Mapping[str, Any]) -> str:
    return visit.word(
        "external.lift_of",
        day=formats.day(parse_instant(lift["tested_at"])),
        n=formats.count(lift["customers"]),
        events=formats.count(lift["events"]),
        auc=f"{lift['auc_without']['value']:.3f}",
    )


def _lift_row(visit: Visit, line: Mapping[str, Any], currency: str) -> LiftRow:
    cost = formats.money_exactly(Money.parse(line["cost"], currency)) if line["cost"] else formats.NOTHING
    return LiftRow(
        _named(visit, line["product"]),
        line["verdict"],
        _VERDICTS[line["verdict"]],
        (
            formats.count(line["with_answer"]),
            _interval(line["difference"], digits=3),
            cost,
            _interval(line["per_10k_yuan"], digits=3),
            _interval(line["saved_per_yuan"], digits=2),
        ),
    )


def _interval(figure: Mapping[str, float] | None, *, digits: int) -> str:
    if figure is None:
        return formats.NOTHING
    return f"{figure['value']:+.{digits}f} ({figure['low']:+.{digits}f} … {figure['high']:+.{digits}f})"


def _named(visit: Visit, code: str) -> str:
    """A product by its name for people; one of a shop's own by its code."""
    return words_known(visit.reader.language)(f"product.{code}", code)


HANDLERS: tuple[HTTPRouteHandler, ...] = (external_data,)
