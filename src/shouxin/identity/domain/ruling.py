"""Rulings: an operator's word that customers are one, or are two; the last word about a pair counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shouxin.kernel import Bilingual

RULING_REASON_LENGTH_MIN = 10


class Verdict(StrEnum):
    """What an operator said about customers."""

    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Ruling:
    """Each of ``customer_ids`` is, or is not, each of ``other_ids``; ``undone_by`` a later row.

    The ids are those that the references have of their own, whatever they are merged into.
    """

    ruling_no: int
    verdict: Verdict
    customer_ids: tuple[str, ...]
    other_ids: tuple[str, ...]
    reason: str
    ruled_by: str
    ruled_at: datetime
    undone_by: int | None = None


class RulingRefusalReason(StrEnum):
    """Why there is no ruling, by precedence."""

    REASON_TOO_SHORT = "reason_too_short"
    UNKNOWN_CUSTOMER = "unknown_customer"
    UNKNOWN_RULING = "unknown_ruling"
    UNDONE_ALREADY = "undone_already"
    ONE_ALREADY = "one_already"
    NOTHING_LEFT = "nothing_left"
    TWO_NATIONAL_IDS = "two_national_ids"
    RULED_DIFFERENT = "ruled_different"


_R = RulingRefusalReason
_TEXTS = {
    _R.REASON_TOO_SHORT: Bilingual(
        f"请填写至少 {RULING_REASON_LENGTH_MIN} 个字符的理由。",
        f"Say why, in at least {RULING_REASON_LENGTH_MIN} characters.",
    ),
    _R.UNKNOWN_CUSTOMER: Bilingual(
        "没有这个客户，或该引用不属于此客户。",
        "There is no such customer, or the reference is not one of theirs.",
    ),
    _R.UNKNOWN_RULING: Bilingual("没有这条裁定。", "There is no such ruling."),
    _R.UNDONE_ALREADY: Bilingual("这条裁定已撤销。", "The ruling was undone already."),
    _R.ONE_ALREADY: Bilingual("他们已是同一客户。", "They are one customer already."),
    _R.NOTHING_LEFT: Bilingual(
        "拆分后至少要留下一个引用。", "A split leaves the customer one reference at least."
    ),
    _R.TWO_NATIONAL_IDS: Bilingual(
        "双方验证过不同的身份证号，不能合并。",
        "They have verified different national ids, so they can not be one.",
    ),
    _R.RULED_DIFFERENT: Bilingual(
        "已有裁定认为他们不是同一人，请先撤销该裁定。",
        "A ruling says that they are two; undo that ruling first.",
    ),
}


@dataclass(frozen=True, slots=True)
class RulingRefusal:
    """Nothing was ruled."""

    reason: RulingRefusalReason

    @property
    def text(self) -> Bilingual:
        """What to tell the operator."""
        return _TEXTS[self.reason]


@dataclass(frozen=True, slots=True)
class Standing:
    """What rulings come to: pairs (smaller id first) that are one, by which ruling; and that are two."""

    same: dict[tuple[str, str], int]
    different: frozenset[tuple[str, str]]

    def among(self, customers: Collection[str]) -> Standing:
        """What holds between these customers."""
        return Standing(
            {pair: number for pair, number in self.same.items() if _both(pair, customers)},
            frozenset(pair for pair in self.different if _both(pair, customers)),
        )


def _both(pair: tuple[str, str], customers: Collection[str]) -> bool:
    return pair[0] in customers and pair[1] in customers


def standing(rulings: Iterable[Ruling]) -> Standing:
    """What holds now: of several rulings about a pair the last; one that was undone never was."""
    last: dict[tuple[str, str], Ruling] = {}
    for ruling in sorted(rulings, key=lambda ruling: ruling.ruling_no):
        if ruling.undone_by is None:
            for one in ruling.customer_ids:
                last |= {ordered(one, other): ruling for other in ruling.other_ids}
    return Standing(
        {pair: ruling.ruling_no for pair, ruling in last.items() if ruling.verdict is Verdict.SAME},
        frozenset(pair for pair, ruling in last.items() if ruling.verdict is Verdict.DIFFERENT),
    )


def ordered(one: str, other: str) -> tuple[str, str]:
    """A pair of ids, the smaller first."""
    return (one, other) if one < other else (other, one)
