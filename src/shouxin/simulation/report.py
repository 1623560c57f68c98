"""The report of a world: what was made, counted over all blocks, and whether it shows what it should."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from shouxin.simulation.catalogue import DEALINGS
from shouxin.simulation.domain import CHANNELS, KINDS
from shouxin.simulation.offers import ARMS
from shouxin.simulation.seasons import SPRING_FESTIVAL
from shouxin.simulation.shocks import Shock
from shouxin.simulation.tally import WHEN, Tally
from shouxin.simulation.world import Wanted, instants, surroundings_of

Figures = dict[str, int | float]


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What was made. The instants are UTC. Everything from ``default_rate_180d`` on is the truth, told to
    people only; the rates are shares.

    ``seasons``: orders a day in each season against the mean day of the history. ``shocks``: chance a day
    that stress begins on a line, and share of instalments paid late or never, in the shock against before.
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
    orders_by_channel: dict[str, int]
    seasons: dict[str, float]
    default_rate_180d: float
    second_accounts: int
    customers_by_kind: dict[str, Figures]
    gangs: dict[str, Figures]
    shocks: list[dict[str, Any]]
    merchants: dict[str, Figures]
    limit_experiment: dict[str, Figures]
    price_experiment: dict[str, Figures]
    megabytes: float

    def as_data(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def report_of(wanted: Wanted, counted: Tally, *, size: int) -> SimulationReport:
    """The report of a world whose blocks together counted this and whose files hold ``size`` bytes."""
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
        orders_by_channel={channel: counted["channel", channel] for channel in CHANNELS},
        seasons=_seasons(wanted, counted),
        default_rate_180d=_share(counted["lines defaulted",], counted["lines exposed",]),
        second_accounts=counted["second accounts",],
        customers_by_kind={name: _kind(counted, name) for name in KINDS},
        gangs={name: _gang(counted, name) for name in ("ring", "farm")},
        shocks=[_shock(wanted, counted, n, s) for n, s in enumerate(surroundings_of(wanted).shocks)],
        merchants={name: _merchant(counted, name) for name in DEALINGS},
        limit_experiment={arm: _arm(counted, "limit", arm) for arm in ARMS},
        price_experiment={arm: _arm(counted, "price", arm) for arm in ARMS},
        megabytes=round(size / 1e6, 1),
    )


def _kind(counted: Tally, name: str) -> Figures:
    lines = counted["customers with a line", name]
    share = _share(counted["customers in default", name], lines)
    return {"customers": counted["customers", name], "lines": lines, "defaulted": share}


def _gang(counted: Tally, name: str) -> Figures:
    return {what.replace(" ", "_"): counted[what, name] for what in ("gangs", "members", "shared devices")}


def _merchant(counted: Tally, name: str) -> Figures:
    orders = counted["merchant orders", name]
    return {
        "orders": orders,
        "late": _share(counted["merchant late", name], counted["merchant delivered", name]),
        "refunds": _share(counted["merchant refunds", name], orders),
        "complaints": _share(counted["merchant complaints", name], orders),
    }


def _arm(counted: Tally, experiment: str, arm: str) -> Figures:
    offered, taken = counted["offered", experiment, arm], counted["taken", experiment, arm]
    defaulted = counted["defaulted", experiment, arm]
    rate = _share(defaulted, taken)
    error = round((rate * (1 - rate) / taken) ** 0.5, 6) if taken else 0.0
    return {"offered": offered, "taken": _share(taken, offered), "defaulted": rate, "standard_error": error}


def _shock(wanted: Wanted, counted: Tally, number: int, shock: Shock) -> dict[str, Any]:
    stress = [_share(*_pair(counted, "stress begun", "line days", number, when)) for when in WHEN]
    late = [_share(*_pair(counted, "late instalments", "instalments", number, when)) for when in WHEN]
    return {
        "first_day": (wanted.start + timedelta(days=int(shock.first))).isoformat(),
        "last_day": (wanted.start + timedelta(days=int(shock.last) - 1)).isoformat(),
        "severity": shock.severity,
        "stress_a_day": dict(zip(WHEN, stress, strict=True)),
        "stress_ratio": _share(stress[1], stress[0]),
        "late_share": dict(zip(WHEN, late, strict=True)),
        "late_ratio": _share(late[1], late[0]),
    }


def _pair(counted: Tally, part: str, whole: str, number: int, when: str) -> tuple[int, int]:
    return counted[part, str(number), when], counted[whole, str(number), when]


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


def _share(part: float, whole: float) -> float:
    return round(part / whole, 6) if whole else 0.0


def _instant_text(wanted: Wanted, day: int) -> str:
    seconds = int(instants(wanted, np.array([float(day)]))[0]) // 1_000_000
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()
