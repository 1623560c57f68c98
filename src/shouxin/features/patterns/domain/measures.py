"""What a rule "who has these items has that event" is worth, each figure with its 95 % interval.

Agrawal, Srikant (1994) for support and confidence; Brin et al. (1997) for lift and conviction;
Piatetsky-Shapiro (1991) for leverage. Intervals of shares are Wilson's; the others come from the delta
method on the multinomial counts, lift and conviction on their logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import hypergeom

_Z = 1.959964
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A value between ``low`` and ``high`` (95 %)."""

    value: float
    low: float
    high: float

    def as_data(self) -> list[float | None]:
        """``[value, low, high]`` to six digits; null where there is no bound."""
        return [round(x, _DIGITS) if math.isfinite(x) else None for x in (self.value, self.low, self.high)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Counts behind a rule: of ``rows`` customers, those with the items, with the event, with both."""

    rows: int
    with_items: int
    events: int
    both: int

    def __post_init__(self) -> None:
        assert 0 <= self.both <= min(self.with_items, self.events) <= self.rows, self

    @property
    def support(self) -> Figure:
        """The share of customers with items and event."""
        return wilson(self.both, self.rows)

    @property
    def confidence(self) -> Figure:
        """The share of those with the items who had the event."""
        return wilson(self.both, self.with_items)

    @property
    def lift(self) -> Figure:
        """How many times as often the event came as among everybody."""
        return _ratio(self.both, self.with_items, self.events, self.rows)

    @property
    def leverage(self) -> Figure:
        """The share with both beyond what chance would bring together."""
        n, a, b = self.rows, self.with_items / self.rows, self.events / self.rows
        ab = self.both / n
        variance = (
            ab * (1 - ab) + b * b * a * (1 - a) + a * a * b * (1 - b)
            - 2 * b * ab * (1 - a) - 2 * a * ab * (1 - b) + 2 * a * b * (ab - a * b)
        ) / n  # fmt: skip
        spread = _Z * math.sqrt(max(variance, 0.0))
        value = ab - a * b
        return Figure(value, value - spread, value + spread)

    @property
    def conviction(self) -> Figure:
        """How many times as often the rule would be wrong by chance: one by the lift of the opposite."""
        wrong = _ratio(self.with_items - self.both, self.with_items, self.rows - self.events, self.rows)
        return Figure(_inverse(wrong.value), _inverse(wrong.high), _inverse(wrong.low))

    @property
    def p_value(self) -> float:
        """How often chance brings at least so many together (Fisher's exact test, one-sided)."""
        return float(hypergeom.sf(self.both - 1, self.rows, self.events, self.with_items))

    def as_data(self) -> dict[str, Any]:
        """Counts and figures as JSON data."""
        figures = ("support", "confidence", "lift", "leverage", "conviction")
        return {
            "rows": self.rows,
            "with_items": self.with_items,
            "events": self.events,
            "both": self.both,
            **{name: getattr(self, name).as_data() for name in figures},
        }


def wilson(count: int, total: int) -> Figure:
    """A share with Wilson's interval (1927); of nothing it may be anything."""
    if total == 0:
        return Figure(0.0, 0.0, 1.0)
    share, z2 = count / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    spread = _Z * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    return Figure(share, max(0.0, min(middle - spread, share)), min(1.0, max(middle + spread, share)))


def within_false_discovery(p_values: Sequence[float], *, tests: int, rate: float) -> list[bool]:
    """Which findings stand when ``rate`` of them may be false (Benjamini, Hochberg 1995)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    last = max((k for k, i in enumerate(order, 1) if p_values[i] <= rate * k / tests), default=0)
    kept = set(order[:last])
    return [i in kept for i in range(len(p_values))]


def each_certain(p_values: Sequence[float], *, level: float) -> list[bool]:
    """Which findings stand when the chance of a single false one is ``level`` (Holm 1979)."""
    kept: set[int] = set()
    for k, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[i] > level / (len(p_values) - k):
            break
        kept.add(i)
    return [i in kept for i in range(len(p_values))]


def _ratio(both: int, ones: int, others: int, rows: int) -> Figure:
    """both * rows / (ones * others) with an interval on its logarithm."""
    if not (ones and others):
        return Figure(math.nan, 0.0, math.inf)
    value = both * rows / (ones * others)
    if both == 0:
        # Nothing was seen together: three at most would have been missed with 5 % (rule of three).
        return Figure(0.0, 0.0, 3 * rows / (ones * others))
    a, b, ab = ones / rows, others / rows, both / rows
    variance = (1 / ab - 1 / a - 1 / b - 1 + 2 * ab / (a * b)) / rows
    spread = _Z * math.sqrt(max(variance, 0.0))
    return Figure(value, value * math.exp(-spread), value * math.exp(spread))


def _inverse(value: float) -> float:
    if value == 0:
        return math.inf
    return 0.0 if math.isinf(value) else 1 / value
