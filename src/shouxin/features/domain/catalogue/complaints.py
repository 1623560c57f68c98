"""What a customer complains about, and which rules of the shop they broke."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Ratio
from shouxin.features.domain.catalogue.pieces import (
    FRAUD_TEAM,
    NULL,
    RECORD_DAYS,
    RISKIER,
    SAFER,
    count,
    distinct,
    feature,
    number,
    of,
    orders,
    says,
    since_latest,
    text,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.COMPLAINTS, direction=RISKIER)
_COMPLAINED, _VIOLATED = ("complaint_filed",), ("violation_recorded",)
_NOT_RECEIVED = says("topic", "not_received")


def complaints() -> tuple[FeatureDefinition, ...]:
    """Complaints, then violations."""
    return (*_complaints(), *_violations())


def _complaints() -> tuple[FeatureDefinition, ...]:
    weight = of(Aggregation.DECAYED_COUNT, _COMPLAINED, 365, field=None, half_life_days=60)
    return (
        _about(
            "complaints_180d", count((*_COMPLAINED, *_VIOLATED), 180), "近180天投诉及违规次数",
            "complaints and violations in the last 180 days", "events",
        ),
        _about(
            "complaints_30d", count(_COMPLAINED, 30), "近30天投诉次数", "complaints in the last 30 days",
            "events",
        ),
        _about(
            "complaints_365d", count(_COMPLAINED, 365), "近365天投诉次数", "complaints in the last 365 days",
            "events",
        ),
        _about(
            "complaint_share_365d", Ratio(count(_COMPLAINED, 365), orders(365)), "近365天每单投诉次数",
            "complaints for each order, last 365 days", "ratio",
        ),
        _about(
            "not_received_complaints_365d", count(_COMPLAINED, 365, _NOT_RECEIVED),
            "近365天“未收到货”投诉次数", "complaints that a parcel did not come, last 365 days", "events",
            owner=FRAUD_TEAM,
        ),
        _about(
            "complaint_topics_365d", distinct(_COMPLAINED, 365, field=text("topic")), "近365天投诉事由种类数",
            "different grounds of complaints, last 365 days", "grounds", direction=None,
        ),
        _about(
            "complaint_weight", weight, "投诉热度（60天减半）", "complaints, each worth half after 60 days",
            "weighted events",
        ),
        _about(
            "days_since_last_complaint", since_latest(_COMPLAINED), "距上次投诉天数",
            "days since the last complaint", "days", missing=NULL, direction=SAFER,
        ),
    )  # fmt: skip


def _violations() -> tuple[FeatureDefinition, ...]:
    about = partial(_about, owner=FRAUD_TEAM)
    severity = number("severity")
    return (
        about(
            "violations_365d", count(_VIOLATED, 365), "近365天违规次数",
            "violations of the shop's rules, last 365 days", "events",
        ),
        about(
            "max_violation_severity_1825d", of(Aggregation.MAX, _VIOLATED, RECORD_DAYS, field=severity),
            "近5年违规最高严重程度", "severity of the worst violation in the last five years", "1 to 3",
        ),
        about(
            "violation_severity_sum_1825d", of(Aggregation.SUM, _VIOLATED, RECORD_DAYS, field=severity),
            "近5年违规严重程度合计", "severities of all violations in the last five years", "sum of 1 to 3",
        ),
        about(
            "days_since_violation", since_latest(_VIOLATED), "距上次违规天数",
            "days since the last violation", "days", missing=NULL, direction=SAFER,
        ),
    )  # fmt: skip
