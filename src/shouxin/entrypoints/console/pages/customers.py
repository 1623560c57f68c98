"""Customers: the list, and one customer on one page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin import credit, identity, reporting
from shouxin.credit import LineRefusal
from shouxin.decisions.domain import FEATURE_PREFIX, ConditionTrace
from shouxin.entrypoints.console import formats, svg
from shouxin.entrypoints.console.bands import score_bands
from shouxin.entrypoints.console.export_page import export_page
from shouxin.entrypoints.console.forms import one_of
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.names import shop_references
from shouxin.entrypoints.console.pages.consents import STATE_TONE
from shouxin.entrypoints.console.rendering import html
from shouxin.entrypoints.console.shared_things import shared_things
from shouxin.entrypoints.console.visit import PER_PAGE, Refused, Visit, address
from shouxin.entrypoints.console.visits import does, redirect, shows
from shouxin.entrypoints.console.words import Language, words_known
from shouxin.features import CATALOGUE
from shouxin.governance import Permission
from shouxin.identity import DisclosureRefusal, RevealRefusal
from shouxin.kernel import Bilingual, CustomerId, Money
from shouxin.reporting.domain import CustomerFilter, CustomerOrder, CustomerView

_ORDERS = ("risk", "exposure", "days_past_due", "registered")
_FIELDS = ("name", "phone", "email", "national_id", "birth_date", "address")
# So many entries beside the other cards; the rest opens when asked for.
_TIMELINE_FIRST = 12
_PILL = {"paid": "good", "paid_late": "warn", "overdue": "bad", "due": "warn", "scheduled": ""}


_NO_DAY = Bilingual("请填写有效日期，如 2026-03-01。", "Give a day, as in 2026-03-01.")
_GRADE = Bilingual("信用等级", "credit grade")
_FIRST_YEAR = 1970
# Above it a figure is an amount, and people want all its digits.
_PLAIN_MAX = 1000


@dataclass(frozen=True, slots=True)
class TagView:
    """A tag in the reader's language; ``why`` tells what was read, comparison by comparison."""

    name: str
    meaning: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InstalmentView:
    """One row of the table of instalments; ``label`` is its number within its plan."""

    plan_id: str
    label: str
    due: date
    amount: Money
    paid: Money
    state: str
    tone: str


@shows("/customers", needs=Permission.CUSTOMERS_READ)
def customer_list(visit: Visit) -> Response[Any]:
    """Customers, the riskiest first."""
    chosen = CustomerFilter(
        text=visit.asked("text")[:80],
        grade=one_of(visit.asked("grade"), ("S", "A", "B", "C", "D")),
        order=cast(CustomerOrder, one_of(visit.asked("order"), _ORDERS) or "risk"),
        page=visit.page_number(),
        per_page=PER_PAGE,
    )
    found = reporting.list_customers(visit.db, visit.house.keyring, chosen)
    filters = {"text": chosen.text, "grade": chosen.grade}
    return page(
        visit,
        "customers.html",
        here="customers",
        chosen=chosen,
        page=found,
        sort_url=address("/customers", filters),
        page_url=address("/customers", {**filters, "order": chosen.order}),
    )


@shows("/customers/{customer_id:str}", needs=Permission.CUSTOMERS_READ)
def customer(visit: Visit) -> Response[Any]:
    """Everything the house knows of one customer, identity masked."""
    return _customer_page(visit)


@does("/customers/{customer_id:str}/reveal", needs=Permission.CUSTOMERS_REVEAL)
def reveal(visit: Visit) -> Response[Any]:
    """Show one personal value for a reason; identity writes the audit entry."""
    customer_id, name = _known(visit), visit.sent("field")
    if name not in _FIELDS:
        raise Refused("not_usable")
    answer = identity.reveal(
        visit.db,
        visit.house.keyring,
        customer_id,
        name,
        operator=visit.operator,
        reason=visit.sent("reason"),
        now=visit.now,
    )
    if isinstance(answer, RevealRefusal):
        return _customer_page(visit, refused=answer.text)
    return _customer_page(visit, revealed={name: answer})


@does("/customers/{customer_id:str}/export", needs=Permission.CUSTOMERS_EXPORT)
def export(visit: Visit) -> Response[Any]:
    """Hand out all that is known of the customer, in clear, as a file; identity writes the audit entry."""
    customer_id = _known(visit)
    told = reporting.export_customer(
        visit.db,
        visit.house.keyring,
        customer_id,
        operator=visit.operator,
        reason=visit.sent("reason"),
        now=visit.now,
    )
    if isinstance(told, DisclosureRefusal):
        return _customer_page(visit, refused=told.text)
    name = f'attachment; filename="{customer_id}.html"'
    return html(export_page(told), headers={"Content-Disposition": name})


@does("/customers/{customer_id:str}/freeze", needs=Permission.LINES_FREEZE)
def freeze_line(visit: Visit) -> Response[Any]:
    """Stop new checkouts on the line."""
    return _freeze(visit, credit.freeze, "line.freeze", said="line_frozen")


@does("/customers/{customer_id:str}/unfreeze", needs=Permission.LINES_FREEZE)
def unfreeze_line(visit: Visit) -> Response[Any]:
    """Let checkouts go on."""
    return _freeze(visit, credit.unfreeze, "line.unfreeze", said="line_unfrozen")


def _freeze(visit: Visit, verb: Any, action: str, *, said: str) -> Response[Any]:
    customer_id, reason = _known(visit), visit.sent("reason")
    line = credit.line_of(visit.db, customer_id)
    if line is None:
        raise Refused("not_found")
    if not reason:
        raise Refused("not_usable", Bilingual("请说明理由。", "Say why."))
    answer = verb(visit.db, line, reason=reason, by=visit.operator.operator_id, now=visit.now)
    if isinstance(answer, LineRefusal):
        raise Refused("not_usable", answer.text)
    visit.audit(action, f"line:{line.line_id}", reason=reason)
    return redirect(f"/customers/{customer_id}", said=said)


def _known(visit: Visit) -> CustomerId:
    customer_id = CustomerId(visit.place("customer_id"))
    if not identity.references_of(visit.db, customer_id):
        raise Refused("not_found")
    return customer_id


def _customer_page(
    visit: Visit, *, revealed: Mapping[str, str] | None = None, refused: Bilingual | None = None
) -> Response[Any]:
    customer_id = CustomerId(visit.place("customer_id"))
    day = _asked_day(visit)
    as_of = min(visit.now, _end_of(day)) if day else visit.now
    view = reporting.customer_360(visit.db, visit.house.keyring, customer_id, as_of=as_of)
    if view is None:
        raise Refused("not_found")
    profile = {name: getattr(view.profile, name) for name in _FIELDS}
    return page(
        visit,
        "customer.html",
        here="customers",
        status=422 if refused else 200,
        view=view,
        about=_about(visit, view),
        as_of_day=day.isoformat() if day else "",
        last_day=visit.now.astimezone(credit.BUSINESS_ZONE).date(),
        tags=_tags(view, visit.reader.language),
        consent_tone=STATE_TONE,
        shared=shared_things(visit, customer_id, as_of=as_of),
        shop_references=shop_references(view.references),
        timeline_first=_TIMELINE_FIRST,
        profile=profile,
        revealed=revealed or {},
        revealable=[name for name, value in profile.items() if value],
        identity_refused=refused.in_language(visit.reader.language) if refused else None,
        instalments=_instalments(view, today=credit.current_business_date(visit.db)),
        can_reveal=visit.may(Permission.CUSTOMERS_REVEAL),
        can_export=visit.may(Permission.CUSTOMERS_EXPORT),
        can_freeze=visit.may(Permission.LINES_FREEZE),
        can_open_case=visit.may(Permission.CASES_HANDLE),
        **_charts(visit, view),
    )


def _asked_day(visit: Visit) -> date | None:
    """The day that the file is asked for; None for now."""
    told = visit.asked("as_of")
    if not told:
        return None
    try:
        day = date.fromisoformat(told)
    except ValueError:
        raise Refused("not_usable", _NO_DAY) from None
    if day.year < _FIRST_YEAR:
        raise Refused("not_usable", _NO_DAY)
    return day


def _end_of(day: date) -> datetime:
    """The last instant of a day where the shop is."""
    return datetime.combine(day, time.max, credit.BUSINESS_ZONE).astimezone(UTC)


def _tags(view: CustomerView, language: Language) -> list[TagView]:
    meanings = {definition.name: definition.meaning for definition in CATALOGUE}
    return [
        TagView(
            tag.persona.name.in_language(language),
            tag.persona.meaning.in_language(language),
            tuple(_comparison(one, meanings, language) for one in tag.why),
        )
        for tag in view.tags
    ]


def _comparison(one: ConditionTrace, meanings: Mapping[str, Bilingual], language: Language) -> str:
    """What was read and what it was held against, in words where the fact is a feature."""
    name = one.field.removeprefix(FEATURE_PREFIX)
    told = meanings[name].in_language(language) if name in meanings else _GRADE.in_language(language)
    read, expected = (", ".join(x) if isinstance(x, list) else x for x in (one.read, one.expected))
    read = f"{read:.4g}" if isinstance(read, float) and read < _PLAIN_MAX else read
    return f"{told}: {read} ({one.op} {expected})"


def _about(visit: Visit, view: CustomerView) -> list[str]:
    """The small line under the name."""
    profile, shops = view.profile, shop_references(view.references)
    known = words_known(visit.reader.language)
    channel = profile.channel and known(f"channel.{profile.channel}", profile.channel)
    registered = profile.registered_at and visit.word(
        "customer.registered", day=formats.day(profile.registered_at)
    )
    region = profile.region and known(f"region.{profile.region}", profile.region)
    parts = (shops[0][1] if shops else "", channel, region, registered)
    return [part for part in parts if part]


def _charts(visit: Visit, view: CustomerView) -> dict[str, Any]:
    """The gauge, the score over time, the reasons, and how much of the line is used."""
    bands = score_bands(visit.db)
    line, standing, language = view.line, view.standing, visit.reader.language
    points = view.score_history
    return {
        "gauge": svg.gauge(standing.score, bands, title=visit.word("customer.score"))
        if standing and bands
        else "",
        "score_chart": svg.score_chart(
            [formats.shown(point.at, _date_pattern(view)) for point in points],
            [point.score for point in points],
            bands,
            title=visit.word("customer.score_history"),
        ),
        "why_chart": svg.contribution_chart(
            [(_as_heading(bar.label.in_language(language)), bar.points) for bar in view.contributions],
            title=visit.word("customer.why"),
        ),
        "used_share": line.utilisation if line else 0.0,
        "line_meter": svg.meter(line.utilisation, title=visit.word("customer.line")) if line else "",
    }


def _as_heading(text: str) -> str:
    """Features mean something in lower case; at the head of a row they begin with a capital."""
    return text[:1].upper() + text[1:]


def _date_pattern(view: CustomerView) -> str:
    """Days where the scores lie within some months, else months."""
    points = view.score_history
    near = not points or points[-1].at - points[0].at < timedelta(days=200)
    return "%m-%d" if near else "%y/%m"


def _instalments(view: CustomerView, *, today: date) -> list[InstalmentView]:
    """Every instalment, the newest plan first."""
    rows = []
    for plan in sorted(view.plans, key=lambda plan: plan.started_on, reverse=True):
        for item in plan.instalments:
            late = item.paid_on is not None and item.paid_on > item.due_on
            state = "paid_late" if late else item.state(today)
            label = f"{item.number}/{len(plan.instalments)}"
            rows.append(
                InstalmentView(plan.plan_id, label, item.due_on, item.amount, item.paid, state, _PILL[state])
            )
    return rows


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    customer_list,
    customer,
    reveal,
    export,
    freeze_line,
    unfreeze_line,
)
