"""What a customer can do, as data: which behaviour, which features it moves, what is asked of nobody.

A feature that looks back can not be undone; it clears as days pass without the behaviour. So an action is "do
this for so many days", and every feature of the behaviour moves with it, each by its own window: a share, its
parts and its shorter windows stay true to one another. What is not an action here is not advised, and
``NOT_ADVISED`` says why: what cannot be changed, what is nobody's business, and what is a right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shouxin.features.domain import Aggregate, Aggregation, Direction, FeatureDefinition, Ratio, Topic
from shouxin.kernel import Bilingual
from shouxin.scoring.domain.feature import Feature

ResponseKind = Literal["scales", "clears", "decays", "ages", "at once"]
# For how long somebody can be asked to keep to something.
HORIZONS_DAYS = (30, 90, 180, 365)


@dataclass(frozen=True, slots=True)
class Response:
    """How a feature moves when a behaviour shrinks to a share of what it was.

    ``scales``: by the part of its window that has gone by; ``clears``: to 0 once the whole window has;
    ``decays``: by half every ``days``; ``ages``: a day a day; ``at once``: to that share, without waiting.
    """

    feature: str
    kind: ResponseKind
    days: int = 0

    def moved(self, value: float, *, share: float, days: int) -> float:
        """The value after ``days`` with the behaviour at ``share`` of what it was."""
        match self.kind:
            case "ages":
                return value + days if share == 0 else value
            case "clears":
                return 0.0 if share == 0 and days >= self.days else value
            case "at once":
                moved = value * share
            case "decays":
                left = 0.5 ** (days / self.days)
                moved = value * (left + (1 - left) * share)
            case "scales":
                moved = value * (1 - min(1.0, days / self.days) * (1 - share))
        # A count that fell to 2.4 is 3 at worst: nothing is promised that might not happen.
        return float(-(-round(moved, 9) // 1)) if value == int(value) and value > 1 else moved


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a customer can do. ``shares``: what may remain of the behaviour; ``effort`` of 30 days.

    ``text`` is told with the days and the per cent by which the behaviour shrinks.
    """

    code: str
    text: Bilingual
    responses: tuple[Response, ...]
    horizons_days: tuple[int, ...]
    shares: tuple[float, ...] = (0.0,)
    effort: float = 1.0


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which features of a topic an action moves: all that have a direction, or those named."""

    code: str
    topic: Topic
    zh: str
    en: str
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    horizons_days: tuple[int, ...] = HORIZONS_DAYS
    shares: tuple[float, ...] = (0.0,)
    effort: float = 1.0
    at_once: bool = False


_OWED = ("due_not_repaid_180d",)
_UNPAID = ("credit_unpaid_share_365d",)
_ELSEWHERE = ("bureau_overdue_loans", "bureau_overdue_share")
_RULES = (
    _Rule(
        "settle_overdue", Topic.REPAYMENTS, "现在还清已到期未还的金额", "Repay now what has fallen due",
        only=_OWED, horizons_days=(0,), effort=2.0, at_once=True,
    ),
    _Rule(
        "pay_on_time", Topic.REPAYMENTS, "今后 {days} 天内每期都按时还款",
        "Make every repayment on its day for the next {days} days", but=_OWED,
    ),
    _Rule(
        "reduce_use", Topic.CREDIT_USE, "现在归还已用额度的 {percent}%",
        "Repay {percent} % of what is in use now",
        only=_UNPAID, horizons_days=(0,), shares=(0.75, 0.5, 0.25, 0.0), effort=2.0, at_once=True,
    ),
    _Rule(
        "buy_less_on_credit", Topic.CREDIT_USE, "今后 {days} 天内信用购物减少 {percent}%",
        "Buy {percent} % less on credit for the next {days} days", but=_UNPAID, horizons_days=(30, 90),
        shares=(0.5, 0.0),
    ),
    _Rule(
        "payments_that_work", Topic.PAYMENTS, "今后 {days} 天内保证付款账户余额充足、付款不失败",
        "Keep enough in the account that you pay from: no failed payment for the next {days} days",
    ),
    _Rule(
        "call_off_less", Topic.CANCELLATIONS, "今后 {days} 天内不自行取消订单",
        "Call off no order yourself for the next {days} days",
    ),
    _Rule(
        "take_parcels", Topic.DELIVERIES, "今后 {days} 天内签收与订单相符的包裹，不无故拒收",
        "For the next {days} days take the parcels that are as ordered",
    ),
    _Rule(
        "settle_elsewhere", Topic.EXTERNAL, "还清在其他机构的逾期贷款，并请其更新征信记录",
        "Repay what is overdue with other lenders and have the record brought up to date",
        only=_ELSEWHERE, horizons_days=(60,), effort=4.0, at_once=True,
    ),
)  # fmt: skip

NOT_ADVISED: Mapping[Topic, Bilingual] = {
    Topic.PURCHASES: Bilingual("不劝人多买", "Nobody is talked into buying more"),
    Topic.PRICES: Bilingual(
        "买贵买便宜是顾客自己的事", "What to spend on an order is the customer's business"
    ),
    Topic.CATEGORIES: Bilingual("买什么是顾客自己的事", "What to buy is the customer's business"),
    Topic.RETURNS: Bilingual(
        "七日无理由退货是法定权利（消费者权益保护法第25条）",
        "Sending goods back is a right (Consumer Rights Protection Law, art. 25)",
    ),
    Topic.REVIEWS: Bilingual("评价自由，不得诱导", "Opinions are free and not to be steered"),
    Topic.COMPLAINTS: Bilingual("投诉是法定权利", "To complain is a right"),
    Topic.STABILITY: Bilingual("换设备、搬家不应受影响", "Moving house or changing a phone is no fault"),
    Topic.ACTIVITY: Bilingual("何时上网是顾客自己的事", "When to be online is the customer's business"),
    Topic.CARTS: Bilingual("购物车是顾客自己的事", "The cart is the customer's business"),
    Topic.MEMBERSHIP: Bilingual("不劝人为等级消费", "Nobody is talked into a level of membership"),
    Topic.SURVEY: Bilingual("问卷自愿且如实", "Surveys are voluntary, and answers are to be true"),
    Topic.GRAPH: Bilingual("他人的行为无法由本人改变", "What others do is not theirs to change"),
    Topic.PATTERNS: Bilingual("由多种行为构成，已分别列出", "Made of behaviours that are told one by one"),
}


def actions_for(definitions: Sequence[FeatureDefinition]) -> tuple[Action, ...]:
    """The actions that move at least one of these features."""
    found = []
    for rule in _RULES:
        responses = tuple(
            response for definition in definitions if (response := _response(rule, definition)) is not None
        )
        if responses:
            found.append(
                Action(
                    rule.code,
                    Bilingual(rule.zh, rule.en),
                    responses,
                    rule.horizons_days,
                    rule.shares,
                    rule.effort,
                )
            )
    return tuple(found)


def lever(feature: Feature, *, towards: Literal["down", "up"]) -> Action:
    """An action on one column of any table, at once: by quarters, and to just inside each slot."""
    if towards == "down":
        text = Bilingual(
            f"将“{feature.label.zh}”降低 {{percent}}%", f"Bring {feature.label.en!r} down by {{percent}} %"
        )
        shares: tuple[float, ...] = (0.75, 0.5, 0.25, 0.0)
    else:
        text = Bilingual(
            f"将“{feature.label.zh}”提高到 {{times}} 倍", f"Bring {feature.label.en!r} up {{times}} times"
        )
        shares = (1.25, 1.5, 2.0, 3.0)
    return Action(feature.name, text, (Response(feature.name, "at once"),), (0,), shares)


def shares_at_edges(feature: Feature, value: float, shares: Sequence[float]) -> tuple[float, ...]:
    """``shares``, and those at which a value comes to lie just inside another slot of its feature."""
    if not value or not feature.edges or not shares:
        return tuple(shares)
    whole = value == int(value)
    below = [math.ceil(edge) - 1 if whole else edge - max(1e-4, abs(edge) * 1e-3) for edge in feature.edges]
    above = [math.ceil(edge) if whole else edge for edge in feature.edges]
    falls = min(shares) < 1
    reached = [target / value for target in (below if falls else above)]
    least, most = min(shares), max(shares)
    inside = [share for share in reached if (least <= share < 1 if falls else 1 < share <= most)]
    return tuple(sorted({*shares, *inside}))


def _response(rule: _Rule, definition: FeatureDefinition) -> Response | None:
    name = definition.name
    if definition.topic is not rule.topic or definition.direction is None or name in rule.but:
        return None
    if rule.only and name not in rule.only:
        return None
    if rule.at_once:
        return Response(name, "at once") if definition.direction is Direction.HIGHER_IS_RISKIER else None
    return _looking_back(definition)


def _looking_back(definition: FeatureDefinition) -> Response | None:
    """How a feature that looks back clears; None where that is not told by its formula (trends, streaks)."""
    formula = definition.formula
    part = formula.above if isinstance(formula, Ratio) else formula
    if not isinstance(part, Aggregate) or part.ends_days_ago:
        return None
    if definition.direction is Direction.HIGHER_IS_SAFER:
        since = part.aggregation is Aggregation.DAYS_SINCE_LATEST
        return Response(definition.name, "ages") if since else None
    if (
        part.aggregation in {Aggregation.COUNT, Aggregation.COUNT_DISTINCT, Aggregation.SUM}
        and part.window_days
    ):
        return Response(definition.name, "scales", part.window_days)
    if part.aggregation in {Aggregation.MAX, Aggregation.MEAN, Aggregation.PERCENTILE} and part.window_days:
        return Response(definition.name, "clears", part.window_days)
    if part.half_life_days:
        return Response(definition.name, "decays", part.half_life_days)
    return None
