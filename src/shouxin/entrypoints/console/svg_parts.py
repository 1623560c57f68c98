"""The parts that charts are made of: a plot area, axes, paths, and the frame with its title."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_LABELS_MAX = 12
# About how wide a character of the charts' 11 px type is; those of Chinese are square.
_LATIN, _WIDE = 5.3, 11.0


@dataclass(frozen=True, slots=True)
class Plot:
    """Where a chart draws (in its own units), and which values its bottom and its top stand for."""

    left: float
    top: float
    width: float
    height: float
    low: float
    high: float

    def x(self, index: int, count: int) -> float:
        """The place of point ``index`` of ``count`` that are spread over the whole width."""
        return self.left + self.width * index / max(count - 1, 1)

    def y(self, value: float) -> float:
        """The height at which ``value`` stands; SVG counts downwards."""
        return self.top + self.height * (1 - (value - self.low) / (self.high - self.low))


def number(value: float) -> str:
    """A coordinate with one decimal at most: a page of charts stays small."""
    return f"{value:.1f}".removesuffix(".0")


def text(content: str, *, x: float, y: float, css: str, anchor: str = "start") -> str:
    """One piece of text; its size and colour come from the class."""
    return (
        f'<text class="{css}" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">{escape(content)}</text>'
    )


def line_path(points: Sequence[tuple[float, float]]) -> str:
    """The ``d`` of a line through ``points``."""
    return "M" + " L".join(f"{number(x)} {number(y)}" for x, y in points)


def nice_ceiling(value: float) -> float:
    """The smallest of 1, 1.2, 1.6, 2, 3, 4, 6, 8, 10 times a power of ten that is not below ``value``.

    Each divides by four into ticks that a person can read.
    """
    if value < 1e-9:  # nothing that anybody could see
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    for step in (1, 1.2, 1.6, 2, 3, 4, 6, 8):
        if value <= step * power * (1 + 1e-9):
            return step * power
    return 10 * power


def tick_text(value: float) -> str:
    """An axis label: thousands separated, and decimals only where the step needs them."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}".rstrip("0")


def grid(plot: Plot, *, steps: int) -> str:
    """Horizontal lines and their labels from the bottom of ``plot`` to its top."""
    parts = []
    for i in range(steps + 1):
        value = plot.low + (plot.high - plot.low) * i / steps
        y = plot.y(value)
        parts.append(f'<path class="gridline" d="M{number(plot.left)} {number(y)} h{number(plot.width)}"/>')
        parts.append(text(tick_text(value), x=plot.left - 8, y=y + 4, css="tick", anchor="end"))
    return "".join(parts)


def axis_labels(plot: Plot, labels: Sequence[str]) -> str:
    """Labels below the plot, thinned until they do not touch; the first and last lean inwards."""
    parts = []
    room = 6 * max((len(label) for label in labels), default=1) + 22
    for i in thinned(len(labels), most=min(_LABELS_MAX, int(plot.width // room))):
        anchor = "middle" if len(labels) == 1 or 0 < i < len(labels) - 1 else "start" if i == 0 else "end"
        x = plot.x(i, len(labels)) if len(labels) > 1 else plot.left + plot.width / 2
        parts.append(text(labels[i], x=x, y=plot.top + plot.height + 18, css="tick", anchor=anchor))
    return "".join(parts)


def thinned(count: int, *, most: int) -> list[int]:
    """At most ``most`` indices, evenly apart, that end with the newest."""
    step = max(1, math.ceil(count / max(most, 1)))
    return sorted(range(count - 1, -1, -step))


def fold(label: str, *, width: float) -> list[str]:
    """``label`` in one or two lines of ``width``; what still does not fit ends in an ellipsis."""
    if _breadth(label) <= width:
        return [label]
    end = _fitting(label, width=width)
    # Between words where there are any; Chinese breaks anywhere.
    space = label.rfind(" ", 0, end + 1)
    first = label[: space if space > 0 else end]
    rest = label[len(first) :].lstrip()
    if _breadth(rest) > width:
        rest = rest[: _fitting(rest, width=width - _WIDE)] + "…"
    return [first, rest]


def _fitting(label: str, *, width: float) -> int:
    """How many characters of ``label`` stand in ``width``, at least one."""
    return next((n for n in range(len(label), 1, -1) if _breadth(label[:n]) <= width), 1)


def _breadth(label: str) -> float:
    return sum(_LATIN if ord(character) < 0x2E80 else _WIDE for character in label)


def wrap(body: str, *, title: str, width: int, height: int, css: str, stretched: bool = False) -> Markup:
    """The frame of a chart: an image with a title that screen readers speak."""
    ratio = ' preserveAspectRatio="none"' if stretched else ""
    # The parts escaped what they were given; what is joined here is markup already.
    return Markup(  # noqa: S704
        f'<svg class="{css}" viewBox="0 0 {width} {height}" role="img"{ratio}>'
        f"<title>{escape(title)}</title>{body}</svg>"
    )
