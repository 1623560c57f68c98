"""The portfolio report: figures and tables of one day, each with the name of the query that made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from shouxin.kernel import Bilingual
from shouxin.reporting.domain.views import LGD_ASSUMED, DayMetrics, TileUnit, ratio


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a report, with the name of the query that made it."""

    name: str
    label: Bilingual
    value: float
    unit: TileUnit
    query: str


@dataclass(frozen=True, slots=True)
class BucketRow:
    """Lines and exposure of one bucket of days past due."""

    bucket: str
    lines: int
    exposure: int


@dataclass(frozen=True, slots=True)
class GradeRow:
    """Customers of one grade and what they owe; expected loss is PD x LGD x EAD, summed by customer."""

    grade: str
    customers: int
    mean_pd: float
    exposure: int
    expected_loss: int


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many there are of something, e.g. decisions with one outcome."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Section:
    """A table of a report, with the name of the query that made it."""

    name: str
    title: Bilingual
    query: str
    rows: tuple[BucketRow, ...] | tuple[GradeRow, ...] | tuple[CountRow, ...]


@dataclass(frozen=True, slots=True)
class PortfolioReport:
    """The portfolio on one day: figures, then tables. Every one says which query made it."""

    day: date
    currency: str
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
    lgd: float = LGD_ASSUMED

    def figure(self, name: str) -> Figure:
        """The figure of that name; StopIteration is a bug of the caller."""
        return next(figure for figure in self.figures if figure.name == name)

    def section(self, name: str) -> Section:
        """The section of that name; StopIteration is a bug of the caller."""
        return next(section for section in self.sections if section.name == name)

    @property
    def queries(self) -> tuple[str, ...]:
        """The names of all queries behind it, each once."""
        made = [*(figure.query for figure in self.figures), *(section.query for section in self.sections)]
        return tuple(dict.fromkeys(name for names in made for name in names.split(" / ")))

    def as_data(self) -> dict[str, Any]:
        """The report as one JSON object; money in minor units of ``currency``."""
        return asdict(self) | {"day": self.day.isoformat()}


def figures_of(metrics: DayMetrics, *, lines: int, ungraded: int) -> tuple[Figure, ...]:
    """The figures of the day; ``ungraded`` is what customers without a grade owe."""
    overdue = metrics.overdue_m1 + metrics.overdue_m2 + metrics.overdue_m3 + metrics.overdue_m3_plus
    book, late, risk = "portfolio_totals", "overdue_by_bucket", "grades"
    return (
        _figure("lines", "信用额度数", "Credit lines", lines, "count", book),
        _figure("exposure", "敞口（未还余额）", "Exposure (owed)", metrics.exposure, "money", book),
        _figure("held", "已占用未入账", "Held at checkouts", metrics.held, "money", book),
        _figure("limit", "授信总额", "Limits granted", metrics.limit, "money", book),
        _figure("utilisation", "额度使用率", "Utilisation", metrics.utilisation, "ratio", book),
        _figure("overdue", "逾期客户余额", "Owed by lines past due", overdue, "money", late),
        _figure("overdue_rate", "逾期率", "Past due rate", ratio(overdue, metrics.exposure), "ratio", late),
        _figure(
            "overdue_30_rate", "30+ 逾期率", "More than 30 days past due",
            metrics.overdue_30_rate, "ratio", late,
        ),
        _figure("expected_loss", "预期损失", "Expected loss", metrics.expected_loss, "money", risk),
        _figure(
            "expected_loss_rate", "预期损失率", "Expected loss rate",
            ratio(metrics.expected_loss, metrics.exposure), "ratio", f"{risk} / {book}",
        ),
        _figure(
            "exposure_without_grade", "未评级客户敞口（未计预期损失）",
            "Exposure without a grade (no expected loss counted)",
            ungraded, "money", "exposure_without_grade",
        ),
        _figure("open_alerts", "待处理预警", "Open alerts", metrics.open_alerts, "count", "open_work"),
        _figure("open_cases", "未结案件", "Open cases", metrics.open_cases, "count", "open_work"),
    )  # fmt: skip


def sections_of(
    *,
    buckets: tuple[BucketRow, ...],
    grades: tuple[GradeRow, ...],
    decisions: tuple[CountRow, ...],
    counts: Mapping[str, tuple[CountRow, ...]],
) -> tuple[Section, ...]:
    """The tables; ``counts`` has the rows of the alert and case queries by their names."""
    return (
        Section("overdue", Bilingual("按逾期天数", "By days past due"), "overdue_by_bucket", buckets),
        Section("grades", Bilingual("按信用等级", "By credit grade"), "grades", grades),
        Section(
            "decisions",
            Bilingual("近 30 天授信决策", "Decisions of the last 30 days"),
            "decisions_by_outcome_30d",
            decisions,
        ),
        Section("alerts", Bilingual("预警", "Alerts"), "alerts_by_state", counts["alerts_by_state"]),
        Section(
            "alert_outcomes",
            Bilingual("预警结果", "What alerts turned out to be"),
            "alerts_by_outcome",
            counts["alerts_by_outcome"],
        ),
        Section("cases", Bilingual("案件", "Cases"), "cases_by_state", counts["cases_by_state"]),
    )


def _figure(name: str, zh: str, en: str, value: float, unit: TileUnit, query: str) -> Figure:
    return Figure(name, Bilingual(zh, en), value, unit, query)
