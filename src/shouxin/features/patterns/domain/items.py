"""Items: what a customer did, as yes or no, so that patterns of it can be counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.features.domain import Comparison
from shouxin.kernel import Bilingual

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
# A customer's items are the bits of one whole number.
ITEMS_MAX = 62
CATEGORY_DAYS = 365


@dataclass(frozen=True, slots=True)
class Item:
    """A feature held against a threshold, or (``feature`` None) a category bought in the last year."""

    code: str
    meaning: Bilingual
    feature: str | None = None
    comparison: Comparison = Comparison.AT_LEAST
    threshold: float = 0.0

    def as_data(self) -> dict[str, Any]:
        """The item as JSON data."""
        return {
            "code": self.code,
            "meaning": self.meaning.as_data(),
            "feature": self.feature,
            "comparison": self.comparison.value,
            "threshold": self.threshold,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Item:
        """The item that ``as_data`` told."""
        return cls(
            data["code"],
            Bilingual(data["meaning"]["zh"], data["meaning"]["en"]),
            data["feature"],
            Comparison(data["comparison"]),
            data["threshold"],
        )

    def held_against(self, values: npt.NDArray[np.float64]) -> Flags:
        """Who has the item, by the values of its feature; nobody of whom the value is missing."""
        met: Flags = (
            values >= self.threshold if self.comparison is Comparison.AT_LEAST else values <= self.threshold
        )
        return met & ~np.isnan(values)


def category_item(category: str) -> Item:
    """The item of having bought a category."""
    return Item(
        f"bought:{category}",
        Bilingual(f"近365天买过“{category}”", f"bought “{category}” in the last 365 days"),
    )


def _at_least(code: str, feature: str, threshold: float, zh: str, en: str) -> Item:
    return Item(code, Bilingual(zh, en), feature, Comparison.AT_LEAST, threshold)


def _at_most(code: str, feature: str, threshold: float, zh: str, en: str) -> Item:
    return Item(code, Bilingual(zh, en), feature, Comparison.AT_MOST, threshold)


# Thresholds are round numbers that a person would choose, not ones that fit this or that history best.
BEHAVIOURS: tuple[Item, ...] = (
    _at_least("refund_only", "refund_only_count_180d", 1, "近180天有仅退款", "a refund without return"),
    _at_least("refunds", "refund_share_180d", 0.2, "退款订单占比不低于20%", "a fifth of orders refunded"),
    _at_least("cancels", "cancelled_share_180d", 0.2, "取消订单占比不低于20%", "a fifth of orders cancelled"),
    _at_least("returns_jump", "return_rate_jump_30d", 0.2, "退货率近30天骤升", "returns have jumped"),
    _at_least(
        "nights", "night_order_share_180d", 0.25, "夜间下单占比不低于25%", "a quarter of orders at night"
    ),
    _at_least("on_credit", "credit_order_share_180d", 0.5, "过半订单用信用支付", "half of orders on credit"),
    _at_least("line_used", "credit_use_90d", 0.8, "信用额度使用过八成", "four fifths of the line used"),
    _at_least("late_once", "late_repayments_180d", 1, "近180天有逾期还款", "a late repayment"),
    _at_least("late_often", "late_repayments_180d", 3, "近180天逾期还款不少于3次", "three late repayments"),
    _at_least("late_long", "max_days_past_due_180d", 15, "曾逾期15天以上", "fifteen days past due once"),
    _at_least("devices", "distinct_devices_90d", 3, "近90天用过3台以上设备", "three devices in 90 days"),
    _at_least("complains", "complaints_180d", 1, "近180天有投诉或违规", "a complaint or a violation"),
    _at_least(
        "payments_fail", "failed_payments_30d", 2, "近30天支付失败2次以上", "two failed payments in a month"
    ),
    _at_least("charged_back", "chargebacks_365d", 1, "近365天有银行拒付", "a payment taken back by the bank"),
    _at_least("refuses", "refused_deliveries_90d", 1, "近90天有拒收", "a parcel refused at the door"),
    _at_most("new", "tenure_days", 180, "成为顾客不足半年", "a customer for half a year at most"),
    _at_least("busy", "orders_90d", 9, "近90天订单不少于9笔", "nine orders in 90 days"),
    _at_least("away", "days_since_last_order", 60, "60天未下单", "no order for 60 days"),
    _at_most("low_score", "sesame_score", 550, "外部信用分不高于550", "an outside score of 550 at most"),
    _at_least("overdue_elsewhere", "bureau_overdue_loans", 1, "征信有逾期贷款", "overdue elsewhere"),
)


def masks_of(having: Sequence[Flags]) -> Ints:
    """Each customer's items as bits, the first item lowest."""
    assert having and len(having) <= ITEMS_MAX, "a whole number has room for sixty-two items"
    masks = np.zeros(len(having[0]), dtype=np.int64)
    for position, flags in enumerate(having):
        masks |= flags.astype(np.int64) << position
    return masks
