"""``shouxin report``: the portfolio report as a printable page, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from jinja2 import Environment, PackageLoader, StrictUndefined

from shouxin import cases, credit, early_warning, reporting
from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, opened_house, print_table, say
from shouxin.kernel import Bilingual, Money
from shouxin.reporting import BucketRow, CountRow, Figure, GradeRow, PortfolioReport, Section


class Language(StrEnum):
    """A language of the house."""

    ZH = "zh"
    EN = "en"


_DECISIONS: Mapping[str, Bilingual] = {
    "approve": Bilingual("批准", "Approved"),
    "review": Bilingual("人工审核", "Sent to review"),
    "counter_offer": Bilingual("还价", "Counter-offer"),
    "decline": Bilingual("拒绝", "Declined"),
}
_COUNTED: Mapping[str, Mapping[Any, Bilingual]] = {
    "decisions": _DECISIONS,
    "alerts": early_warning.STATE_WORDS,
    "alert_outcomes": cases.OUTCOME_WORDS,
    "cases": cases.STATE_WORDS,
}
_COLUMNS: Mapping[type, tuple[Bilingual, ...]] = {
    BucketRow: (
        Bilingual("逾期档", "Bucket"), Bilingual("客户数", "Lines"), Bilingual("敞口", "Exposure"),
    ),
    GradeRow: (
        Bilingual("等级", "Grade"), Bilingual("客户数", "Customers"), Bilingual("平均违约概率", "Mean PD"),
        Bilingual("敞口", "Exposure"), Bilingual("预期损失", "Expected loss"),
    ),
    CountRow: (Bilingual("项目", "What"), Bilingual("数量", "Count")),
}  # fmt: skip


def report(
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the pages; default: reports in the home folder.")
    ] = None,
    language: Annotated[
        Language | None, typer.Option("--language", help="One language only; default: a page in each.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the portfolio report: one self-contained, printable page for each language.

    With --json the figures go to standard output, and pages are written only where --out says.
    """
    with opened_house(home) as house:
        with house.database.begin() as db:
            found = reporting.portfolio(db, today=credit.current_business_date(db))
        folder = out or (None if as_json else house.home.path / "reports")
        files = _written(found, folder, languages=[language] if language else list(Language))
    if as_json:
        emit(found.as_data() | {"files": [str(path) for path in files]}, as_json=True)
        return
    shown = language or Language.EN
    rows = [(f.label.in_language(shown), figure_text(f, currency=found.currency)) for f in found.figures]
    print_table(f"{found.day} {found.currency}", ("", ""), rows)
    for path in files:
        say(f"written: {path}")


def render(found: PortfolioReport, *, language: str) -> str:
    """The report as one HTML page."""
    environment = Environment(
        loader=PackageLoader("shouxin.entrypoints.cli", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("portfolio.html").render(
        report=found,
        language=language,
        say=lambda zh, en: zh if language == "zh" else en,
        figures=[
            (f.label.in_language(language), figure_text(f, currency=found.currency), f.query)
            for f in found.figures
        ],
        tables=[_table(section, found.currency, language=language) for section in found.sections],
        queries=[(name, reporting.query_text(name)) for name in found.queries],
        defaulted_days=reporting.DEFAULTED_DAYS,
    )


def figure_text(figure: Figure, *, currency: str) -> str:
    """A figure as people read it."""
    if figure.unit == "money":
        return _money(int(figure.value), currency)
    return f"{figure.value:.2%}" if figure.unit == "ratio" else f"{figure.value:,.0f}"


def _written(found: PortfolioReport, folder: Path | None, *, languages: list[Language]) -> list[Path]:
    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for language in languages:
        path = folder / f"portfolio-{found.day.isoformat()}.{language}.html"
        path.write_text(render(found, language=language), encoding="utf-8")
        files.append(path)
    return files


def _table(section: Section, currency: str, *, language: str) -> dict[str, Any]:
    columns = _COLUMNS[type(section.rows[0])] if section.rows else _COLUMNS[CountRow]
    return {
        "title": section.title.in_language(language),
        "query": section.query,
        "columns": [column.in_language(language) for column in columns],
        "rows": [_cells(row, section.name, currency, language=language) for row in section.rows],
    }


def _cells(
    row: BucketRow | GradeRow | CountRow, section: str, currency: str, *, language: str
) -> tuple[str, ...]:
    match row:
        case BucketRow():
            return row.bucket, f"{row.lines:,}", _money(row.exposure, currency)
        case GradeRow():
            return (
                row.grade,
                f"{row.customers:,}",
                f"{row.mean_pd:.2%}",
                _money(row.exposure, currency),
                _money(row.expected_loss, currency),
            )
        case CountRow():
            return _COUNTED[section][row.name].in_language(language), f"{row.count:,}"


def _money(minor: int, currency: str) -> str:
    whole, dot, part = Money(minor, currency).text.partition(".")
    return f"{int(whole):,}{dot}{part}"
