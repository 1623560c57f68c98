"""The units of features for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from shouxin.kernel import Bilingual

UNIT_WORDS: Mapping[str, Bilingual] = MappingProxyType(
    {
        en: Bilingual(zh, en)
        for en, zh in (
            ("-100 to 100", "-100 至 100"),
            ("0 to 10", "0 至 10"),
            ("1 to 3", "1 至 3"),
            ("1 to 5", "1 至 5"),
            ("addresses", "个地址"),
            ("answers", "次"),
            ("attempts", "次支付"),
            ("bits", "比特"),
            ("cards", "张卡"),
            ("categories", "个品类"),
            ("cities", "个城市"),
            ("days", "天"),
            ("days a month", "天/月"),
            ("devices", "台设备"),
            ("events", "次"),
            ("events a month", "次/月"),
            ("grounds", "种事由"),
            ("identifiers", "项"),
            ("items", "件"),
            ("level", "级"),
            ("loans", "笔贷款"),
            ("merchants", "家商家"),
            ("money", "金额"),
            ("money a month", "金额/月"),
            ("months", "个月"),
            ("orders", "单"),
            ("orders a month", "单/月"),
            ("pieces", "件"),
            ("plans", "个计划"),
            ("points", "分"),
            ("products", "种商品"),
            ("providers", "家机构"),
            ("ratio", "倍"),
            ("records", "条记录"),
            ("refunds", "次退款"),
            ("repayments", "次还款"),
            ("returns a month", "次退货/月"),
            ("share", "比例"),
            ("stars", "星"),
            ("sum of 1 to 3", "1 至 3 之和"),
            ("ways", "种方式"),
            ("weighted attempts", "加权次数（支付）"),
            ("weighted events", "加权次数"),
            ("weighted orders", "加权单数"),
            ("weighted repayments", "加权次数（还款）"),
        )
    }
)
OWNER_WORDS: Mapping[str, Bilingual] = MappingProxyType(
    {
        "customer_insight": Bilingual("客户洞察", "Customer insight"),
        "credit_risk": Bilingual("信贷风险", "Credit risk"),
        "fraud_risk": Bilingual("反欺诈", "Fraud risk"),
    }
)
