"""How a timeline tells what happened with a customer, and what of it is worth telling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from shouxin.early_warning.domain import AlertRow, Severity
from shouxin.kernel import Bilingual, Event, Money
from shouxin.reporting.domain.views import ScorePoint, TimelineEntry, Tone

# Written as (tone, Chinese, English).
_Title = tuple[Tone, str, str]
_GRADES = "SABCD"
_OUTCOMES: Mapping[str, _Title] = {
    "approve": ("good", "信用支付已批准", "Checkout on credit approved"),
    "counter_offer": ("info", "信用支付还价", "Counter-offer at checkout"),
    "review": ("warn", "信用支付转人工审核", "Checkout sent to review"),
    "decline": ("bad", "信用支付被拒绝", "Checkout on credit declined"),
}


def _said(tone: Tone, zh: str, en: str) -> Callable[[Event], _Title | None]:
    return lambda _event: (tone, zh, en)


def _repaid(event: Event) -> _Title | None:
    days = int(event.payload.get("days_past_due", 0))
    if days > 0:
        return "warn", f"逾期 {days} 天后还款", f"Repaid {days} days late"
    return "good", "按时还款", "Repaid on time"


def _overdue(event: Event) -> _Title | None:
    days = int(event.payload["days_past_due"])
    return "bad", f"分期逾期 {days} 天", f"Instalment {days} days past due"


def _reviewed(event: Event) -> _Title | None:
    rating = int(event.payload["rating"])
    # Two stars of five or fewer is a complaint in the making; other reviews are no news for credit.
    return ("warn", f"差评（{rating} 星）", f"Bad review ({rating} of 5)") if rating <= 2 else None


def _refunded(event: Event) -> _Title | None:
    if event.payload.get("refund_kind") == "refund_only":
        return "warn", "仅退款", "Refunded without return"
    return "info", "退货退款", "Returned and refunded"


_TOLD: Mapping[str, Callable[[Event], _Title | None]] = {
    "customer_registered": _said("info", "注册", "Registered"),
    "customer_verified": _said("good", "身份信息已验证", "Identity verified"),
    "order_cancelled": _said("info", "取消订单", "Order cancelled"),
    "order_line_cancelled": _said("info", "取消订单行", "Order line cancelled"),
    "payment_failed": _said("warn", "支付失败", "Payment failed"),
    "chargeback_received": _said("bad", "银行拒付", "Payment taken back by the bank"),
    "delivery_refused": _said("warn", "拒收", "Delivery refused"),
    "refund_issued": _refunded,
    "review_posted": _reviewed,
    "complaint_filed": _said("warn", "投诉", "Complaint"),
    "violation_recorded": _said("bad", "违规", "Violation of the rules"),
    "line_opened": _said("info", "开立信用额度", "Credit line opened"),
    "line_limit_changed": _said("info", "信用额度变更", "Credit limit changed"),
    "instalment_overdue": _overdue,
    "repayment_received": _repaid,
}
NOTEWORTHY = frozenset(_TOLD)


def told_event(event: Event) -> TimelineEntry | None:
    """An event as a timeline tells it; None when it is not worth a line."""
    tell = _TOLD.get(event.kind)
    title = tell(event) if tell else None
    if title is None:
        return None
    parts = [str(event.amount) if event.amount is not None else "", event.order_ref or "", event.source]
    return _entry(event.occurred_at, title, detail=" · ".join(part for part in parts if part))


def told_grades(history: Sequence[ScorePoint]) -> list[TimelineEntry]:
    """The first grade, and every change of it."""
    entries = []
    for before, after in pairwise([None, *history]):
        assert after is not None
        if before is None:
            title: _Title = ("info", f"首次评级 {after.grade}", f"First graded {after.grade}")
        elif before.grade == after.grade:
            continue
        else:
            worse = _GRADES.index(after.grade) > _GRADES.index(before.grade)
            title = (
                "bad" if worse else "good",
                f"等级由 {before.grade} 变为 {after.grade}",
                f"Grade changed from {before.grade} to {after.grade}",
            )
        entries.append(_entry(after.at, title, detail=f"{after.score}"))
    return entries


def told_alert(row: AlertRow) -> TimelineEntry:
    """An alert as a timeline tells it."""
    tone: Tone = "bad" if row.severity in {Severity.HIGH, Severity.CRITICAL} else "warn"
    return TimelineEntry(row.raised_at, tone, row.title, row.why)


def told_decision(at: datetime, outcome: str, *, amount: Money, order_ref: str) -> TimelineEntry:
    """A decision at the checkout as a timeline tells it."""
    return _entry(at, _OUTCOMES[outcome], detail=f"{amount} · {order_ref}")


def told_freeze(at: datetime, *, frozen: bool, reason: str, by: str) -> TimelineEntry:
    """A freeze of the line, or its end, as a timeline tells it."""
    freeze: _Title = ("bad", "额度已冻结", "Line frozen")
    thaw: _Title = ("good", "额度已解冻", "Line unfrozen")
    return _entry(at, freeze if frozen else thaw, detail=f"{reason} · {by}")


def _entry(at: datetime, title: _Title, *, detail: str) -> TimelineEntry:
    tone, zh, en = title
    return TimelineEntry(at, tone, Bilingual(zh, en), Bilingual(detail, detail))
