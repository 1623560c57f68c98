"""The report of a world: what was made, counted over all blocks, and whether it shows what it should."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from shouxin.simulation.domain import CHANNELS
from shouxin.simulation.seasons import SPRING_FESTIVAL
from shouxin.simulation.tally import Tally
from shouxin.simulation.world import Wanted, instants


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What was made. The instants are UTC; ``default_rate_180d`` is the truth, told to people only.

    ``seasons`` are orders a day in each season against the mean day of the history.
    """

    customers: int
    months: int
    seed: int
    starts_at: str
    history_ends_at: str
    live_ends_at: str
    history_end: str  # the first business date of the live period, China time
    events: int
    duplicates: int
    live_events: int
    live_checkouts: int
    by_kind: dict[str, int]
    default_rate_180d: float
    orders_by_channel: dict[str, int]
    seasons: dict[str, float]

    def as_data(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def report_of(wanted: Wanted, counted: Tally) -> SimulationReport:
    """The report of a world whose blocks together counted this."""
    return SimulationReport(
        customers=wanted.customers,
        months=wanted.months,
        seed=wanted.seed,
        starts_at=_instant_text(wanted, 0),
        history_ends_at=_instant_text(wanted, wanted.history_days),
        live_ends_at=_instant_text(wanted, wanted.horizon_days),
        history_end=wanted.end.isoformat(),
        events=counted["events",],
        duplicates=counted["duplicates",],
        live_events=counted["live events",],
        live_checkouts=counted["live checkouts",],
        by_kind=_under(counted, "kind"),
        default_rate_180d=_share(counted["lines defaulted",], counted["lines exposed",]),
        orders_by_channel={channel: counted["channel", channel] for channel in CHANNELS},
        seasons=_seasons(wanted, counted),
    )


def _seasons(wanted: Wanted, counted: Tally) -> dict[str, float]:
    """Each season of the history with all its days there, against the mean of all days."""
    orders = np.array([counted["day", str(day)] for day in range(wanted.history_days)])
    ratios = {}
    for name, first, last in _season_dates(wanted):
        begin, end = (first - wanted.start).days, (last - wanted.start).days + 1
        if begin >= 0 and end <= wanted.history_days:
            ratios[name] = round(float(orders[begin:end].mean() / max(orders.mean(), 1e-9)), 3)
    return ratios


def _season_dates(wanted: Wanted) -> list[tuple[str, date, date]]:
    """(name, first day, last day) of the sales and festivals of the history's years, in order of time."""
    found = []
    for year in range(wanted.start.year, wanted.end.year + 1):
        found.append((f"6.18 {year}", date(year, 6, 18), date(year, 6, 18)))
        found.append((f"11.11 {year}", date(year, 11, 11), date(year, 11, 11)))
        first = SPRING_FESTIVAL.get(year)
        if first is not None:
            found.append((f"Spring Festival week {year}", first, first + timedelta(days=6)))
    return sorted(found, key=lambda season: season[1])


def _under(counted: Tally, head: str) -> dict[str, int]:
    return {name[1]: counted[name] for name in sorted(counted) if name[0] == head}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def _instant_text(wanted: Wanted, day: int) -> str:
    seconds = int(instants(wanted, np.array([float(day)]))[0]) // 1_000_000
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()
