"""Charts as SVG text: numbers in, markup out. Pure, so a chart is a test case and not a script.

Colours and sizes of type come from classes in ``console.css`` and places from presentation
attributes, because the content security policy allows no inline style. Every chart has a title;
the page puts a data table beside those that carry more than one figure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

from shouxin.entrypoints.console.svg_parts import (
    Plot,
    axis_labels,
    fold,
    grid,
    line_path,
    nice_ceiling,
    number,
    text,
    wrap,
)

__all__ = [
    "Band",
    "Series",
    "area_chart",
    "bar_chart",
    "contribution_chart",
    "gauge",
    "heat_strip",
    "meter",
    "score_chart",
    "share_bar",
    "sparkline",
]


@dataclass(frozen=True, slots=True)
class Series:
    """One layer of a stacked chart; ``tone`` is the class that colours it."""

    name: str
    tone: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the score axis that belongs to one grade, ``low`` to ``high``."""

    grade: str
    low: float
    high: float


def sparkline(values: Sequence[float], *, title: str, width: int = 150, height: int = 40) -> Markup:
    """A small filled line with a dot at its newest value; an empty sequence draws nothing."""
    if not values:
        return Markup("")
    low, high = min(values), max(values)
    plot = Plot(
        left=2, top=4, width=width - 8, height=height - 8, low=low, high=high if high > low else low + 1
    )
    series = list(values) if len(values) > 1 else [values[0], values[0]]
    points = [(plot.x(i, len(series)), plot.y(value)) for i, value in enumerate(series)]
    line = line_path(points)
    floor = number(height)
    area = f"{line} L{number(points[-1][0])} {floor} L{number(points[0][0])} {floor} Z"
    last_x, last_y = points[-1]
    body = (
        f'<path class="spark-area" d="{area}"/><path class="spark-line" d="{line}"/>'
        f'<circle class="spark-dot" cx="{number(last_x)}" cy="{number(last_y)}" r="3"/>'
    )
    return wrap(body, title=title, width=width, height=height, css="spark")


def area_chart(
    labels: Sequence[str], series: Sequence[Series], *, title: str, width: int = 730, height: int = 250
) -> Markup:
    """Stacked areas over time, the first series at the bottom; ``labels`` name the points of time."""
    count = len(labels)
    assert all(len(item.values) == count for item in series), "every layer has a value for every label"
    if count == 0:
        return Markup("")
    top = nice_ceiling(max(sum(item.values[i] for item in series) for i in range(count)))
    plot = Plot(left=44, top=10, width=width - 54, height=height - 36, low=0.0, high=top)
    parts = [grid(plot, steps=4)]
    below = [0.0] * count
    for item in series:
        above = [base + value for base, value in zip(below, item.values, strict=True)]
        upper = _points(plot, above)
        lower = list(reversed(_points(plot, below)))
        outline = " L".join(f"{number(x)} {number(y)}" for x, y in [*upper, *lower])
        parts.append(
            f'<path class="area {item.tone}" d="M{outline} Z"><title>{escape(item.name)}</title></path>'
        )
        below = above
    parts.append(axis_labels(plot, labels))
    return wrap("".join(parts), title=title, width=width, height=height, css="chart")


def bar_chart(bars: Sequence[tuple[str, int]], *, title: str, width: int = 360, height: int = 260) -> Markup:
    """One upright bar a grade, in the colour of the grade, with its count on top."""
    top = max((count for _, count in bars), default=0) or 1
    slot = width / max(len(bars), 1)
    floor = height - 26
    parts = []
    for i, (grade, count) in enumerate(bars):
        tall = (floor - 26) * count / top
        middle = slot * (i + 0.5)
        parts.append(
            f'<rect class="grade-{escape(grade)}" x="{number(middle - slot * 0.3)}" '
            f'y="{number(floor - tall)}" width="{number(slot * 0.6)}" height="{number(tall)}" rx="2"/>'
            + text(f"{count:,}", x=middle, y=floor - tall - 8, css="bar-value", anchor="middle")
            + text(grade, x=middle, y=height - 8, css="bar-name", anchor="middle")
        )
    parts.append(f'<path class="axis" d="M0 {number(floor)} H{width}"/>')
    return wrap("".join(parts), title=title, width=width, height=height, css="chart")


def gauge(score: float, bands: Sequence[Band], *, title: str, width: int = 220, height: int = 136) -> Markup:
    """A half circle in the colours of the grades with a needle at ``score``, which stands in the middle."""
    assert bands, "a gauge needs at least one band"
    bands = _reaching(bands, score, score)
    low, high = bands[0].low, bands[-1].high
    centre, base, radius = width / 2, height - 22, width / 2 - 16

    def angle(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return math.pi * (1 - share)

    def at(value: float, distance: float) -> str:
        turn = angle(value)
        return f"{number(centre + distance * math.cos(turn))} {number(base - distance * math.sin(turn))}"

    parts = [
        f'<path class="arc grade-line-{escape(band.grade)}" '
        f'd="M{at(band.low, radius)} A{number(radius)} {number(radius)} 0 0 1 {at(band.high, radius)}"/>'
        for band in bands
        if band.high > band.low
    ]
    parts.append(f'<path class="needle" d="M{at(score, radius - 17)} L{at(score, radius + 11)}"/>')
    parts.append(text(f"{score:.0f}", x=centre, y=base - 10, css="gauge-score", anchor="middle"))
    parts.append(text(f"{low:.0f}", x=centre - radius, y=base + 16, css="tick", anchor="middle"))
    parts.append(text(f"{high:.0f}", x=centre + radius, y=base + 16, css="tick", anchor="middle"))
    return wrap("".join(parts), title=title, width=width, height=height, css="chart gauge")


def score_chart(
    labels: Sequence[str],
    scores: Sequence[float],
    bands: Sequence[Band],
    *,
    title: str,
    width: int = 390,
    height: int = 170,
) -> Markup:
    """The score over time on a ground tinted by grade; one point is drawn as a dot."""
    if not scores:
        return Markup("")
    low, high = _score_window(scores)
    plot = Plot(left=34, top=8, width=width - 44, height=height - 32, low=low, high=high)
    parts = [_band(plot, band) for band in _reaching(bands, low, high) if band.high > low and band.low < high]
    parts += [
        text(f"{value:.0f}", x=plot.left - 6, y=plot.y(value) + 4, css="tick", anchor="end")
        for value in (low, (low + high) / 2, high)
    ]
    points = _points(plot, scores)
    parts.append(f'<path class="score-line" d="{line_path(points)}"/>')
    parts += [f'<circle class="score-dot" cx="{number(x)}" cy="{number(y)}" r="2"/>' for x, y in points[:-1]]
    last_x, last_y = points[-1]
    parts.append(f'<circle class="score-dot" cx="{number(last_x)}" cy="{number(last_y)}" r="4"/>')
    parts.append(axis_labels(plot, labels))
    return wrap("".join(parts), title=title, width=width, height=height, css="chart")


def contribution_chart(bars: Sequence[tuple[str, int]], *, title: str, width: int = 440) -> Markup:
    """Points taken (left, red) and added (right, green), one row a reason, in the order given."""
    if not bars:
        return Markup("")
    label_width, room = width * 0.5, width * 0.5 - 72
    folded = [fold(label, width=label_width) for label, _ in bars]
    row = 27 if all(len(lines) == 1 for lines in folded) else 33
    taken = max((-points for _, points in bars if points < 0), default=0)
    added = max((points for _, points in bars if points > 0), default=0)
    scale = room / max(taken + added, 1)
    zero = label_width + 36 + taken * scale
    height = row * len(bars) + 6
    parts = [f'<path class="axis" d="M{number(zero)} 0 V{height}"/>']
    for i, (_, points) in enumerate(bars):
        middle, wide = row * i + 17, abs(points) * scale
        left = zero if points >= 0 else zero - wide
        tone = "good" if points >= 0 else "bad"
        place, anchor = (zero + wide + 5, "start") if points >= 0 else (zero - wide - 5, "end")
        first = middle + 4 - 6.5 * (len(folded[i]) - 1)
        parts += [text(line, x=0, y=first + 13 * k, css="bar-label") for k, line in enumerate(folded[i])]
        parts.append(
            f'<rect class="bar-{tone}" x="{number(left)}" y="{middle - 8}" '
            f'width="{number(max(wide, 1))}" height="16" rx="2"/>'
        )
        parts.append(text(f"{points:+d}", x=place, y=middle + 4, css="bar-points", anchor=anchor))
    return wrap("".join(parts), title=title, width=width, height=height, css="chart")


def meter(share: float, *, title: str, width: int = 320, height: int = 8) -> Markup:
    """How much of a line is used, 0 to 1: green, amber from 80 %, red from 95 %."""
    tone = "bad" if share >= 0.95 else "warn" if share >= 0.8 else "good"
    return _bar(share, tone, title=title, width=width, height=height)


def share_bar(share: float, *, title: str, width: int = 320, height: int = 8) -> Markup:
    """A share of a whole, 0 to 1, without a judgement of it."""
    return _bar(share, "plain", title=title, width=width, height=height)


def _bar(share: float, tone: str, *, title: str, width: int, height: int) -> Markup:
    full = min(max(share, 0.0), 1.0)
    body = (
        f'<rect class="meter-ground" width="{width}" height="{height}" rx="4"/>'
        f'<rect class="meter-{tone}" width="{number(width * full)}" height="{height}" rx="4"/>'
    )
    return wrap(body, title=title, width=width, height=height, css="meter", stretched=True)


def heat_strip(cells: Sequence[tuple[str, str]], *, title: str, width: int = 240, height: int = 16) -> Markup:
    """One cell a day, coloured by its tone (good, warn, bad; '' for no value), each with its own title."""
    if not cells:
        return Markup("")
    slot = width / len(cells)
    body = "".join(
        f'<rect class="meter-{escape(tone or "ground")}" x="{number(slot * i)}" width="{number(slot - 1)}" '
        f'height="{height}" rx="2"><title>{escape(told)}</title></rect>'
        for i, (told, tone) in enumerate(cells)
    )
    return wrap(body, title=title, width=width, height=height, css="strip")


def _points(plot: Plot, values: Sequence[float]) -> list[tuple[float, float]]:
    series = list(values) if len(values) > 1 else [values[0], values[0]]
    return [(plot.x(i, len(series)), plot.y(value)) for i, value in enumerate(series)]


def _score_window(scores: Sequence[float]) -> tuple[float, float]:
    """A window in steps of 20 points that holds every score and is never narrower than 80."""
    low = math.floor((min(scores) - 10) / 20) * 20
    high = math.ceil((max(scores) + 10) / 20) * 20
    return float(low), float(max(high, low + 80))


def _reaching(bands: Sequence[Band], low: float, high: float) -> list[Band]:
    """The bands with the outer two, which have no bound of their own, drawn out to ``low`` and ``high``."""
    reaching = list(bands)
    if reaching:
        reaching[0] = replace(reaching[0], low=min(reaching[0].low, low))
        reaching[-1] = replace(reaching[-1], high=max(reaching[-1].high, high))
    return reaching


def _band(plot: Plot, band: Band) -> str:
    top, bottom = plot.y(min(band.high, plot.high)), plot.y(max(band.low, plot.low))
    ground = (
        f'<rect class="ground-{escape(band.grade)}" x="{number(plot.left)}" y="{number(top)}" '
        f'width="{number(plot.width)}" height="{number(bottom - top)}"/>'
    )
    right = plot.left + plot.width - 5
    name = text(band.grade, x=right, y=top + 12, css="tick", anchor="end") if bottom - top >= 14 else ""
    return ground + name
