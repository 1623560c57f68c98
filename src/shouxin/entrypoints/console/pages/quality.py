"""Data quality: how good each source is, day by day, what is found most, and how fresh it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from markupsafe import Markup

from shouxin import features
from shouxin.entrypoints.console import svg
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.visit import Visit, address
from shouxin.entrypoints.console.visits import shows
from shouxin.features import FeatureSkew, SkewReport
from shouxin.governance import Permission
from shouxin.ingestion import quality
from shouxin.ingestion.domain.quality import FAIR_BP, FULL_BP, GOOD_BP
from shouxin.ingestion.quality import RULES, WEIGHTS_BP, QualityDay, QualityScore, Rule, SourceQuality
from shouxin.kernel import Bilingual

_DAYS = 30
_FINDINGS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class FindingView:
    """Rows of all sources in which a rule found something, and where the refused ones wait."""

    rule: Rule
    rows: int
    link: str


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source as a row of the table."""

    of: SourceQuality
    tone: str
    strip: Markup
    worst: str
    silent: timedelta | None


@dataclass(frozen=True, slots=True)
class SkewView:
    """A feature whose values differ; ``largest`` is empty where one of two was missing."""

    of: FeatureSkew
    meaning: Bilingual
    largest: str


@shows("/quality", needs=Permission.QUALITY_READ)
def data_quality(visit: Visit) -> Response[Any]:
    """The score of every source in the last thirty days."""
    sources = quality.source_quality(visit.db, now=visit.now)
    skew = features.latest_skew(visit.db)
    return page(
        visit,
        "quality.html",
        here="quality",
        sources=[_source_view(visit, one) for one in sources],
        findings=_findings(sources),
        weights={dimension: weight / FULL_BP for dimension, weight in WEIGHTS_BP.items()},
        days=_DAYS,
        balance=quality.balance(visit.db),
        skew=skew,
        skewed=_skewed(skew),
    )


def _skewed(report: SkewReport | None) -> list[SkewView]:
    """The features that differ most."""
    found = [one for one in report.features if one.unequal] if report else []
    meanings = {definition.name: definition.meaning for definition in features.CATALOGUE}
    return [
        SkewView(
            one,
            meanings.get(one.name, Bilingual(one.name, one.name)),
            f"{one.largest:.6g}" if math.isfinite(one.largest) else "",
        )
        for one in sorted(found, key=lambda one: (-one.unequal, one.name))[:_FINDINGS_SHOWN]
    ]


def tone_of(score: QualityScore | None) -> str:
    """Green, amber or red by the score's band; nothing for a day without rows."""
    if score is None:
        return ""
    return "good" if score.total_bp >= GOOD_BP else "warn" if score.total_bp >= FAIR_BP else "bad"


def _source_view(visit: Visit, one: SourceQuality) -> SourceView:
    score = one.total.score
    assert score is not None, "a source that is shown sent something"
    worst = min(score.parts_bp, key=lambda dimension: score.parts_bp[dimension])
    heard = one.freshness
    return SourceView(
        one,
        tone_of(score),
        _strip(visit, one),
        str(worst) if score.parts_bp[worst] < FULL_BP else "",
        visit.now - heard.last_arrival if heard else None,
    )


def _strip(visit: Visit, one: SourceQuality) -> Markup:
    """A cell a day, the newest at the right."""
    today = visit.now.astimezone(UTC).date()
    by_day: dict[Any, QualityDay] = {found.day: found for found in one.days}
    cells = []
    for days_ago in range(_DAYS - 1, -1, -1):
        day = today - timedelta(days=days_ago)
        score = by_day[day].score if day in by_day else None
        told = f"{score.total_bp / 100:.2f}%" if score else visit.word("quality.silent")
        cells.append((f"{day.isoformat()} {told}", tone_of(score)))
    return svg.heat_strip(cells, title=visit.word("quality.strip", source=one.source))


def _findings(sources: list[SourceQuality]) -> list[FindingView]:
    """The rules that found most; those that refuse lead to the desk."""
    rows: dict[str, int] = {}
    for one in sources:
        for code, found in one.total.findings.items():
            rows[code] = rows.get(code, 0) + found
    ranked = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    return [
        FindingView(
            RULES[code], found, address("/quarantine", {"rule": code}) if RULES[code].is_refusal else ""
        )
        for code, found in ranked[:_FINDINGS_SHOWN]
        if code in RULES
    ]


HANDLERS: tuple[HTTPRouteHandler, ...] = (data_quality,)
