"""What features are about: by this the catalogue is shown and reasons are gathered."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from shouxin.kernel import Bilingual


class Topic(StrEnum):
    """What a feature is about; each feature has one."""

    PURCHASES = "purchases"
    PRICES = "prices"
    CATEGORIES = "categories"
    PAYMENTS = "payments"
    RETURNS = "returns"
    CANCELLATIONS = "cancellations"
    DELIVERIES = "deliveries"
    REVIEWS = "reviews"
    COMPLAINTS = "complaints"
    STABILITY = "stability"
    ACTIVITY = "activity"
    CARTS = "carts"
    REPAYMENTS = "repayments"
    CREDIT_USE = "credit_use"
    MEMBERSHIP = "membership"
    EXTERNAL = "external"
    SURVEY = "survey"
    GRAPH = "graph"
    PATTERNS = "patterns"

    @property
    def words(self) -> Bilingual:
        """Its name for people."""
        return _WORDS[self]


_WORDS: Mapping[Topic, Bilingual] = MappingProxyType(
    {
        Topic.PURCHASES: Bilingual("购买", "Purchases"),
        Topic.PRICES: Bilingual("价格带", "Price bands"),
        Topic.CATEGORIES: Bilingual("品类", "Categories"),
        Topic.PAYMENTS: Bilingual("支付习惯", "Payment habits"),
        Topic.RETURNS: Bilingual("退货与退款", "Returns and refunds"),
        Topic.CANCELLATIONS: Bilingual("取消订单", "Cancellations"),
        Topic.DELIVERIES: Bilingual("收货", "Deliveries"),
        Topic.REVIEWS: Bilingual("评价", "Reviews"),
        Topic.COMPLAINTS: Bilingual("投诉与违规", "Complaints and violations"),
        Topic.STABILITY: Bilingual("登录、设备与地址稳定性", "Stability of devices, addresses and cards"),
        Topic.ACTIVITY: Bilingual("浏览与活跃时段", "Visits and hours of activity"),
        Topic.CARTS: Bilingual("购物车", "Carts"),
        Topic.REPAYMENTS: Bilingual("还款", "Repayments"),
        Topic.CREDIT_USE: Bilingual("额度使用", "Use of credit"),
        Topic.MEMBERSHIP: Bilingual("会员", "Membership"),
        Topic.EXTERNAL: Bilingual("外部信用数据", "External credit data"),
        Topic.SURVEY: Bilingual("问卷", "Surveys"),
        Topic.GRAPH: Bilingual("关联网络", "Shared devices, addresses and cards"),
        Topic.PATTERNS: Bilingual("风险模式", "Risk patterns"),
    }
)
