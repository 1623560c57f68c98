"""Feedback: what departments and customers tell the model, as data.

A *label* says what really happened (fraud found, a debt that was an error of the bank); an *override* says
that a person decided otherwise than the grade; an *appeal* says how a customer's objection ended. They are
never edited: a later word about the same thing stands beside the earlier one, and the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shouxin.kernel import Bilingual


class FeedbackKind(StrEnum):
    """What sort of word it is."""

    LABEL = "label"
    OVERRIDE = "override"
    APPEAL = "appeal"


FEEDBACK_WORDS: Mapping[FeedbackKind, Bilingual] = {
    FeedbackKind.LABEL: Bilingual("结果标签", "Label"),
    FeedbackKind.OVERRIDE: Bilingual("人工改判", "Override"),
    FeedbackKind.APPEAL: Bilingual("客户申诉", "Appeal"),
}
SAID: Mapping[FeedbackKind, tuple[str, ...]] = {
    FeedbackKind.LABEL: ("event", "non_event"),
    FeedbackKind.OVERRIDE: ("S", "A", "B", "C", "D", "approve", "decline"),
    FeedbackKind.APPEAL: ("upheld", "rejected"),
}


class UnableToTakeFeedback(ValueError):
    """The word is not one that its kind knows, or gives no reason."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One word about a customer. ``as_of`` is the day that it speaks about; ``by`` is who says it."""

    kind: FeedbackKind
    customer_id: str
    as_of: datetime
    said: str
    reason: str
    by: str
    at: datetime
    decision_id: str | None = None


def check_feedback(kind: FeedbackKind, said: str, reason: str) -> None:
    """Raise UnableToTakeFeedback where the word does not fit."""
    if said not in SAID[kind]:
        raise UnableToTakeFeedback(f"{kind.value} says {' or '.join(SAID[kind])}, not {said!r}")
    if not reason.strip():
        raise UnableToTakeFeedback(f"{kind.value} of {said}: say why; a word without a reason teaches nobody")


def corrected(
    rows: Sequence[tuple[str, datetime, int]], words: Iterable[Feedback], *, window_days: int
) -> list[int | None]:
    """The labels of ``rows`` (customer_id, as_of, event) after what people told; None: learn nothing from it.

    A word about a day within the performance window of a row speaks about that row. A label replaces what the
    events say; an appeal that was upheld voids the row, since what the events say was wrong. The last word
    counts.
    """
    told: dict[str, list[Feedback]] = {}
    for word in sorted(words, key=lambda item: item.at):
        if word.kind is not FeedbackKind.OVERRIDE:
            told.setdefault(word.customer_id, []).append(word)
    found: list[int | None] = []
    for customer_id, as_of, event in rows:
        end = as_of + timedelta(days=window_days)
        label: int | None = event
        for word in told.get(customer_id, ()):
            if as_of < word.as_of <= end:
                label = _after(word, event=event, label=label)
        found.append(label)
    return found


def _after(word: Feedback, *, event: int, label: int | None) -> int | None:
    if word.kind is FeedbackKind.LABEL:
        return int(word.said == "event")
    return None if word.said == "upheld" else (event if label is None else label)
