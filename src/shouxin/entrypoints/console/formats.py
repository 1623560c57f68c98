"""How figures, money and time are written for a reader of Chinese or of English."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Literal

from shouxin.entrypoints.console.words import Language
from shouxin.kernel import Money
from shouxin.kernel.money import exponent
from shouxin.reporting.domain import TileUnit

# The console tells time as people in mainland China do (no summer time since 1991); data stays in UTC.
DISPLAY_ZONE = timezone(timedelta(hours=8), "UTC+8")
NOTHING = "–"
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_STEPS: dict[str, tuple[tuple[float, str], ...]] = {
    "zh": ((1e8, " 亿"), (1e4, " 万")),
    "en": ((1e9, " B"), (1e6, " M"), (1e3, " K")),
}


def money(amount: Money | None) -> str:
    """Whole units for lists: ``¥ 9,073``."""
    return NOTHING if amount is None else f"{symbol(amount.currency)} {major(amount):,.0f}"


def money_exactly(amount: Money | None) -> str:
    """With its decimals: ``¥ 39,965.59``."""
    if amount is None:
        return NOTHING
    digits = exponent(amount.currency)
    return f"{symbol(amount.currency)} {major(amount):,.{digits}f}"


def minor(value: int, currency: str) -> str:
    """Minor units with decimals and without a sign, for the columns of a data table."""
    return f"{value / 10 ** exponent(currency):,.{exponent(currency)}f}"


def money_shortly(amount: Money, language: Language) -> str:
    """Rounded for a tile: ``¥ 186.4 M``, in Chinese ``¥ 1.86 亿``."""
    return f"{symbol(amount.currency)} {shortly(major(amount), language)}"


def shortly(value: float, language: Language) -> str:
    """Four figures at most, with the reader's own word for the thousands."""
    for step, word in _STEPS[language]:
        if abs(value) >= step:
            scaled = value / step
            return f"{scaled:,.{_decimals(scaled)}f}{word}"
    return f"{value:,.0f}"


def symbol(currency: str) -> str:
    """The sign of a currency, or its code."""
    return _SYMBOLS.get(currency, currency)


def major(amount: Money) -> float:
    """For showing only: no sum is ever made of this."""
    return float(amount.minor / 10 ** exponent(amount.currency))


def count(value: int) -> str:
    """Thousands separated."""
    return f"{value:,}"


def percent(share: float | None) -> str:
    """Two decimals, as PDs are read: ``7.31 %``."""
    return NOTHING if share is None else f"{share * 100:.2f}%"


def percent_shortly(share: float) -> str:
    """No decimals: ``93%``."""
    return f"{share * 100:.0f}%"


def tile_figure(value: float, *, unit: TileUnit, currency: str, language: Language) -> str:
    """The large figure of a tile."""
    if unit == "money":
        return money_shortly(Money(round(value), currency), language)
    return f"{value * 100:.2f} %" if unit == "ratio" else f"{value:,.0f}"


def tile_change(change: float | None, unit: TileUnit) -> str:
    """``▲ 3.1%`` for money and counts, ``▼ 0.18 pp`` for a ratio; nothing when nothing is known."""
    if change is None:
        return ""
    arrow = "▲" if change > 0 else "▼" if change < 0 else "＝"
    size = abs(change) * 100
    return f"{arrow} {size:.2f} pp" if unit == "ratio" else f"{arrow} {size:.1f}%"


def tile_tone(change: float | None, better: Literal["up", "down"] | None) -> str:
    """``good`` or ``bad`` when the figure has a better direction and moved, else nothing."""
    if not change or better is None:
        return ""
    return "good" if (change > 0) == (better == "up") else "bad"


def shown(instant: datetime | None, pattern: str) -> str:
    """An instant in the console's zone."""
    return NOTHING if instant is None else instant.astimezone(DISPLAY_ZONE).strftime(pattern)


def when_shortly(instant: datetime | None) -> str:
    """``11-20 09:04``, for queues."""
    return shown(instant, "%m-%d %H:%M")


def when_fully(instant: datetime | None) -> str:
    """``2026-11-20 09:04``."""
    return shown(instant, "%Y-%m-%d %H:%M")


def day(value: datetime | date | None) -> str:
    """``2026-11-20``."""
    return shown(value, "%Y-%m-%d") if isinstance(value, datetime) or value is None else value.isoformat()


def business_day(now: datetime) -> date:
    """Which day it is where the console is read."""
    return now.astimezone(DISPLAY_ZONE).date()


def _decimals(scaled: float) -> int:
    return 2 if abs(scaled) < 10 else 1 if abs(scaled) < 1000 else 0
