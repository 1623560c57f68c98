"""The overview: six figures, what is overdue, the grades, and the newest alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from markupsafe import Markup

from shouxin import credit, reporting
from shouxin.entrypoints.console import formats, svg
from shouxin.entrypoints.console.frame import landing, page
from shouxin.entrypoints.console.names import named, people_of, references
from shouxin.entrypoints.console.visit import Refused, Visit, address
from shouxin.entrypoints.console.visits import redirect, shows
from shouxin.governance import Permission
from shouxin.reporting.domain import OverduePoint, Overview, Tile

# The chart's own unit: the largest of these that its highest value reaches ten times.
_CHART_UNITS = {
    "zh": ((1e6, "unit.most"), (1e4, "unit.many")),
    "en": ((1e6, "unit.most"), (1e3, "unit.many")),
}


@dataclass(frozen=True, slots=True)
class TileView:
    """A tile as text and markup."""

    key: str
    figure: str
    change: str
    tone: str
    spark: Markup


@shows("/", needs=None)
def overview(visit: Visit) -> Response[Any]:
    """The state of the portfolio on its business date; who may not see it is shown to their own desk."""
    if not visit.may(Permission.OVERVIEW_READ):
        return _to_own_desk(visit)
    found = reporting.overview(visit.db, today=credit.current_business_date(visit.db))
    chart, unit = overdue_chart(visit, found)
    return page(
        visit,
        "overview.html",
        here="overview",
        overview=found,
        tiles=[tile_view(visit, tile, currency=found.currency) for tile in found.tiles],
        overdue_chart=chart,
        overdue_unit=unit,
        grades_chart=svg.bar_chart(found.grades, title=visit.word("overview.grades")),
        # Executives see figures, never a customer.
        sees_alerts=(sees := visit.may(Permission.ALERTS_READ)),
        rows=named(visit, found.latest_alerts) if sees else (),
        references=references(visit, found.latest_alerts) if sees else {},
        people=people_of(visit),
    )


def _to_own_desk(visit: Visit) -> Response[Any]:
    desk = landing(visit.operator)
    if desk == "/":
        raise Refused("forbidden")
    return redirect(desk)


@shows("/search", needs=Permission.CUSTOMERS_READ)
def search(visit: Visit) -> Response[Any]:
    """``#12`` is an alert, anything else a customer."""
    asked = visit.asked("q")[:80]
    number = asked.removeprefix("#")
    if asked.startswith("#") and number.isdecimal() and len(number) < 18:
        return redirect(f"/alerts/{number}")
    return redirect(address("/customers", {"text": asked}))


def tile_view(visit: Visit, tile: Tile, *, currency: str) -> TileView:
    """Figure, change and sparkline of one tile."""
    language = visit.reader.language
    return TileView(
        tile.key,
        formats.tile_figure(tile.value, unit=tile.unit, currency=currency, language=language),
        formats.tile_change(tile.change, tile.unit),
        formats.tile_tone(tile.change, tile.better),
        svg.sparkline(tile.trend, title=visit.word(f"tile.{tile.key}")),
    )


def overdue_chart(visit: Visit, found: Overview) -> tuple[Markup, str]:
    """The stacked chart of overdue money, and the unit of its axis."""
    points = found.overdue
    highest = max((p.m1 + p.m2 + p.m3 + p.m3_plus for p in points), default=0) / 100
    scale, unit = next(
        ((step, key) for step, key in _CHART_UNITS[visit.reader.language] if highest >= 10 * step),
        (1.0, "unit.one"),
    )
    if not highest:
        return Markup(""), ""
    chart = svg.area_chart(
        [point.day.strftime("%y/%m/%d") for point in points],
        [
            svg.Series(visit.word(f"bucket.{key}"), key, _major(points, name, scale))
            for key, name in (("m1", "m1"), ("m2", "m2"), ("m3", "m3"), ("m3-plus", "m3_plus"))
        ],
        title=visit.word("overview.overdue"),
    )
    return chart, visit.word(unit, currency=_unit_name(visit, found.currency))


def _unit_name(visit: Visit, currency: str) -> str:
    """In Chinese a yuan is written 元; everything else by its code."""
    return "元" if currency == "CNY" and visit.reader.language == "zh" else f" {currency}"


def _major(points: Sequence[OverduePoint], bucket: str, scale: float) -> tuple[float, ...]:
    return tuple(getattr(point, bucket) / 100 / scale for point in points)


HANDLERS: tuple[HTTPRouteHandler, ...] = (overview, search)
