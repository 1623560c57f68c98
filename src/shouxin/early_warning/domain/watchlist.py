"""The watch list: the indicators of the house, as data, and the features that they read."""

from __future__ import annotations

from collections.abc import Sequence

from shouxin.early_warning.domain.indicators import (
    Indicator,
    Level,
    Observation,
    Severity,
    Share,
    Signal,
    Stage,
    Supported,
    Threshold,
    judge,
)
from shouxin.features.domain import (
    CATALOGUE,
    ORDER,
    Aggregate,
    Aggregation,
    FeatureDefinition,
    Missing,
    Topic,
)
from shouxin.kernel import Bilingual

INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        name="late_repayment",
        meaning=Bilingual("最早一期未还款的逾期天数", "Days since the oldest unpaid instalment fell due"),
        stage=Stage.AFTER,
        risk_point=Bilingual("财务风险：逾期情况", "Financial risk: arrears"),
        owner="collections_lead",
        unit="days",
        measure=Level("days_past_due"),
        thresholds=(
            Threshold(Severity.MEDIUM, 1, Bilingual("还款逾期", "Repayment overdue")),
            # A week past due is no longer a weekend or a bank holiday.
            Threshold(Severity.HIGH, 8, Bilingual("逾期超过一周", "Overdue beyond a week")),
            # 30 days: the presumption of a significant increase in credit risk (IFRS 9 B5.5.19).
            Threshold(Severity.CRITICAL, 30, Bilingual("逾期达 30 天", "Overdue 30 days or more")),
        ),
    ),
    Indicator(
        name="return_rate_jump",
        meaning=Bilingual(
            "近 30 天退货率高出该客户自身近 180 天退货率的幅度",
            "Rise of the return rate in the last 30 days above the customer's own rate of 180 days",
        ),
        stage=Stage.DURING,
        risk_point=Bilingual("支付风险：退单情况", "Payment risk: returned orders"),
        owner="fraud_lead",
        unit="ratio",
        measure=Supported("return_rate_jump_30d", "orders_30d", cases_min=3),
        thresholds=(
            Threshold(Severity.LOW, 0.20, Bilingual("退货率上升", "Return rate is rising")),
            Threshold(Severity.MEDIUM, 0.35, Bilingual("退货率激增", "Return rate jumped")),
            Threshold(Severity.HIGH, 0.55, Bilingual("退货率异常激增", "Return rate jumped sharply")),
        ),
    ),
    Indicator(
        name="utilisation_spike",
        meaning=Bilingual("已用额度（含占用）占总额度的比例", "Used part of the credit line, holds included"),
        stage=Stage.DURING,
        risk_point=Bilingual("支付风险：购买情况", "Payment risk: purchases on credit"),
        owner="credit_lead",
        unit="ratio",
        measure=Share("used", "limit"),
        thresholds=(
            Threshold(Severity.MEDIUM, 0.90, Bilingual("额度使用达 90%", "Credit line 90% used")),
            Threshold(Severity.HIGH, 0.95, Bilingual("额度使用达 95%", "Credit line 95% used")),
        ),
    ),
)
# What the indicators read beside the credit line: computed like every feature, from the same definitions.
WATCHED_FEATURES: tuple[FeatureDefinition, ...] = (
    next(definition for definition in CATALOGUE if definition.name == "return_rate_jump_30d"),
    FeatureDefinition(
        "orders_30d",
        Aggregate(Aggregation.COUNT_DISTINCT, ("order_placed", "order_line_placed"), 30, ORDER),
        Bilingual("近30天订单数", "orders in the last 30 days"),
        "orders",
        Missing.IS_ZERO,
        None,
        "fraud_risk",
        Topic.PURCHASES,
    ),
)
_BY_NAME = {indicator.name: indicator for indicator in INDICATORS}


def indicator_named(name: str) -> Indicator:
    """The indicator of that name; KeyError when there is none."""
    return _BY_NAME[name]


def signals_of(
    observations: Sequence[Observation], *, indicators: Sequence[Indicator] = INDICATORS
) -> list[Signal]:
    """Every signal in the observations, in their order."""
    return [s for o in observations for indicator in indicators if (s := judge(indicator, o)) is not None]
