"""``shouxin external``: what is known at providers of credit data, what it costs, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from shouxin import features, identity, reporting, scoring
from shouxin.entrypoints.cli.common import (
    HomeOption,
    House,
    JsonOption,
    emit,
    fail,
    instant_of,
    opened_house,
    print_table,
    progress_bar,
    say,
)
from shouxin.entrypoints.cli.named_customer import named_customer
from shouxin.entrypoints.linked_history import linked_history
from shouxin.entrypoints.providers import (
    PROVIDERS_FILE,
    PROVIDERS_VARIABLE,
    UnableToReadProviders,
    known_providers,
    opened_desk,
)
from shouxin.ingestion import external
from shouxin.ingestion.external import Desk, ProductCount, ProviderStatus, UnableToFindProduct
from shouxin.reporting import LiftReport
from shouxin.reporting.domain.lift import VERDICT_WORDS

app = typer.Typer(help="External credit data: enquire, and see what it costs.", no_args_is_help=True)


class LiftModel(StrEnum):
    """The models that lift is measured with."""

    SCORECARD = "scorecard"
    EBM = "ebm"


@app.command()
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Each provider: breaker, budget and enquiries of this month, and what failed last."""
    with opened_house(home) as house:
        providers = _providers(house)
        with house.database.begin() as db:
            found = external.status(db, providers, now=house.clock())
            failed = external.latest_failures(db)
    told = {
        "providers": [_status_data(status) for status in found],
        "latest_failures": [
            {
                "provider": item.provider,
                "product": item.product,
                "outcome": item.outcome.value,
                "asked_at": item.asked_at.isoformat(),
            }
            for item in failed
        ],
    }
    if as_json:
        emit(told, as_json=True)
        return
    if not found:
        say(
            f"no provider is set up; run `shouxin bureau settings > FILE` and name it in {PROVIDERS_VARIABLE}"
        )
    for each in found:
        data = _status_data(each)
        emit({name: data[name] for name in ("breaker", "budget", "spent")}, as_json=False, title=data["name"])
        _print_counts(list(each.counts), "Enquiries of this month")


@app.command()
def enquire(
    ref: Annotated[str, typer.Argument(help="The shop's reference of the customer, or our id (cus_..).")],
    product: Annotated[str, typer.Option("--product", help="PROVIDER/CODE, or CODE where one sells it.")],
    source: Annotated[str, typer.Option(help="Which shop's reference it is.")] = "shop",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a provider about one customer who agreed to it; exit 1 when there is no answer, and why."""
    with opened_house(home) as house, _desk(house) as desk:
        try:
            wanted = desk.product(product)
        except UnableToFindProduct as error:
            fail(str(error))
        ended = external.enquire(_subject(house, source, ref), product=wanted, desk=desk)
    answer = ended.answer
    if answer is None:
        fail(f"{wanted.name}: {ended.text.en} ({ended.outcome.value}, {ended.attempts} attempts)")
    told = {
        "enquiry_id": ended.enquiry_id,
        "product": wanted.name,
        "outcome": ended.outcome.value,
        "cost": str(ended.cost),
        "attempts": ended.attempts,
        "score": answer.score,
        "open_loans": answer.open_loans,
        "overdue_loans": answer.overdue_loans,
        "court_records": answer.court_records,
    }
    emit({k: v for k, v in told.items() if v is not None}, as_json=as_json, title="Enquiry")


@app.command()
def costs(
    since: Annotated[str | None, typer.Option(help="First day; default the month's first.")] = None,
    until: Annotated[str | None, typer.Option(help="Day after the last; default now.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """How the enquiries of a period ended and what they cost, by provider and product."""
    with opened_house(home) as house, house.database.begin() as db:
        now = house.clock()
        first = instant_of(since, option="--since") if since else external.month_start(now)
        last = instant_of(until, option="--until") if until else now + timedelta(seconds=1)
        counts = external.costs(db, since=first, until=last)
    if as_json:
        rows = [_count_data(count) for count in counts]
        emit({"since": first.isoformat(), "until": last.isoformat(), "products": rows}, as_json=True)
    else:
        _print_counts(counts, f"Enquiries from {first:%Y-%m-%d}")


@app.command()
def lift(
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day to stand at; default now.")] = None,
    model: Annotated[LiftModel, typer.Option(help="The model that is compared.")] = LiftModel.SCORECARD,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """What each product adds to a model on the same later customers, with intervals, and for each yuan.

    Money is CNY unless the settings say otherwise. A difference whose interval holds zero is "not shown".
    """
    try:
        with opened_house(home) as house:
            report = _lift(house, instant_of(as_of, option="--as-of") if as_of else house.clock(), model)
    except (
        features.UnableToLabel,
        features.UnableToReadHistory,
        scoring.UnableToTrain,
        reporting.UnableToMeasureLift,
    ) as error:
        fail(str(error))
    if as_json:
        emit(report.as_data(), as_json=True)
    else:
        _print_lift(report)


def _lift(house: House, day: datetime, model: LiftModel) -> LiftReport:
    products = [product for provider in _providers(house) for product in provider.products]
    now = house.clock()
    with house.database.begin() as db:
        links = linked_history(house, db, now=now, bar=progress_bar)
        with progress_bar("measuring lift") as advance:
            return reporting.external_lift(
                db,
                house.home.history,
                links,
                as_of=day,
                products=products,
                model="ebm" if model is LiftModel.EBM else "scorecard",
                now=now,
                progress=advance,
            )


def _providers(house: House) -> list[external.Provider]:
    try:
        return known_providers(house.home)
    except UnableToReadProviders as error:
        fail(str(error))


@contextmanager
def _desk(house: House) -> Iterator[Desk]:
    try:
        with opened_desk(house) as desk:
            if desk is None:
                fail(
                    f"no provider is set up: {house.home.path / PROVIDERS_FILE} is not there, "
                    f"nor is {PROVIDERS_VARIABLE} set"
                )
            yield desk
    except UnableToReadProviders as error:
        fail(str(error))


def _subject(house: House, source: str, ref: str) -> external.Subject:
    with house.database.begin() as db:
        found = named_customer(db, ref, source=source)
        return external.Subject(tuple(identity.references_of(db, found)))


def _status_data(status: ProviderStatus) -> dict[str, Any]:
    return {
        "name": status.provider.name,
        "breaker": status.breaker.state.value,
        "failures_in_a_row": status.breaker.failures,
        "budget": str(status.provider.monthly_budget),
        "spent": str(status.spent),
        "sold": [product.code for product in status.provider.products],
        "products": [_count_data(count) for count in status.counts],
    }


def _count_data(count: ProductCount) -> dict[str, Any]:
    return {
        "provider": count.provider,
        "product": count.product,
        "enquiries": count.enquiries,
        "outcomes": {outcome.value: number for outcome, number in count.outcomes.items()},
        "hit_rate": count.hit_rate,
        "cost_minor": count.cost_minor,
        "disputed_minor": count.disputed_minor,
        "latency_ms": {"median": count.latency_ms_median, "p95": count.latency_ms_p95},
    }


def _print_counts(counts: list[ProductCount], title: str) -> None:
    rows = [
        (
            f"{count.provider}/{count.product}",
            count.enquiries,
            ", ".join(f"{outcome.value} {number}" for outcome, number in count.outcomes.items()),
            count.cost_minor / 100,
            count.disputed_minor / 100,
            count.latency_ms_median or 0,
        )
        for count in counts
    ]
    print_table(title, ("product", "enquiries", "ended", "cost", "disputed", "median ms"), rows)


def _print_lift(report: LiftReport) -> None:
    rows = [
        (
            line.product,
            line.with_answer,
            _interval(line.difference),
            VERDICT_WORDS[line.verdict].en,
            "-" if line.cost is None else str(line.cost),
            _interval(line.per_10k_yuan),
            _interval(line.saved_per_yuan, digits=2),
        )
        for line in report.lines
    ]
    heads = ("product", "answers", "AUC gained", "", "cost", "AUC per 10,000 yuan", "loss saved per yuan")
    print_table(
        f"Lift at {report.tested_at:%Y-%m-%d}: {report.customers:,} held out, {report.events:,} events, "
        f"AUC without {_interval(report.auc)}, cut-off PD {report.cut_off:.1%}",
        heads,
        rows,
    )


def _interval(figure: scoring.Interval | None, *, digits: int = 4) -> str:
    if figure is None:
        return "-"
    return f"{figure.value:.{digits}f} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"
