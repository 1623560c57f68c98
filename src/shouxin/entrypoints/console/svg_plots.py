"""Plots of two axes that begin at nothing: curves on the unit square, and foretold against observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from shouxin.entrypoints.console.svg_parts import (
    Plot,
    grid,
    line_path,
    nice_ceiling,
    number,
    text,
    tick_text,
    wrap,
)

_STEPS = 4


@dataclass(frozen=True, slots=True)
class Dot:
    """One bin: what was foretold, and what was observed with its interval."""

    foretold: float
    observed: float
    low: float
    high: float


def curve_chart(
    points: Sequence[tuple[float, float]],
    *,
    title: str,
    across: str,
    up: str,
    width: int = 340,
    height: int = 300,
) -> Markup:
    """A curve from (0, 0) to (1, 1) above the diagonal of chance; fewer than two points draw nothing."""
    if len(points) < 2:
        return Markup("")
    plot = _square(width, height, top=1.0)
    path = line_path([(_x(plot, x), plot.y(y)) for x, y in points])
    body = f'{_frame(plot, across=across, up=up)}<path class="score-line" d="{path}"/>'
    return wrap(body, title=title, width=width, height=height, css="chart")


def calibration_chart(
    dots: Sequence[Dot], *, title: str, across: str, up: str, width: int = 340, height: int = 300
) -> Markup:
    """A dot a bin with its interval, against the diagonal on which what is foretold happens."""
    if not dots:
        return Markup("")
    plot = _square(
        width, height, top=nice_ceiling(max(max(dot.foretold, dot.observed, dot.high) for dot in dots))
    )
    parts = [_frame(plot, across=across, up=up)]
    for dot in dots:
        x = number(_x(plot, dot.foretold))
        told = f"{dot.foretold:.4f} → {dot.observed:.4f} ({dot.low:.4f} … {dot.high:.4f})"
        parts.append(
            f'<path class="whisker" d="M{x} {number(plot.y(dot.low))} V{number(plot.y(dot.high))}"/>'
            f'<circle class="score-dot" cx="{x}" cy="{number(plot.y(dot.observed))}" r="4">'
            f"<title>{escape(told)}</title></circle>"
        )
    return wrap("".join(parts), title=title, width=width, height=height, css="chart")


def _square(width: int, height: int, *, top: float) -> Plot:
    return Plot(left=52, top=12, width=width - 70, height=height - 56, low=0.0, high=top)


def _x(plot: Plot, value: float) -> float:
    return plot.left + plot.width * value / plot.high


def _frame(plot: Plot, *, across: str, up: str) -> str:
    floor = plot.top + plot.height
    ticks = "".join(
        text(tick_text(value), x=_x(plot, value), y=floor + 16, css="tick", anchor="middle")
        for value in (plot.high * step / _STEPS for step in range(_STEPS + 1))
    )
    diagonal = line_path([(plot.left, floor), (plot.left + plot.width, plot.top)])
    names = text(across, x=plot.left + plot.width / 2, y=floor + 36, css="tick", anchor="middle")
    names += text(up, x=plot.left + 6, y=plot.top + 4, css="tick")
    return f'{grid(plot, steps=_STEPS)}{ticks}<path class="diagonal" d="{diagonal}"/>{names}'
