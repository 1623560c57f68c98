"""The scene of a demo: its settings, its house, its folder and its journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from shouxin.entrypoints.demo.journal import Journal
from shouxin.entrypoints.house import House
from shouxin.kernel import Bar


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """How large the shop is. ``today`` is the day the live period ends."""

    customers: int = 20_000
    months: int = 18
    seed: int = 7
    live_days: int = 90
    today: date = date(2026, 11, 22)
    model: str = "ebm"


@dataclass(frozen=True, slots=True)
class Chain:
    """A demo in one house."""

    house: House
    settings: DemoSettings
    folder: Path
    journal: Journal
    bar: Bar

    @property
    def shop(self) -> Path:
        """Where the simulated shop is written."""
        return self.folder / "shop"

    @property
    def history_end(self) -> datetime:
        """The instant at which the live period begins."""
        return datetime.fromisoformat(self.journal.kept("simulate", "history_ends_at"))
