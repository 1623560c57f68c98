"""What a customer is to the shop as a member."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation
from shouxin.features.domain.catalogue.pieces import (
    NULL,
    count,
    feature,
    number,
    of,
    since_earliest,
    since_latest,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.MEMBERSHIP)
_CHANGED = ("membership_changed",)
_LEVEL = number("level")


def membership() -> tuple[FeatureDefinition, ...]:
    """The level, how it came, and the points."""
    now = of(Aggregation.LATEST, _CHANGED, None, field=_LEVEL)
    points = of(Aggregation.LATEST, _CHANGED, None, field=number("points"))
    return (
        _about("member_level", now, "会员等级", "level of membership", "level"),
        _about(
            "member_points", points, "上次等级变动时的积分", "points when the level last changed", "points",
        ),
        _about(
            "member_changes_365d", count(_CHANGED, 365), "近365天会员等级变动次数",
            "changes of the level in the last 365 days", "events",
        ),
        _about(
            "days_since_level_change", since_latest(_CHANGED), "距上次会员等级变动天数",
            "days since the level last changed", "days", missing=NULL,
        ),
        _about(
            "days_a_member", since_earliest(_CHANGED), "成为会员的天数",
            "days since the first level was reached", "days", missing=NULL,
        ),
    )  # fmt: skip
