"""The portfolio report of the business date, ready to print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin import credit, reporting
from shouxin.entrypoints.console import formats
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.visit import Visit
from shouxin.entrypoints.console.visits import shows
from shouxin.entrypoints.console.words import catalogue
from shouxin.governance import Permission
from shouxin.kernel import Bilingual, Money
from shouxin.reporting.domain import BucketRow, CountRow, GradeRow, Section

# Where the words for the kinds of a counted section are.
_WORDS = {
    "decisions": "decision",
    "alerts": "alert_state",
    "alert_outcomes": "case_outcome",
    "cases": "case_state",
}


@dataclass(frozen=True, slots=True)
class FigureView:
    """A figure as text, with the query that made it."""

    label: Bilingual
    text: str
    query: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A table as text: the keys of its headings, and its rows."""

    title: Bilingual
    query: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@shows("/reports", needs=Permission.REPORTS_READ)
def portfolio(visit: Visit) -> Response[Any]:
    """Every figure says which query made it."""
    report = reporting.portfolio(visit.db, today=credit.current_business_date(visit.db))
    language = visit.reader.language
    figures = [
        FigureView(
            figure.label,
            formats.tile_figure(figure.value, unit=figure.unit, currency=report.currency, language=language),
            figure.query,
        )
        for figure in report.figures
    ]
    return page(
        visit,
        "reports.html",
        here="reports",
        report=report,
        figures=figures,
        sections=[section_view(visit, section, currency=report.currency) for section in report.sections],
    )


def section_view(visit: Visit, section: Section, *, currency: str) -> SectionView:
    """A section of the report as a table of text."""
    heads: tuple[str, ...] = ("name", "count")
    if section.rows and isinstance(section.rows[0], BucketRow):
        heads = ("bucket", "lines", "exposure")
    elif section.rows and isinstance(section.rows[0], GradeRow):
        heads = ("grade", "customers", "mean_pd", "exposure", "expected_loss")
    rows = tuple(_cells(visit, row, section=section, currency=currency) for row in section.rows)
    return SectionView(section.title, section.query, heads, rows)


def _cells(
    visit: Visit, row: BucketRow | GradeRow | CountRow, *, section: Section, currency: str
) -> tuple[str, ...]:
    if isinstance(row, BucketRow):
        bucket = f"{row.bucket} · {visit.word(f'report_bucket.{row.bucket}')}"
        return bucket, formats.count(row.lines), formats.money(Money(row.exposure, currency))
    if isinstance(row, GradeRow):
        owed, lost = Money(row.exposure, currency), Money(row.expected_loss, currency)
        return (
            row.grade,
            formats.count(row.customers),
            formats.percent(row.mean_pd),
            formats.money(owed),
            formats.money(lost),
        )
    named = catalogue().get(f"{_WORDS.get(section.name)}.{row.name}")
    return named.in_language(visit.reader.language) if named else row.name, formats.count(row.count)


HANDLERS: tuple[HTTPRouteHandler, ...] = (portfolio,)
