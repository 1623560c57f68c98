"""How a customer uses the line: how much of it, how often, and whether that grows."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    CREDIT_TEAM,
    NULL,
    ORDERED,
    RISKIER,
    distinct,
    feature,
    of,
    orders,
    says,
    since_earliest,
    since_latest,
    spend,
    total,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.CREDIT_USE, owner=CREDIT_TEAM)
_OPENED, _CHANGED = ("line_opened",), ("line_limit_changed",)
_LINE = (*_OPENED, *_CHANGED)
_ON_CREDIT = says("payment_method", "credit")
_LIMIT = of(Aggregation.LATEST, _LINE, None)


def credit_use() -> tuple[FeatureDefinition, ...]:
    """Use of the limit, credit among all buying, and the line itself."""
    return (*_of_the_limit(), *_among_orders(), *_line())


def _of_the_limit() -> tuple[FeatureDefinition, ...]:
    bought = partial(total, ORDERED)
    owed = Difference(bought(365, _ON_CREDIT), total(("repayment_received",), 365))
    about = partial(_about, missing=NULL)
    return (
        about(
            "credit_use_30d", Ratio(bought(30, _ON_CREDIT), _LIMIT), "近30天信用消费占额度比例",
            "bought on credit in the last 30 days as a share of the limit", "share", direction=RISKIER,
        ),
        about(
            "credit_use_90d", Ratio(bought(90, _ON_CREDIT), _LIMIT), "近90天信用消费占额度比例",
            "bought on credit in the last 90 days as a share of the limit", "share", direction=RISKIER,
        ),
        about(
            "credit_unpaid_share_365d", Ratio(owed, _LIMIT), "近365天信用消费减还款后占额度比例",
            "bought on credit less repaid in the last 365 days, as a share of the limit", "share",
            direction=RISKIER,
        ),
        about(
            "max_credit_order_share_180d", Ratio(of(Aggregation.MAX, ORDERED, 180, _ON_CREDIT), _LIMIT),
            "近180天最大单笔信用消费占额度比例",
            "largest order on credit as a share of the limit, last 180 days", "share",
        ),
        about(
            "due_30d_of_limit", Ratio(total(("instalment_due",), 30), _LIMIT), "近30天到期应还占额度比例",
            "amount that fell due in the last 30 days as a share of the limit", "share",
        ),
    )  # fmt: skip


def _among_orders() -> tuple[FeatureDefinition, ...]:
    on_credit = partial(distinct, ORDERED)
    credit_spend = {days: total(ORDERED, days, _ON_CREDIT) for days in (30, 90, 180)}
    return (
        _about(
            "credit_order_share_180d", Ratio(on_credit(180, _ON_CREDIT), orders(180)),
            "近180天信用支付订单占比", "share of orders bought on credit in the last 180 days", "share",
        ),
        _about(
            "credit_orders_30d", on_credit(30, _ON_CREDIT), "近30天信用支付订单数",
            "orders bought on credit in the last 30 days", "orders",
        ),
        _about(
            "credit_orders_180d", on_credit(180, _ON_CREDIT), "近180天信用支付订单数",
            "orders bought on credit in the last 180 days", "orders",
        ),
        _about(
            "credit_spend_90d", credit_spend[90], "近90天信用消费金额",
            "amount bought on credit in the last 90 days", "money",
        ),
        _about(
            "credit_spend_share_180d", Ratio(credit_spend[180], spend(180)), "近180天信用消费金额占比",
            "amount bought on credit as a share of all that was ordered, last 180 days", "share",
        ),
        _about(
            "credit_spend_burst_30d", Ratio(credit_spend[30], credit_spend[180]),
            "近30天信用消费占近180天信用消费的比例",
            "credit of the last 30 days as a share of that of the last 180", "share",
        ),
        _about(
            "credit_trend_180d", of(Aggregation.TREND, ORDERED, 180, _ON_CREDIT, periods=6),
            "近180天每月信用消费的变化趋势", "change of the amount on credit a month over the last 180 days",
            "money a month", missing=NULL,
        ),
        _about(
            "days_since_last_credit_order", since_latest(ORDERED, _ON_CREDIT), "距上次信用支付天数",
            "days since the last order on credit", "days", missing=NULL,
        ),
        _about(
            "days_since_first_credit_order", since_earliest(ORDERED, _ON_CREDIT), "距首次信用支付天数",
            "days since the first order on credit", "days", missing=NULL,
        ),
    )  # fmt: skip


def _line() -> tuple[FeatureDefinition, ...]:
    first = of(Aggregation.EARLIEST, _LINE, None)
    return (
        _about("limit_now", _LIMIT, "当前信用额度", "the limit of the line", "money", missing=NULL),
        _about(
            "limit_growth", Ratio(_LIMIT, first), "当前额度相当于初始额度的倍数",
            "the limit as a multiple of the first one", "ratio", missing=NULL,
        ),
        _about(
            "line_age_days", since_earliest(_OPENED), "额度开立天数", "days since the line was opened",
            "days", missing=NULL,
        ),
        _about(
            "days_since_limit_change", since_latest(_CHANGED), "距上次调额天数",
            "days since the limit last changed", "days", missing=NULL,
        ),
        _about(
            "limit_to_spend_365d", Ratio(_LIMIT, spend(365)), "额度相当于近365天下单金额的倍数",
            "the limit as a multiple of the amount ordered in the last 365 days", "ratio", missing=NULL,
        ),
    )  # fmt: skip
