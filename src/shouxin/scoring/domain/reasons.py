"""Reasons: which features lowered this score, in words, the strongest first.

Law: nobody is declined without one to four specific reasons that were really used (Regulation B,
12 CFR 1002.9). A reason is a feature whose contribution against the average customer is more risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Value, category_text
from shouxin.scoring.domain.score import Contribution, Score

REASONS_MAX = 4


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its stable ``code``, ``rank`` from 1, and the points it took away (zero or below)."""

    code: str
    rank: int
    text: Bilingual
    points: int
    feature: str
    value: Value

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
    features = {feature.name: feature for feature in artefact.features}
    lowering = sorted(
        (item for item in score.contributions if item.log_odds > 0), key=lambda item: -item.log_odds
    )
    # Less than half a point is no reason, unless it is the only one there is.
    told = [item for item in lowering if item.points < 0] or lowering[:1]
    return tuple(
        _reason(features[item.feature], item, rank) for rank, item in enumerate(told[:limit], start=1)
    )


def _reason(feature: Feature, item: Contribution, rank: int) -> Reason:
    kind = _kind(feature, item.value)
    zh, en = _TEXTS[kind]
    label = feature.label
    english = label.en[:1].upper() + label.en[1:] if feature.meaning else label.en
    shown = _shown(item.value)
    text = Bilingual(zh.format(label.zh, shown), en.format(english, shown))
    return Reason(f"{feature.name}.{kind}", rank, text, item.points, feature.name, item.value)


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


def _shown(value: Value) -> str:
    """A value as a clerk reads it: whole numbers whole, others to two places that say something."""
    if value is None or isinstance(value, str):
        return value or ""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def _kind(feature: Feature, value: Value) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
        return "missing"
    if feature.type == "sequence":
        return "behaviour"
    if feature.type == "category":
        known = any(category_text(value) in group for group in feature.categories)
        return "group" if known else "unseen"
    number = float(value)
    if number in feature.special:
        return "special"
    if feature.typical is None or number == feature.typical:
        return "level"
    return "high" if number > feature.typical else "low"
