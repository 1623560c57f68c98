"""How a customer pays: by what, how steadily, and how often it fails or is taken back."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    CREDIT_TEAM,
    FRAUD_TEAM,
    NULL,
    RECORD_DAYS,
    RISKIER,
    SAFER,
    WHOLE_ORDERS,
    count,
    distinct,
    feature,
    of,
    says,
    since_latest,
    text,
    told,
    total,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.PAYMENTS, owner=CREDIT_TEAM)
_METHOD = text("payment_method")
_FAILED, _CHARGED_BACK, _PAID = ("payment_failed",), ("chargeback_received",), ("order_paid",)
_EMPTY = says("reason", "insufficient_funds")


def payments() -> tuple[FeatureDefinition, ...]:
    """Methods, failures, and what banks took back."""
    return (*_methods(), *_failures(), *_taken_back())


def _methods() -> tuple[FeatureDefinition, ...]:
    def share(*methods: str, days: int = 180) -> Ratio:
        return Ratio(
            distinct(WHOLE_ORDERS, days, says("payment_method", *methods)), distinct(WHOLE_ORDERS, days)
        )

    main = of(Aggregation.COUNT_COMMONEST, WHOLE_ORDERS, 365, field=_METHOD)
    return (
        _about(
            "card_order_share_180d", share("card"), "近180天银行卡支付订单占比",
            "share of orders paid by card, last 180 days", "share",
        ),
        _about(
            "wallet_order_share_180d", share("wallet"), "近180天电子钱包支付订单占比",
            "share of orders paid by wallet, last 180 days", "share",
        ),
        _about(
            "cash_order_share_365d", share("cod", days=365), "近365天货到付款订单占比",
            "share of orders paid at the door, last 365 days", "share",
        ),
        _about(
            "payment_methods_365d", distinct(WHOLE_ORDERS, 365, field=_METHOD), "近365天使用的支付方式数",
            "ways of paying used in the last 365 days", "ways",
        ),
        _about(
            "payment_variety_365d", of(Aggregation.ENTROPY, WHOLE_ORDERS, 365, field=_METHOD),
            "近365天支付方式的分散程度", "how spread orders are over ways of paying, last 365 days", "bits",
            missing=NULL,
        ),
        _about(
            "main_payment_share_365d", Ratio(main, count(WHOLE_ORDERS, 365, told(_METHOD))),
            "近365天最常用支付方式的订单占比", "share of orders paid in the way used most, last 365 days",
            "share",
        ),
    )  # fmt: skip


def _failures() -> tuple[FeatureDefinition, ...]:
    attempts = count((*_FAILED, *_PAID), 180)
    risky = partial(_about, direction=RISKIER)
    return (
        risky(
            "failed_payments_30d", count(_FAILED, 30), "近30天支付失败次数",
            "failed payments in the last 30 days", "attempts",
        ),
        risky(
            "failed_payments_180d", count(_FAILED, 180), "近180天支付失败次数",
            "failed payments in the last 180 days", "attempts",
        ),
        risky(
            "failed_payment_share_180d", Ratio(count(_FAILED, 180), attempts), "近180天支付失败占比",
            "share of attempts to pay that failed, last 180 days", "share",
        ),
        risky(
            "empty_account_failures_365d", count(_FAILED, 365, _EMPTY), "近365天因余额不足支付失败次数",
            "payments that failed for want of money, last 365 days", "attempts",
        ),
        risky(
            "failed_payment_value_180d", total(_FAILED, 180), "近180天支付失败金额",
            "amount of failed payments in the last 180 days", "money",
        ),
        _about(
            "days_since_failed_payment", since_latest(_FAILED), "距上次支付失败天数",
            "days since a payment last failed", "days", missing=NULL, direction=SAFER,
        ),
        risky(
            "failed_payment_weight",
            of(Aggregation.DECAYED_COUNT, _FAILED, 365, field=None, half_life_days=45),
            "支付失败热度（45天减半）", "failed payments, each worth half after 45 days", "weighted attempts",
        ),
    )  # fmt: skip


def _taken_back() -> tuple[FeatureDefinition, ...]:
    bank = partial(_about, owner=FRAUD_TEAM)
    unpaid = Ratio(Difference(distinct(WHOLE_ORDERS, 90), distinct(_PAID, 90)), distinct(WHOLE_ORDERS, 90))
    return (
        bank(
            "chargebacks_365d", count(_CHARGED_BACK, 365), "近365天银行拒付次数",
            "payments taken back by the bank, last 365 days", "events", direction=RISKIER,
        ),
        bank(
            "chargeback_value_1825d", total(_CHARGED_BACK, RECORD_DAYS), "近5年银行拒付金额",
            "amount taken back by the bank, last five years", "money", direction=RISKIER,
        ),
        bank(
            "days_since_chargeback", since_latest(_CHARGED_BACK), "距上次银行拒付天数",
            "days since the bank last took a payment back", "days", missing=NULL, direction=SAFER,
        ),
        _about(
            "unpaid_order_share_90d", unpaid, "近90天未付款订单占比",
            "share of orders that were not paid, last 90 days", "share",
        ),
        _about(
            "paid_value_365d", total(_PAID, 365), "近365天实付金额",
            "amount paid for orders in the last 365 days", "money",
        ),
    )  # fmt: skip
