"""How a customer repays what they owe: in time, late, how late, and for how long in a row."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    CREDIT_TEAM,
    NULL,
    RECORD_DAYS,
    RISKIER,
    SAFER,
    at_least,
    at_most,
    count,
    distinct,
    feature,
    number,
    of,
    since_latest,
    text,
    total,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.fields import Field, Origin
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.REPAYMENTS, owner=CREDIT_TEAM, direction=RISKIER)
_REPAID, _OVERDUE, _DUE = ("repayment_received",), ("instalment_overdue",), ("instalment_due",)
_DAYS = number("days_past_due")
_LATE, _ON_TIME = at_least(_DAYS, 1), at_most(_DAYS, 0)
_MONTH_LATE, _TWO_MONTHS_LATE = at_least(_DAYS, 30), at_least(_DAYS, 60)


def repayments(zone: str) -> tuple[FeatureDefinition, ...]:
    """Late ones, the worst, the course, and what is still owed."""
    return (*_late(), *_worst(), *_course(zone), *_owed())


def _late() -> tuple[FeatureDefinition, ...]:
    return (
        _about(
            "late_repayments_180d", count(_REPAID, 180, _LATE), "近180天逾期还款次数",
            "late repayments in the last 180 days", "repayments",
        ),
        _about(
            "late_repayments_365d", count(_REPAID, 365, _LATE), "近365天逾期还款次数",
            "late repayments in the last 365 days", "repayments",
        ),
        _about(
            "late_repayment_share_180d", Ratio(count(_REPAID, 180, _LATE), count(_REPAID, 180)),
            "近180天逾期还款占比", "share of repayments that were late, last 180 days", "share",
        ),
        _about(
            "late_repayment_share_365d", Ratio(count(_REPAID, 365, _LATE), count(_REPAID, 365)),
            "近365天逾期还款占比", "share of repayments that were late, last 365 days", "share",
        ),
        _about(
            "late_repayment_weight",
            of(Aggregation.DECAYED_COUNT, _REPAID, 730, _LATE, field=None, half_life_days=90),
            "逾期还款热度（90天减半）", "late repayments, each worth half after 90 days",
            "weighted repayments",
        ),
        _about(
            "overdue_instalments_90d", count(_OVERDUE, 90), "近90天分期逾期提示次数",
            "times an instalment was overdue, last 90 days", "events",
        ),
        _about(
            "month_late_365d", count(_OVERDUE, 365, _MONTH_LATE), "近365天逾期30天及以上次数",
            "times an instalment was 30 days late or more, last 365 days", "events",
        ),
        _about(
            "two_months_late_1825d", count(_OVERDUE, RECORD_DAYS, _TWO_MONTHS_LATE),
            "近5年逾期60天及以上次数", "times an instalment was 60 days late or more, last five years",
            "events",
        ),
    )  # fmt: skip


def _worst() -> tuple[FeatureDefinition, ...]:
    worst = partial(of, Aggregation.MAX, (*_REPAID, *_OVERDUE), field=_DAYS)
    repaid = partial(of, kinds=_REPAID, field=_DAYS)
    return (
        _about(
            "max_days_past_due_90d", worst(90), "近90天最长逾期天数",
            "most days past due in the last 90 days", "days",
        ),
        _about(
            "max_days_past_due_180d", worst(180), "近180天最长逾期天数",
            "most days past due in the last 180 days", "days",
        ),
        _about(
            "max_days_past_due_1825d", worst(RECORD_DAYS), "近5年最长逾期天数",
            "most days past due in the last five years", "days",
        ),
        _about(
            "mean_days_past_due_180d", repaid(Aggregation.MEAN, days=180), "近180天平均还款逾期天数",
            "days late of a repayment on average, last 180 days", "days", missing=NULL,
        ),
        _about(
            "p90_days_past_due_365d", repaid(Aggregation.PERCENTILE, days=365, percent=90),
            "近365天还款逾期天数的90%分位数",
            "days late that nine in ten repayments stay below, last 365 days", "days", missing=NULL,
        ),
        _about(
            "last_days_past_due", repaid(Aggregation.LATEST, days=None), "最近一次还款的逾期天数",
            "days that the last repayment was late", "days", missing=NULL,
        ),
    )  # fmt: skip


def _course(zone: str) -> tuple[FeatureDefinition, ...]:
    row = partial(of, kinds=(*_REPAID, *_OVERDUE), field=None, holds=(_ON_TIME,))
    trend = of(Aggregation.TREND, _REPAID, 180, field=_DAYS, periods=6)
    safe = partial(_about, direction=SAFER)
    plain = partial(_about, direction=None)
    return (
        safe(
            "on_time_row", row(Aggregation.CURRENT_STREAK, days=None), "最近连续按时还款次数",
            "repayments on time in a row up to now", "repayments",
        ),
        safe(
            "longest_on_time_row_365d", row(Aggregation.LONGEST_STREAK, days=365),
            "近365天最长连续按时还款次数", "most repayments on time in a row, last 365 days", "repayments",
        ),
        safe(
            "days_since_late", since_latest((*_REPAID, *_OVERDUE), _LATE), "距上次逾期天数",
            "days since something was last late", "days", missing=NULL,
        ),
        _about(
            "days_past_due_trend_180d", trend, "近180天每月逾期天数的变化趋势",
            "change of the days late a month over the last 180 days", "days a month", missing=NULL,
        ),
        plain(
            "repayments_180d", count(_REPAID, 180), "近180天还款次数", "repayments in the last 180 days",
            "repayments",
        ),
        plain("repayments_ever", count(_REPAID, None), "历史还款次数", "repayments ever made", "repayments"),
        plain(
            "days_since_last_repayment", since_latest(_REPAID), "距上次还款天数",
            "days since the last repayment", "days", missing=NULL,
        ),
        plain(
            "repayment_interval_365d",
            of(Aggregation.MEAN_INTERVAL, _REPAID, 365, field=Field(Origin.DAY, zone)),
            "近365天平均还款间隔天数", "days between repayments on average, last 365 days", "days",
            missing=NULL,
        ),
    )  # fmt: skip


def _owed() -> tuple[FeatureDefinition, ...]:
    due, repaid = total(_DUE, 180), total(_REPAID, 180)
    return (
        _about(
            "due_not_repaid_180d", Difference(due, repaid), "近180天到期未还金额",
            "amount that fell due less what was repaid, last 180 days", "money",
        ),
        _about(
            "repaid_share_180d", Ratio(repaid, due), "近180天还款金额占到期金额的比例",
            "amount repaid as a share of what fell due, last 180 days", "share", missing=NULL,
            direction=SAFER,
        ),
        _about(
            "due_30d", total(_DUE, 30), "近30天到期应还金额", "amount that fell due in the last 30 days",
            "money", direction=None,
        ),
        _about(
            "plans_365d", distinct(_DUE, 365, field=text("plan_id")), "近365天有分期到期的计划数",
            "plans with an instalment due in the last 365 days", "plans", direction=None,
        ),
    )  # fmt: skip
