"""Grades are bands of the probability of default; this page holds the bands and what each grade means."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise, takewhile
from typing import Any

from shouxin.kernel import Bilingual, CustomerId


class Grade(StrEnum):
    """The credit grade of a customer, best first."""

    S = "S"
    A = "A"
    B = "B"
    C = "C"
    D = "D"


@dataclass(frozen=True, slots=True)
class MasterScale:
    """Bands of PD: a customer has the first grade whose upper bound lies above its PD; D has no bound."""

    name: str
    below: tuple[tuple[Grade, float], ...]

    def __post_init__(self) -> None:
        assert [grade for grade, _ in self.below] == list(Grade)[:-1], "S, A, B and C have a bound"
        bounds = [0.0, *(bound for _, bound in self.below), 1.0]
        assert all(low < high for low, high in pairwise(bounds)), "bounds rise between 0 and 1"

    def as_data(self) -> dict[str, Any]:
        """Name and bounds as JSON data."""
        return {"name": self.name, "below": {grade.value: bound for grade, bound in self.below}}


def _scale(name: str, *bounds: float) -> MasterScale:
    return MasterScale(name, tuple(zip(list(Grade)[:-1], bounds, strict=True)))


# Probability of a default within the performance window.
STANDARD_SCALE = _scale("standard", 0.005, 0.015, 0.04, 0.10)
# One order in five of a healthy shop may see a cancelled line; the bands for a default would call
# nearly every customer a D and tell nobody apart.
CANCELLATION_SCALE = _scale("cancellation", 0.05, 0.10, 0.20, 0.40)
_SCALES_BY_OUTCOME: Mapping[str, MasterScale] = {"cancels-next-90d": CANCELLATION_SCALE}


def scale_for(outcome: str) -> MasterScale:
    """The master scale for the event of default of this name; the standard one unless another is stated."""
    return _SCALES_BY_OUTCOME.get(outcome, STANDARD_SCALE)


def grade_of(pd: float, scale: MasterScale = STANDARD_SCALE) -> Grade:
    """The grade of a probability of default; a PD at a bound belongs to the worse grade."""
    assert 0.0 <= pd <= 1.0, f"a probability, not {pd}"
    return next((grade for grade, bound in scale.below if pd < bound), Grade.D)


def below_for(grade: Grade, scale: MasterScale = STANDARD_SCALE) -> float:
    """The PD that a customer of this grade, or of a better one, stays below; 1 for D."""
    return dict(scale.below).get(grade, 1.0)


@dataclass(frozen=True, slots=True)
class GradeAssignment:
    """A customer's grade at ``as_of`` with everything needed to say why: law, never changed afterwards."""

    customer_id: CustomerId
    as_of: datetime
    pd: float
    score: int
    grade: Grade
    model_hash: str
    features_hash: str
    reasons: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """The grade that a customer has now, and ``since`` when without a break.

    ``reasons`` are up to four, each ``code, rank, text {zh, en}, points, feature, value``.
    """

    customer_id: CustomerId
    grade: Grade
    pd: float
    score: int
    as_of: datetime
    model_hash: str
    features_hash: str
    reasons: tuple[Mapping[str, Any], ...]
    since: datetime


def standing_from(history: Sequence[GradeAssignment]) -> Standing | None:
    """The standing that follows from assignments, oldest first; None before the first."""
    if not history:
        return None
    last = history[-1]
    run = takewhile(lambda one: one.grade is last.grade, reversed(history))
    return Standing(
        last.customer_id,
        last.grade,
        last.pd,
        last.score,
        last.as_of,
        last.model_hash,
        last.features_hash,
        last.reasons,
        since=min(one.as_of for one in run),
    )


@dataclass(frozen=True, slots=True)
class GradeLine:
    """What is known of the customers of one grade.

    ``observed`` counts held-out customers who had this grade at a date from which they could be watched to
    the end of the performance window (one customer counts at each such date); ``events`` of those had the
    event. ``foretold`` is their mean PD; ``interval`` is the 95 % interval of the rate that was seen, rows of
    one customer together. Both are None where nobody could be observed.
    """

    grade: Grade
    customers: int
    mean_pd: float | None
    observed: int
    events: int
    foretold: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def true_to_its_pd(self) -> bool | None:
        """Whether what was seen bears out what was foretold: the interval holds the mean PD."""
        if self.interval is None or self.foretold is None:
            return None
        low, high = self.interval
        return low <= self.foretold <= high

    @property
    def observed_rate(self) -> float | None:
        """The share that had the event; None where nobody could be observed."""
        return self.events / self.observed if self.observed else None

    def as_data(self) -> dict[str, Any]:
        """The row of a summary; ``default_rate`` is observed on customers held out of training."""
        return {
            "grade": self.grade.value,
            "customers": self.customers,
            "mean_pd": self.mean_pd,
            "default_rate": self.observed_rate,
            "observed": self.observed,
            "foretold": self.foretold,
            "interval": None if self.interval is None else list(self.interval),
            "true_to_its_pd": self.true_to_its_pd,
        }


@dataclass(frozen=True, slots=True)
class Inversion:
    """A better grade whose customers had the event more often than those of the worse one."""

    better: Grade
    worse: Grade
    better_rate: float
    worse_rate: float


def inversions(lines: Sequence[GradeLine]) -> tuple[Inversion, ...]:
    """Neighbouring grades whose observed rates do not rise; empty grades are passed over.

    None at all is what a monotone scale promises: a worse grade never defaults less.
    """
    order = list(Grade)
    rated = sorted((line for line in lines if line.observed), key=lambda line: order.index(line.grade))
    rates = [(line.grade, line.events / line.observed) for line in rated]
    return tuple(
        Inversion(better, worse, better_rate, worse_rate)
        for (better, better_rate), (worse, worse_rate) in pairwise(rates)
        if better_rate > worse_rate
    )


HELD_OUT_SHARE = 0.4


def is_held_out(customer_id: str, *, share: float = HELD_OUT_SHARE) -> bool:
    """Whether a customer is kept away from every training, so that grades can be checked on strangers.

    It follows from the id alone: the same customer is a stranger to every model, for ever.
    """
    return _drawn(customer_id, purpose="held-out", share=share)


CALIBRATING_SHARE = 0.25


def calibrates(customer_id: str) -> bool:
    """Whether a customer who is not held out is set apart, where there are plenty, to make PDs true on."""
    return _drawn(customer_id, purpose="calibrating", share=CALIBRATING_SHARE)


def _drawn(customer_id: str, *, purpose: str, share: float) -> bool:
    digest = hashlib.sha256(f"{purpose}:{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


SERVICE_POLICY: Mapping[Grade, Bilingual] = {
    Grade.S: Bilingual(
        "贵宾服务：专属客服、优先处理、定制商品，并定期给予专属优惠。",
        "VIP service: a named contact, priority handling, bespoke goods and regular offers of their own.",
    ),
    Grade.A: Bilingual(
        "稳定服务：保持体验，按兴趣与购买记录推荐，培养忠诚度。",
        "Steady service: keep the experience, recommend by interest and purchases, build loyalty.",
    ),
    Grade.B: Bilingual(
        "标准服务：以优惠券、积分和会员邀请鼓励再次购买。",
        "Standard service: encourage the next purchase with coupons, points and an invitation to join.",
    ),
    Grade.C: Bilingual(
        "受限服务：不参加部分优惠活动，加强监控，防范欺诈。",
        "Limited service: some offers are withheld, and orders are watched more closely for fraud.",
    ),
    Grade.D: Bilingual(
        "限制服务：限制平台活动，必要时经复核暂停或关闭账户。",
        "Restricted service: activity is limited, and after review the account may be suspended or closed.",
    ),
}
