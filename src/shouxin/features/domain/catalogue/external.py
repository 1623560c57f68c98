"""What providers of credit data said, while it is valid, and how fresh it is.

An answer counts while it is valid and is null afterwards, as it is of whom nobody was asked about.
"""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregate, Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    CREDIT_TEAM,
    NULL,
    RISKIER,
    SAFER,
    ZERO,
    count,
    distinct,
    feature,
    number,
    of,
    says,
    since_latest,
    text,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.EXTERNAL, owner=CREDIT_TEAM, missing=NULL)
_ANSWERED = ("external_score_received",)
# An answer of a provider is a year old at most, whatever the provider says of it.
_ANSWER_DAYS = 365
_FOUND, _UNKNOWN = says("outcome", "found"), says("outcome", "unknown_person")
_SESAME = says("product", "sesame_score")


def external() -> tuple[FeatureDefinition, ...]:
    """What they say, then when and how often they were asked."""
    return (*_said(), *_asked())


def _said() -> tuple[FeatureDefinition, ...]:
    overdue, loans = _answer("bureau_report", "overdue_loans"), _answer("bureau_report", "open_loans")
    return (
        _about(
            "sesame_score", _answer("sesame_score", "score"), "芝麻类信用分（有效期内）",
            "Sesame-like score, while valid", "points", direction=SAFER,
        ),
        _about(
            "wechat_pay_score", _answer("wechat_pay_score", "score"), "微信支付类信用分（有效期内）",
            "WeChat-Pay-like score, while valid", "points", direction=SAFER,
        ),
        _about(
            "bureau_open_loans", loans, "征信报告中未结清贷款数（有效期内）",
            "open loans in the bureau report, while valid", "loans",
        ),
        _about(
            "bureau_overdue_loans", overdue, "征信报告中逾期贷款数（有效期内）",
            "overdue loans in the bureau report, while valid", "loans", direction=RISKIER,
        ),
        _about(
            "bureau_overdue_share", Ratio(overdue, loans), "征信报告中逾期贷款占比（有效期内）",
            "share of open loans that are overdue, while valid", "share", direction=RISKIER,
        ),
        _about(
            "court_records", _answer("public_records", "court_records"), "法院公开记录数（有效期内）",
            "court records in public registers, while valid", "records", direction=RISKIER,
        ),
    )  # fmt: skip


def _asked() -> tuple[FeatureDefinition, ...]:
    newest = of(Aggregation.LATEST, _ANSWERED, 730, _SESAME, field=number("score"))
    oldest = of(Aggregation.EARLIEST, _ANSWERED, 730, _SESAME, field=number("score"))
    lowest = of(Aggregation.MIN, _ANSWERED, 730, _SESAME, field=number("score"))
    return (
        _about(
            "sesame_score_rise_730d", Difference(newest, oldest), "近两年芝麻类信用分的变化",
            "rise of the Sesame-like score within two years", "points", direction=SAFER,
        ),
        _about(
            "lowest_sesame_score_730d", lowest, "近两年最低芝麻类信用分",
            "lowest Sesame-like score within two years", "points", direction=SAFER,
        ),
        _about(
            "sesame_score_age_days", since_latest(_ANSWERED, _SESAME, _FOUND), "芝麻类信用分的时效（天）",
            "age of the Sesame-like score", "days",
        ),
        _about(
            "days_since_external_answer", since_latest(_ANSWERED), "距上次外部查询天数",
            "days since a provider last answered", "days",
        ),
        _about(
            "external_answers_365d", count(_ANSWERED, 365), "近365天外部查询次数",
            "answers of providers in the last 365 days", "answers", missing=ZERO,
        ),
        _about(
            "unknown_to_providers_365d", Ratio(count(_ANSWERED, 365, _UNKNOWN), count(_ANSWERED, 365)),
            "近365天外部查询无记录的占比",
            "share of providers' answers that do not know the person, last 365 days", "share",
        ),
        _about(
            "providers_365d", distinct(_ANSWERED, 365, field=text("provider")), "近365天有回应的外部机构数",
            "providers that answered in the last 365 days", "providers", missing=ZERO,
        ),
    )  # fmt: skip


def _answer(product: str, field: str) -> Aggregate:
    """What the newest answer of a product says, whichever provider sold it."""
    own = says("product", product)
    return of(Aggregation.LATEST_VALID, _ANSWERED, _ANSWER_DAYS, own, field=number(field))
