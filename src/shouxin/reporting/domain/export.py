"""What is handed out of a customer: sections of rows, each with its words in two languages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouxin.kernel import Bilingual, CustomerId

# Section -> its title, and its columns in order.
SECTIONS: Mapping[str, Bilingual] = {
    "references": Bilingual("客户编号", "References"),
    "personal": Bilingual("个人信息（含历史与来源）", "Personal values, with their history and source"),
    "consents": Bilingual("授权同意", "Consents"),
    "events": Bilingual("事件记录", "Events"),
    "grades": Bilingual("评分与等级", "Scores and grades"),
    "decisions": Bilingual("授信决策", "Decisions"),
    "line": Bilingual("信用额度", "Credit line"),
    "holds": Bilingual("订单占用", "Amounts held for orders"),
    "instalments": Bilingual("分期与还款", "Instalments and what was repaid"),
    "alerts": Bilingual("预警", "Alerts"),
    "cases": Bilingual("案件", "Cases"),
    "viewings": Bilingual("谁查看过您的信息", "Who looked at these values"),
}
COLUMNS: Mapping[str, Bilingual] = {
    "action": Bilingual("操作", "action"),
    "amount": Bilingual("金额", "amount"),
    "as_of": Bilingual("评级时间", "as of"),
    "at": Bilingual("时间", "at"),
    "available": Bilingual("可用", "available"),
    "captured": Bilingual("已确认", "captured"),
    "closed_at": Bilingual("结案时间", "closed at"),
    "customer_ref": Bilingual("客户编号", "reference"),
    "due_on": Bilingual("到期日", "due on"),
    "field": Bilingual("字段", "field"),
    "grade": Bilingual("等级", "grade"),
    "held": Bilingual("占用", "held"),
    "kind": Bilingual("类型", "kind"),
    "limit": Bilingual("额度", "limit"),
    "number": Bilingual("期数", "number"),
    "occurred_at": Bilingual("发生时间", "happened at"),
    "opened_at": Bilingual("开立时间", "opened at"),
    "order_ref": Bilingual("订单", "order"),
    "outcome": Bilingual("结果", "outcome"),
    "outstanding": Bilingual("未还", "outstanding"),
    "paid": Bilingual("已还", "paid"),
    "paid_on": Bilingual("还清日", "paid on"),
    "payload": Bilingual("内容", "content"),
    "pd": Bilingual("违约概率", "probability of default"),
    "plan_id": Bilingual("分期计划", "plan"),
    "purpose": Bilingual("用途", "purpose"),
    "raised_at": Bilingual("发出时间", "raised at"),
    "reasons": Bilingual("原因", "reasons"),
    "received_at": Bilingual("收到时间", "learnt at"),
    "score": Bilingual("评分", "score"),
    "since": Bilingual("自", "since"),
    "source": Bilingual("来源", "source"),
    "state": Bilingual("状态", "state"),
    "text_version": Bilingual("文本版本", "version of the text"),
    "title": Bilingual("标题", "title"),
    "value": Bilingual("内容", "value"),
    "verified": Bilingual("已验证", "verified"),
    "why": Bilingual("原因", "why"),
}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CustomerExport:
    """Everything that is known of one customer at one instant: rows by section."""

    customer_id: CustomerId
    exported_at: datetime
    erased_at: datetime | None
    sections: Mapping[str, Sequence[Row]]

    def as_data(self) -> dict[str, Any]:
        """The export as one JSON object."""
        erased = self.erased_at.isoformat() if self.erased_at else None
        head = {
            "customer_id": self.customer_id,
            "exported_at": self.exported_at.isoformat(),
            "erased_at": erased,
        }
        return head | {name: [dict(row) for row in rows] for name, rows in self.sections.items()}
