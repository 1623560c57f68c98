"""Line and Report: our number, the peer's, their ratio, and whether the goal is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_KEPT: dict[str, Callable[[float, float], bool]] = {
    "<=": lambda value, goal: value <= goal,
    ">=": lambda value, goal: value >= goal,
}


class UnableToBench(ValueError):
    """There is no benchmark of this name, or what it needs is not here."""


@dataclass(frozen=True, slots=True)
class Line:
    """One measure. ``goal`` is of ``of`` ("ours" or "ratio"), kept when that is ``keeps`` ("<=", ">=") it.

    ``peer`` is None where there is none or it is not installed; ``note`` says what was measured and how.
    ``low`` and ``high`` are the 95 % interval of an estimate.
    """

    name: str
    ours: float
    unit: str
    peer: float | None = None
    goal: float | None = None
    of: str = "ours"
    keeps: str = "<="
    note: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is kept; None without a goal, or when its peer is not here."""
        value = self.ours if self.of == "ours" else self.ratio
        return None if self.goal is None or value is None else _KEPT[self.keeps](value, self.goal)

    @property
    def rule(self) -> str:
        """The goal in words: what must be at least or at most what."""
        return "" if self.goal is None else f"{self.of} {self.keeps} {self.goal:g}"

    def as_data(self) -> dict[str, Any]:
        """A JSON object; figures with six digits that mean something."""
        return {
            "name": self.name,
            "ours": _rounded(self.ours),
            "peer": _rounded(self.peer),
            "ratio": _rounded(self.ratio),
            "goal": self.goal,
            "met": self.met,
            "unit": self.unit,
            "rule": self.rule,
            "note": self.note,
        } | ({} if self.low is None else {"low": _rounded(self.low), "high": _rounded(self.high)})


@dataclass(frozen=True, slots=True)
class Report:
    """The lines of one benchmark, and what else it tells. It is met when no line with a goal misses it."""

    name: str
    lines: tuple[Line, ...]
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether no goal that could be judged is missed."""
        return all(line.met is not False for line in self.lines)

    def as_data(self) -> dict[str, Any]:
        """A JSON object."""
        lines = [line.as_data() for line in self.lines]
        return {"name": self.name, **self.beside, "lines": lines, "met": self.met}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
