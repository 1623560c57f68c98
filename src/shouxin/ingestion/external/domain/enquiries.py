"""An enquiry and how it ended: every way is a value with a reason, and every way is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shouxin.ingestion.external.domain.answers import Answer, FailureKind
from shouxin.ingestion.external.domain.breaker import Breaker
from shouxin.ingestion.external.domain.products import Provider
from shouxin.kernel import Bilingual, Money


class Outcome(StrEnum):
    """How an enquiry ended. Refusals by precedence, then what is free, then what calls gave."""

    NO_CONSENT = "no_consent"
    CACHED = "cached"
    NOTHING_KNOWN = "nothing_known"
    IN_FLIGHT = "in_flight"
    BREAKER_OPEN = "breaker_open"
    BUDGET_SPENT = "budget_spent"
    FOUND = "found"
    UNKNOWN_PERSON = "unknown_person"
    TIMEOUT = FailureKind.TIMEOUT.value
    UNREACHABLE = FailureKind.UNREACHABLE.value
    DROPPED = FailureKind.DROPPED.value
    SERVER_ERROR = FailureKind.SERVER_ERROR.value
    THROTTLED = FailureKind.THROTTLED.value
    MALFORMED = FailureKind.MALFORMED.value
    REJECTED = FailureKind.REJECTED.value


_O = Outcome
ANSWERED = frozenset({_O.FOUND, _O.UNKNOWN_PERSON})
REFUSED = frozenset({_O.NO_CONSENT, _O.NOTHING_KNOWN, _O.IN_FLIGHT, _O.BREAKER_OPEN, _O.BUDGET_SPENT})
FAILED = frozenset(Outcome(kind.value) for kind in FailureKind)
OUTCOME_WORDS = {
    _O.NO_CONSENT: Bilingual(
        "客户未同意查询外部数据", "the customer has not agreed to enquiries about external data"
    ),
    _O.CACHED: Bilingual(
        "已有有效结果，未再查询", "an answer that is still fresh was there; nobody was asked"
    ),
    _O.NOTHING_KNOWN: Bilingual(
        "没有该产品所需的证件或电话", "the identifier that this product needs is not registered"
    ),
    _O.IN_FLIGHT: Bilingual("同一查询正在进行", "the same enquiry is on its way already"),
    _O.BREAKER_OPEN: Bilingual(
        "数据商故障，暂停查询", "the provider keeps failing and is left alone for now"
    ),
    _O.BUDGET_SPENT: Bilingual("本月预算已用完", "the budget of this month is spent"),
    _O.FOUND: Bilingual("已查得", "found"),
    _O.UNKNOWN_PERSON: Bilingual("查无此人", "the provider does not know this person"),
    _O.TIMEOUT: Bilingual("超时", "no answer in time"),
    _O.UNREACHABLE: Bilingual("无法连接", "the provider could not be reached"),
    _O.DROPPED: Bilingual("连接中断", "the connection broke off"),
    _O.SERVER_ERROR: Bilingual("数据商出错", "the provider had an error"),
    _O.THROTTLED: Bilingual("被限流", "the provider asked us to slow down"),
    _O.MALFORMED: Bilingual("返回内容不合规范", "the answer was not what this product says"),
    _O.REJECTED: Bilingual("请求被拒绝，请检查密钥和产品", "the request was rejected; check key and product"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an enquiry is about: the references of one customer; the answer is kept under the first."""

    references: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        assert self.references, "an enquiry is about somebody"


@dataclass(frozen=True, slots=True)
class Enquired:
    """How an enquiry ended. ``disputed`` is what the provider may ask for though its answer never came."""

    enquiry_id: str
    provider: str
    product: str
    outcome: Outcome
    answer: Answer | None
    cost: Money
    disputed: Money
    attempts: int
    latency: timedelta | None
    answer_event: str | None

    @property
    def text(self) -> Bilingual:
        """How it ended, for people."""
        return OUTCOME_WORDS[self.outcome]


@dataclass(frozen=True, slots=True)
class ProductCount:
    """The enquiries of one product in a period: how each ended, what they cost (minor units), how long."""

    provider: str
    product: str
    outcomes: dict[Outcome, int]
    cost_minor: int
    disputed_minor: int
    latency_ms_median: int | None
    latency_ms_p95: int | None

    @property
    def enquiries(self) -> int:
        """How many there were."""
        return sum(self.outcomes.values())

    @property
    def hit_rate(self) -> float | None:
        """Of the enquiries that could be answered, the share that cost nothing; None when there was none."""
        asked = self.enquiries - sum(self.outcomes.get(outcome, 0) for outcome in REFUSED)
        return self.outcomes.get(Outcome.CACHED, 0) / asked if asked else None


@dataclass(frozen=True, slots=True)
class FailedEnquiry:
    """One enquiry that failed, for the list of the latest."""

    provider: str
    product: str
    outcome: Outcome
    attempts: int
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """Where one provider stands: its breaker, the month's money, the month's enquiries by product."""

    provider: Provider
    breaker: Breaker
    spent: Money
    counts: Sequence[ProductCount]
