"""What a customer says of what they bought: stars, and how the words sound."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    DELIVERED,
    NULL,
    at_least,
    at_most,
    count,
    distinct,
    feature,
    number,
    of,
    since_latest,
    told,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.REVIEWS)
_REVIEWED = ("review_posted",)
_RATING, _SENTIMENT = number("rating"), number("sentiment")
_LOW_STARS, _ALL_STARS = 2, 5
_SOUNDS_BAD = -30


def reviews() -> tuple[FeatureDefinition, ...]:
    """How many, how many stars, how they sound."""
    return (*_stars(), *_words())


def _stars() -> tuple[FeatureDefinition, ...]:
    low, full = at_most(_RATING, _LOW_STARS), at_least(_RATING, _ALL_STARS)
    rated = partial(of, kinds=_REVIEWED, field=_RATING)
    all_of_year = count(_REVIEWED, 365)
    return (
        _about("reviews_365d", all_of_year, "近365天评价次数", "reviews in the last 365 days", "events"),
        _about(
            "review_share_365d", Ratio(all_of_year, distinct(DELIVERED, 365)), "近365天每笔签收订单的评价数",
            "reviews for each parcel delivered, last 365 days", "ratio",
        ),
        _about(
            "mean_rating_365d", rated(Aggregation.MEAN, days=365), "近365天平均评分",
            "mean stars given in the last 365 days", "stars", missing=NULL,
        ),
        _about(
            "lowest_rating_180d", rated(Aggregation.MIN, days=180), "近180天最低评分",
            "fewest stars given in the last 180 days", "stars", missing=NULL,
        ),
        _about(
            "last_rating_365d", rated(Aggregation.LATEST, days=365), "最近一次评分",
            "stars given last, within 365 days", "stars", missing=NULL,
        ),
        _about(
            "low_rating_share_365d", Ratio(count(_REVIEWED, 365, low), all_of_year),
            "近365天差评（1至2星）占比", "share of reviews with one or two stars, last 365 days", "share",
        ),
        _about(
            "full_rating_share_365d", Ratio(count(_REVIEWED, 365, full), all_of_year), "近365天五星评价占比",
            "share of reviews with five stars, last 365 days", "share",
        ),
        _about(
            "rating_fall_180d",
            Difference(rated(Aggregation.MEAN, days=730), rated(Aggregation.MEAN, days=180)),
            "近180天平均评分较近两年的下降", "fall of the mean stars, last 180 days against two years",
            "stars",
        ),
        _about(
            "days_since_last_review", since_latest(_REVIEWED), "距上次评价天数", "days since the last review",
            "days", missing=NULL,
        ),
    )  # fmt: skip


def _words() -> tuple[FeatureDefinition, ...]:
    sound = partial(of, kinds=_REVIEWED, field=_SENTIMENT)
    heard = count(_REVIEWED, 365, told(_SENTIMENT))
    bad = at_most(_SENTIMENT, _SOUNDS_BAD)
    return (
        _about(
            "mean_sentiment_365d", sound(Aggregation.MEAN, days=365), "近365天评价文字的平均情感",
            "how reviews sound on average, last 365 days", "-100 to 100", missing=NULL,
        ),
        _about(
            "worst_sentiment_180d", sound(Aggregation.MIN, days=180), "近180天最负面评价文字的情感",
            "how the worst review of the last 180 days sounds", "-100 to 100", missing=NULL,
        ),
        _about(
            "bad_words_share_365d", Ratio(count(_REVIEWED, 365, bad), heard), "近365天文字负面的评价占比",
            "share of written reviews that sound bad, last 365 days", "share",
        ),
        _about(
            "written_review_share_365d", Ratio(heard, count(_REVIEWED, 365)), "近365天带文字的评价占比",
            "share of reviews with words, last 365 days", "share",
        ),
    )  # fmt: skip
