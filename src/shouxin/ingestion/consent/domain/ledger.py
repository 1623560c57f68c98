"""Words and standings: what a customer said about a purpose, and what holds at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import get_args

from shouxin.ingestion.domain.schemas import Purpose
from shouxin.kernel import Bilingual, Event

GIVEN, WITHDRAWN = "consent_given", "consent_withdrawn"
WORD_KINDS = (GIVEN, WITHDRAWN)

# Purpose -> what it is called on a page; in the order of the event's schema.
PURPOSES: Mapping[str, Bilingual] = {
    "credit_assessment": Bilingual("信用评估", "credit assessment"),
    "behaviour": Bilingual("浏览与行为分析", "analysis of visits and behaviour"),
    "payment_and_address": Bilingual("支付工具、设备与地址分析", "analysis of cards, devices and addresses"),
    "external_data": Bilingual("查询外部征信数据", "asking providers of credit data"),
    "social": Bilingual("社交信息", "social data"),
    "survey": Bilingual("问卷与访谈", "surveys and interviews"),
    "sharing": Bilingual("与合作方共享", "sharing with partners"),
    "marketing": Bilingual("营销", "marketing"),
}
assert tuple(PURPOSES) == get_args(Purpose), "every purpose of the schema has a name"


class ConsentState(StrEnum):
    """What holds for a purpose. Nobody who was never asked has agreed."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    NEVER_ASKED = "never_asked"


@dataclass(frozen=True, slots=True)
class ConsentWord:
    """One word of a customer, as an event told it; ``state`` is granted or withdrawn."""

    source: str
    customer_ref: str
    purpose: str
    state: ConsentState
    text_version: str | None
    channel: str | None
    occurred_at: datetime
    received_at: datetime

    def known_at(self, as_of: datetime) -> bool:
        """Whether a reader at ``as_of`` knows of it: both times have come."""
        return self.occurred_at <= as_of and self.received_at <= as_of


@dataclass(frozen=True, slots=True)
class ConsentStanding:
    """What holds for one purpose at ``as_of``.

    ``since`` is when the state began; ``text_version`` is the text that was agreed to last, also of a
    consent that is withdrawn by now; ``word`` decided it. All three are None when nobody was asked.
    """

    purpose: str
    state: ConsentState
    as_of: datetime
    since: datetime | None = None
    text_version: str | None = None
    word: ConsentWord | None = None

    @property
    def is_granted(self) -> bool:
        """Whether the data may be used for the purpose."""
        return self.state is ConsentState.GRANTED


def in_order(words: Iterable[ConsentWord]) -> list[ConsentWord]:
    """Words from the oldest to the last: by when they were said, then learnt; at a tie "no" comes last."""
    return sorted(
        words,
        key=lambda word: (word.occurred_at, word.received_at, word.state, word.text_version or ""),
    )


def standing_of(words: Iterable[ConsentWord], *, purpose: str, as_of: datetime) -> ConsentStanding:
    """What holds for the purpose, from the words of all the references of one customer.

    Each reference counts with its last word that was known at ``as_of``. The most restrictive of these
    holds: one "no" is a "no", whatever was said elsewhere; else one "yes" is a "yes".
    """
    by_reference: dict[tuple[str, str], list[ConsentWord]] = {}
    for word in in_order(words):
        if word.purpose == purpose and word.known_at(as_of):
            by_reference.setdefault((word.source, word.customer_ref), []).append(word)
    if not by_reference:
        return ConsentStanding(purpose, ConsentState.NEVER_ASKED, as_of)
    refused = [run for run in by_reference.values() if run[-1].state is ConsentState.WITHDRAWN]
    deciding = refused or list(by_reference.values())
    since, word = min(
        ((_run_start(run), run[-1]) for run in deciding), key=lambda found: (found[0], found[1].source)
    )
    agreed = [one for run in deciding for one in run if one.text_version is not None]
    text_version = in_order(agreed)[-1].text_version if agreed else None
    return ConsentStanding(purpose, word.state, as_of, since, text_version, word)


def _run_start(run: Sequence[ConsentWord]) -> datetime:
    """Since when the last state of a reference holds without a break."""
    start = run[-1]
    for word in reversed(run):
        if word.state is not start.state:
            break
        start = word
    return start.occurred_at


def withdrawn_purposes(events: Iterable[Event], *, as_of: datetime) -> frozenset[str]:
    """The purposes that one customer, whose events these are, has taken back by ``as_of``."""
    words = [word_of(event) for event in events if event.kind in WORD_KINDS]
    refused = {word.purpose for word in words if word.state is ConsentState.WITHDRAWN}
    return frozenset(
        purpose
        for purpose in refused
        if standing_of(words, purpose=purpose, as_of=as_of).state is ConsentState.WITHDRAWN
    )


def word_of(event: Event) -> ConsentWord:
    """The word that an event of one of WORD_KINDS is."""
    return ConsentWord(
        event.source,
        event.customer_ref,
        event.payload["purpose"],
        ConsentState.GRANTED if event.kind == GIVEN else ConsentState.WITHDRAWN,
        event.payload.get("text_version"),
        event.payload.get("channel"),
        event.occurred_at,
        event.received_at,
    )
