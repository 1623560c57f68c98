"""Reasons: which features lowered this score, in words, the strongest first.

Law: nobody is declined without one to four specific reasons that were really used (Regulation B,
12 CFR 1002.9). A reason is a feature whose contribution against the average customer is more risk. Features
of one topic (``reason_families``) are one reason: the strongest leads, the others are named with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Value, category_text
from shouxin.scoring.domain.score import Contribution, Score, plan_of

REASONS_MAX = 4
# A reason names so many features beside the one that leads; more than that nobody reads.
_OTHERS_MAX = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its stable ``code``, ``rank`` from 1, and the points it took away (zero or below).

    ``feature`` and ``value`` are those of the feature that leads; ``others`` are the features told with it,
    whose points are counted in, and ``topic`` is what they are all about, where that is known.
    """

    code: str
    rank: int
    text: Bilingual
    points: int
    feature: str
    value: Value
    topic: str | None = None
    others: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """The shape of the decision answer; NaN is told as null."""
        missing = self.value is None or self.value != self.value
        return {
            "code": self.code,
            "rank": self.rank,
            "text": self.text.as_data(),
            "points": self.points,
            "feature": self.feature,
            "value": None if missing else self.value,
        }


def reasons(artefact: Artefact, score: Score, *, limit: int = REASONS_MAX) -> tuple[Reason, ...]:
    """Up to ``limit`` (1-4) reasons that lowered ``score``; none where nothing did.

    A score below the average customer's always has one: contributions add up to the difference.
    """
    assert 1 <= limit <= REASONS_MAX, limit
    features = plan_of(artefact).features
    lowering = sorted(
        (item for item in score.contributions if item.log_odds > 0), key=lambda item: -item.log_odds
    )
    # Less than half a point is no reason, unless it is the only one there is.
    told = [item for item in lowering if item.points < 0] or lowering[:1]
    families: dict[str, list[Contribution]] = {}
    for item in told:
        families.setdefault(_topic(features[item.feature]) or f"={item.feature}", []).append(item)
    strongest = sorted(families.values(), key=lambda family: -sum(item.log_odds for item in family))
    return tuple(_reason(features, family, rank) for rank, family in enumerate(strongest[:limit], start=1))


def _topic(feature: Feature) -> str | None:
    return feature.topic if isinstance(feature.topic, str) else None


def _reason(features: Mapping[str, Feature], family: Sequence[Contribution], rank: int) -> Reason:
    """One reason for the contributions of one family, the strongest first."""
    lead, *others = family
    feature = features[lead.feature]
    kind = kind_of(feature, lead.value)
    text = reason_text(feature, kind, lead.value)
    if others:
        labels = [features[item.feature].label for item in others[:_OTHERS_MAX]]
        text = Bilingual(
            f"{text.zh}（另有：{'、'.join(label.zh for label in labels)}）",
            f"{text.en} (also: {', '.join(label.en for label in labels)})",
        )
    return Reason(
        f"{feature.name}.{kind}",
        rank,
        text,
        sum(item.points for item in family),
        lead.feature,
        lead.value,
        _topic(feature),
        tuple(item.feature for item in others),
    )


def reason_text(feature: Feature, kind: str, value: Value) -> Bilingual:
    """The text of a reason: what the feature is, what was found, and what is unusual about it."""
    zh, en = _TEXTS[kind]
    label = feature.label
    english = label.en[:1].upper() + label.en[1:] if feature.meaning else label.en
    shown = _shown(value)
    return Bilingual(zh.format(label.zh, shown), en.format(english, shown))


# What was found stands in the text: "higher than usual" alone gives nobody anything to check.
_TEXTS = {
    "high": ("{}为 {}，高于常见水平", "{}: {}, higher than usual"),
    "low": ("{}为 {}，低于常见水平", "{}: {}, lower than usual"),
    "level": ("{}为 {}，处于风险较高的水平", "{}: {}, a level that goes with more risk"),
    "missing": ("{}：无记录", "{}: not on record"),
    "special": ("{}为特殊代码 {}，风险较高", "{}: special code {}, which goes with more risk"),
    "group": ("{}为“{}”，属于风险较高的类别", "{}: {}, a group that goes with more risk"),
    "behaviour": ("{}的先后顺序显示较高风险", "{}: what happened, in its order, goes with more risk"),
    "unseen": ("{}为“{}”，是未见过的类别", "{}: {}, a group that was not seen before"),
}


REASON_KINDS = tuple(_TEXTS)


def _shown(value: Value) -> str:
    """A value as a clerk reads it: whole numbers whole, others to two places that say something."""
    if value is None or isinstance(value, str):
        return value or ""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def kind_of(feature: Feature, value: Value) -> str:
    """What is unusual about the value: one of REASON_KINDS."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
        return "missing"
    if feature.type == "sequence":
        return "behaviour"
    if feature.type == "category":
        known = any(category_text(value) in group for group in feature.categories)
        return "group" if known else "unseen"
    number = float(value)
    if number != number:  # noqa: PLR0124 - a text that says nan
        return "missing"
    if number in feature.special:
        return "special"
    if feature.typical is None or number == feature.typical:
        return "level"
    return "high" if number > feature.typical else "low"
