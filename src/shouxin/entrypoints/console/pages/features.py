"""Features: the catalogue by topic, and one page a feature."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from markupsafe import Markup

from shouxin import features, scoring
from shouxin.entrypoints.console import formats, svg
from shouxin.entrypoints.console.forms import one_of
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.visit import Refused, Visit
from shouxin.entrypoints.console.visits import shows
from shouxin.features import CATALOGUE, Direction, FeatureDefinition, Topic
from shouxin.features.domain import OWNER_WORDS, UNIT_WORDS
from shouxin.governance import Permission

_TONES = {None: "", Direction.HIGHER_IS_RISKIER: "bad", Direction.HIGHER_IS_SAFER: "good"}


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A feature as a row of the list; ``reads`` says whether the champion does."""

    definition: FeatureDefinition
    tone: str
    reads: bool


@dataclass(frozen=True, slots=True)
class SpreadRow:
    """A bin of a feature among the rows that a model was developed on; ``label`` '' is missing."""

    label: str
    share: str
    bar: Markup


@shows("/features", needs=Permission.MODELS_READ)
def catalogue(visit: Visit) -> Response[Any]:
    """The catalogue, a topic, or what is searched for."""
    topic = one_of(visit.asked("topic"), tuple(topic.value for topic in Topic)) or ""
    wanted = visit.asked("text")[:80]
    read = _champions_names(visit)
    found = [item for item in CATALOGUE if _fits(item, topic=topic, wanted=wanted)]
    return page(
        visit,
        "features.html",
        here="features",
        rows=[FeatureRow(item, _TONES[item.direction], item.name in read) for item in found],
        topics=[topic.value for topic in Topic if any(item.topic is topic for item in CATALOGUE)],
        chosen={"topic": topic, "text": wanted},
        total=len(CATALOGUE),
        catalogue_hash=features.catalogue_hash(),
    )


@shows("/features/{name:str}", needs=Permission.MODELS_READ)
def feature(visit: Visit) -> Response[Any]:
    """What one feature means, how it is computed, and how it was spread when the champion was developed."""
    named = features.definitions_of([visit.place("name")])
    if not named:
        raise Refused("not_found")
    (definition,) = named
    return page(
        visit,
        "feature.html",
        here="features",
        item=definition,
        tone=_TONES[definition.direction],
        unit=UNIT_WORDS[definition.unit],
        owner=OWNER_WORDS[definition.owner],
        told=features.told(definition.formula),
        sql=features.compiled(named, dialect="postgres"),
        spread=_spread(visit, definition.name),
        alike=[item for item in CATALOGUE if item.topic is definition.topic and item != definition],
    )


def _fits(item: FeatureDefinition, *, topic: str, wanted: str) -> bool:
    """Whether a feature is of the topic and has the text in its name or in a meaning."""
    texts = (item.name, item.meaning.zh, item.meaning.en)
    return topic in ("", item.topic) and any(wanted.lower() in text.lower() for text in texts)


def _champions_names(visit: Visit) -> tuple[str, ...]:
    champion = scoring.champion(visit.db)
    return champion.names if champion else ()


def _spread(visit: Visit, name: str) -> list[SpreadRow]:
    """The bins of the feature in the champion's development rows; none where it does not read it."""
    champion = scoring.champion(visit.db)
    report = scoring.find_report(visit.db, champion.hash) if champion else None
    if not report or "baseline" not in report:
        return []
    baseline = scoring.Baseline.from_data(report["baseline"])
    bins = next((bins for bins in baseline.features if bins.name == name), None)
    if bins is None or bins.edges is None:
        return []
    labels = [*_labels(bins.edges), ""]
    total = sum(bins.rows) or 1
    shares = {label: rows / total for label, rows in zip(labels, bins.rows, strict=True) if rows}
    return [_spread_row(label, share) for label, share in shares.items()]


def _spread_row(label: str, share: float) -> SpreadRow:
    told = formats.percent(share)
    return SpreadRow(label, told, svg.share_bar(share, title=told))


def _labels(edges: tuple[float, ...]) -> list[str]:
    """``< 2``, ``2 – 5``, ``>= 5`` for the edges 2 and 5."""
    if not edges:
        return ["–∞ – ∞"]
    texts = [f"{edge:,.6g}" for edge in edges]
    between = [f"{low} – {high}" for low, high in pairwise(texts)]
    return [f"< {texts[0]}", *between, f"≥ {texts[-1]}"]


HANDLERS: tuple[HTTPRouteHandler, ...] = (catalogue, feature)
