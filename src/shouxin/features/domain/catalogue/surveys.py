"""What a customer answers when customer service asks."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation
from shouxin.features.domain.catalogue.pieces import NULL, at_most, count, feature, number, of, since_latest
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.SURVEY)
_ANSWERED = ("survey_answered",)
_SATISFACTION = number("satisfaction")
_UNHAPPY = 2


def surveys() -> tuple[FeatureDefinition, ...]:
    """Satisfaction, loyalty, and whether they answer at all."""
    last = partial(of, Aggregation.LATEST, _ANSWERED, 730)
    mean = of(Aggregation.MEAN, _ANSWERED, 730, field=_SATISFACTION)
    return (
        _about(
            "last_satisfaction", last(field=_SATISFACTION), "最近一次满意度",
            "satisfaction told last, within two years", "1 to 5", missing=NULL,
        ),
        _about(
            "mean_satisfaction_730d", mean, "近两年平均满意度", "mean satisfaction told within two years",
            "1 to 5", missing=NULL,
        ),
        _about(
            "last_loyalty", last(field=number("loyalty")), "最近一次忠诚度",
            "loyalty told last, within two years", "1 to 5", missing=NULL,
        ),
        _about(
            "last_recommendation", last(field=number("likely_to_recommend")), "最近一次推荐意愿",
            "how likely to recommend, told last, within two years", "0 to 10", missing=NULL,
        ),
        _about(
            "unhappy_answers_730d", count(_ANSWERED, 730, at_most(_SATISFACTION, _UNHAPPY)),
            "近两年不满意答卷数", "answers with low satisfaction within two years", "answers",
        ),
        _about(
            "survey_answers_730d", count(_ANSWERED, 730), "近两年回答问卷次数",
            "surveys answered within two years", "answers",
        ),
        _about(
            "days_since_survey", since_latest(_ANSWERED), "距上次回答问卷天数",
            "days since a survey was last answered", "days", missing=NULL,
        ),
    )  # fmt: skip
