"""Read models: what pages and reports show, as values. Nothing here decides about a customer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from shouxin.cases.domain import CaseRow
from shouxin.early_warning.domain import AlertRow
from shouxin.kernel import Bilingual, CustomerId, Money

if TYPE_CHECKING:
    from shouxin.credit.instalments.domain import Plan
    from shouxin.credit.limits.domain import Line
    from shouxin.decisions.domain import PersonaTag
    from shouxin.grading.domain import Standing
    from shouxin.identity.domain import MaskedProfile
    from shouxin.ingestion.consent.domain import ConsentStanding, ConsentWord

# Loss given default of an unsecured instalment loan to a consumer: an assumption until recoveries of our
# own are known. Basel's foundation IRB uses 0.40-0.45 for senior unsecured corporates (CRE32); small
# unsecured retail claims recover less, and 0.75 is the careful end of what lenders publish.
LGD_ASSUMED = 0.75
# 90 days past due: the Basel definition of default (CRE36.69); from there on the PD is 1.
DEFAULTED_DAYS = 90
GRADES = ("S", "A", "B", "C", "D")
BUCKETS = ("M0", "M1", "M2", "M3", "M3+")
# Nobody pages through more; counting further would cost a second with a million customers.
TOTAL_MAX = 100_000
BARS_MAX = 8
TIMELINE_DAYS = 365
TIMELINE_MAX = 40
TREND_DAYS = 365
TREND_POINTS = 12
# A month ago, for the small print under a tile.
CHANGE_DAYS = 30

TileKey = Literal["exposure", "overdue_30", "expected_loss", "utilisation", "open_alerts", "open_cases"]
TileUnit = Literal["money", "ratio", "count"]
Better = Literal["up", "down"]
Tone = Literal["bad", "warn", "info", "good"]
CustomerOrder = Literal["risk", "exposure", "days_past_due", "registered"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the overview: minor units for money, 0 to 1 for a ratio; ``trend`` oldest first.

    ``change`` is against a month ago: relative for money and counts, the difference for a ratio, None
    when there is no figure of a month ago.
    """

    key: TileKey
    value: float
    unit: TileUnit
    trend: tuple[float, ...]
    change: float | None
    better: Better | None


@dataclass(frozen=True, slots=True)
class OverduePoint:
    """What lines past due owed on one day, by bucket of days past due, in minor units."""

    day: date
    m1: int
    m2: int
    m3: int
    m3_plus: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page of the console."""

    today: date
    currency: str
    tiles: tuple[Tile, ...]
    overdue: tuple[OverduePoint, ...]
    grades: tuple[tuple[str, int], ...]
    latest_alerts: tuple[AlertRow, ...]


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Which customers, in which order. ``text`` is a customer id or a reference at a source."""

    text: str = ""
    grade: str | None = None
    order: CustomerOrder = "risk"
    page: int = 1
    per_page: int = 50


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer as the list shows it; the name is masked."""

    customer_id: CustomerId
    reference: str
    name: str
    grade: str | None
    pd: float | None
    score: int | None
    limit: Money | None
    exposure: Money | None
    days_past_due: int
    open_alerts: int
    registered_at: datetime | None


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page of customers, and how many the filter found in all (counted up to TOTAL_MAX)."""

    rows: tuple[CustomerRow, ...]
    total: int
    page: int
    per_page: int


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened with a customer."""

    at: datetime
    tone: Tone
    title: Bilingual
    detail: Bilingual


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """The score and grade that were assigned at one instant."""

    at: datetime
    score: int
    grade: str


@dataclass(frozen=True, slots=True)
class Bar:
    """How many points one feature added to the score or took from it."""

    label: Bilingual
    points: int


@dataclass(frozen=True, slots=True)
class CustomerView:
    """Everything the house knows of one customer, on one page; identity is masked.

    Profile, grade, scores, tags, consents and timeline are as they were known at ``as_of``; line, plans,
    open alerts and cases are those of now.
    """

    customer_id: CustomerId
    as_of: datetime
    references: tuple[tuple[str, str], ...]
    profile: MaskedProfile
    standing: Standing | None
    score_history: tuple[ScorePoint, ...]
    contributions: tuple[Bar, ...]
    line: Line | None
    plans: tuple[Plan, ...]
    timeline: tuple[TimelineEntry, ...]
    open_alerts: int
    cases: tuple[CaseRow, ...]
    service: Bilingual
    tags: tuple[PersonaTag, ...]
    consents: tuple[ConsentStanding, ...]
    consent_history: tuple[ConsentWord, ...]


@dataclass(frozen=True, slots=True)
class DayMetrics:
    """The portfolio's figures of one business day, kept for trends. Money in minor units."""

    day: date
    currency: str
    exposure: int
    held: int
    limit: int
    overdue_m1: int
    overdue_m2: int
    overdue_m3: int
    overdue_m3_plus: int
    expected_loss: int
    open_alerts: int
    open_cases: int
    grades: tuple[tuple[str, int], ...] = ()

    @property
    def overdue_30_rate(self) -> float:
        """Exposure of lines more than 30 days past due, as a share of all exposure."""
        return ratio(self.overdue_m2 + self.overdue_m3 + self.overdue_m3_plus, self.exposure)

    @property
    def utilisation(self) -> float:
        """Used and held, as a share of all limits."""
        return ratio(self.exposure + self.held, self.limit)


def ratio(part: float, whole: float) -> float:
    """``part`` of ``whole``; nothing of nothing is 0."""
    return part / whole if whole else 0.0


def expected_loss_minor(pd: float, *, exposure_minor: int, lgd: float = LGD_ASSUMED) -> int:
    """PD x LGD x EAD of one customer in minor units, rounded to the nearest."""
    return round(pd * lgd * exposure_minor)


def change_of(values: Sequence[tuple[date, float]], *, today: date, unit: TileUnit) -> float | None:
    """The newest value against the newest one that is at least CHANGE_DAYS old; None without such a one.

    ``values`` are in the order of their days. A count or an amount that was 0 has no relative change.
    """
    before = [value for day, value in values if (today - day).days >= CHANGE_DAYS]
    if not before or not values:
        return None
    now, then = values[-1][1], before[-1]
    if unit == "ratio":
        return now - then
    return (now - then) / then if then else None


def tiles_of(days: Sequence[DayMetrics], *, today: date, points_max: int) -> tuple[Tile, ...]:
    """The six tiles of the overview from the days' figures, oldest first; the last day is shown."""
    shown = sampled(days, points_max=points_max)
    readings: tuple[tuple[TileKey, TileUnit, Better | None, Callable[[DayMetrics], float]], ...] = (
        ("exposure", "money", None, lambda day: float(day.exposure)),
        ("overdue_30", "ratio", "down", lambda day: day.overdue_30_rate),
        ("expected_loss", "money", "down", lambda day: float(day.expected_loss)),
        ("utilisation", "ratio", None, lambda day: day.utilisation),
        ("open_alerts", "count", "down", lambda day: float(day.open_alerts)),
        ("open_cases", "count", "down", lambda day: float(day.open_cases)),
    )
    tiles = []
    for key, unit, better, read in readings:
        values = [(day.day, read(day)) for day in days]
        change = change_of(values, today=today, unit=unit)
        tiles.append(Tile(key, values[-1][1], unit, tuple(read(day) for day in shown), change, better))
    return tuple(tiles)


def overdue_of(days: Sequence[DayMetrics]) -> tuple[OverduePoint, ...]:
    """The overdue chart from the days' figures, oldest first."""
    return tuple(
        OverduePoint(d.day, d.overdue_m1, d.overdue_m2, d.overdue_m3, d.overdue_m3_plus) for d in days
    )


def sampled(days: Sequence[DayMetrics], *, points_max: int) -> tuple[DayMetrics, ...]:
    """At most ``points_max`` of the days, evenly spread, the last always among them."""
    if len(days) <= points_max:
        return tuple(days)
    last = len(days) - 1
    return tuple(days[round(i * last / (points_max - 1))] for i in range(points_max))
