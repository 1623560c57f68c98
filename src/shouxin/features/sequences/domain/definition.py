"""What a customer's sequence of events is: which kinds, which fields of each, and every code they can have.

Three kinds of time stand beside every event: how long after the one before it (``gap``), how long before
the reader (``age``, whole days) and the hour of the shop's day. Vocabularies are fixed here; a word that is
not among them is ``other``. A device is the first one, the same as before, known or new: never a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shouxin.features.sequences.domain.layout import SequenceField, SequenceLayout
from shouxin.ingestion.consent.domain import purposes_of_use
from shouxin.kernel import Bilingual, content_hash

AGE_DAYS_MAX = 4095
NONE, OTHER = "none", "other"
FIRST, SAME, KNOWN, NEW = "first", "same", "known", "new"
DEVICES = (NONE, FIRST, SAME, KNOWN, NEW)
DEVICE_FIELD = "device_token"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """The outcome of an event of ``kind``: where ``field`` says this word, or at least this number."""

    kind: str
    field: str
    says: str | int
    outcome: str


@dataclass(frozen=True)
class SequenceDefinition:
    """One sequence a customer. Vocabularies do not hold ``none`` and ``other``, which every one has.

    ``fields`` names the payload fields that hold category and method. The first rule that an event meets
    is its outcome; an event that meets none has none. Amounts are in minor units; a gap is in seconds.
    """

    name: str
    meaning: Bilingual
    zone: str
    length: int
    kinds: tuple[str, ...]
    categories: tuple[str, ...]
    methods: tuple[str, ...]
    outcomes: tuple[OutcomeRule, ...]
    gap_edges: tuple[int, ...]
    age_edges: tuple[int, ...]
    amount_edges: tuple[int, ...]
    fields: tuple[tuple[str, str], ...]

    @cached_property
    def outcome_names(self) -> tuple[str, ...]:
        """Every outcome, in order of first use."""
        return tuple(dict.fromkeys(rule.outcome for rule in self.outcomes))

    @cached_property
    def hash(self) -> str:
        """``sha256:`` and 64 hex digits over everything that decides a sequence."""
        return content_hash(self.as_data())

    @cached_property
    def layout(self) -> SequenceLayout:
        """How a sequence is written."""
        return SequenceLayout(
            self.hash,
            (
                SequenceField("kind", len(self.kinds)),
                SequenceField("gap", len(self.gap_edges) + 2),
                SequenceField("age", len(self.age_edges) + 1, letters=2, edges=self.age_edges),
                SequenceField("hour", 24),
                SequenceField("category", len(self.categories) + 2),
                SequenceField("amount", len(self.amount_edges) + 2),
                SequenceField("device", len(DEVICES)),
                SequenceField("method", len(self.methods) + 2),
                SequenceField("outcome", len(self.outcome_names) + 1),
            ),
            self.length,
        )

    @cached_property
    def purposes(self) -> dict[str, frozenset[str]]:
        """By kind, the purposes of which none may be withdrawn for its events to be read."""
        return {kind: purposes_of_use([kind]) for kind in self.kinds}

    @cached_property
    def device_purposes(self) -> frozenset[str]:
        """The purposes of which none may be withdrawn for a device to be compared."""
        return purposes_of_use([], ["device"])

    def as_data(self) -> dict[str, Any]:
        """The definition as JSON data; its hash is over this."""
        return {
            "name": self.name,
            "meaning": self.meaning.as_data(),
            "zone": self.zone,
            "length": self.length,
            "kinds": list(self.kinds),
            "categories": list(self.categories),
            "methods": list(self.methods),
            "outcomes": [[rule.kind, rule.field, rule.says, rule.outcome] for rule in self.outcomes],
            "gap_edges": list(self.gap_edges),
            "age_edges": list(self.age_edges),
            "amount_edges": list(self.amount_edges),
            "fields": [list(pair) for pair in self.fields],
        }


def recent_events(*, zone: str = "Asia/Shanghai", length: int = 64) -> SequenceDefinition:
    """The latest ``length`` events that say something of credit, for a shop that lives by ``zone``."""
    return SequenceDefinition(
        name="recent_events",
        meaning=Bilingual("近期行为", "recent behaviour"),
        zone=zone,
        length=length,
        kinds=(
            "order_placed", "order_line_placed", "order_paid", "order_cancelled", "order_line_cancelled",
            "order_delivered", "delivery_refused", "return_requested", "refund_issued", "review_posted",
            "complaint_filed", "violation_recorded", "login_recorded", "line_opened", "line_limit_changed",
            "instalment_due", "instalment_overdue", "repayment_received", "payment_failed",
            "chargeback_received",
        ),
        categories=(
            "grocery", "clothing", "beauty", "home", "digital", "appliance", "sport", "books", "jewellery",
            "gift_card", "toy", "travel",
        ),
        methods=("card", "wallet", "credit", "cod", "transfer"),
        outcomes=_OUTCOMES,
        gap_edges=(
            _MINUTE, 10 * _MINUTE, _HOUR, 6 * _HOUR, _DAY, 2 * _DAY, 4 * _DAY, 7 * _DAY, 14 * _DAY,
            30 * _DAY, 60 * _DAY, 120 * _DAY,
        ),
        age_edges=(1, 2, 4, 7, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 730),
        amount_edges=(
            1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
        ),
        fields=(
            ("order_placed.category", "category"), ("order_placed.payment_method", "method"),
            ("order_paid.method", "method"),
        ),
    )  # fmt: skip


_OUTCOMES = (
    OutcomeRule("order_cancelled", "by", "customer", "by_customer"),
    OutcomeRule("order_cancelled", "by", "shop", "by_shop"),
    OutcomeRule("order_delivered", "days_late", 1, "late"),
    OutcomeRule("refund_issued", "refund_kind", "refund_only", "goods_kept"),
    OutcomeRule("review_posted", "rating", 4, "good"),
    OutcomeRule("review_posted", "rating", 3, "middling"),
    OutcomeRule("review_posted", "rating", 1, "bad"),
    OutcomeRule("violation_recorded", "severity", 3, "severe"),
    OutcomeRule("instalment_overdue", "days_past_due", 90, "past_due_90"),
    OutcomeRule("instalment_overdue", "days_past_due", 60, "past_due_60"),
    OutcomeRule("instalment_overdue", "days_past_due", 30, "past_due_30"),
    OutcomeRule("instalment_overdue", "days_past_due", 1, "past_due_1"),
    OutcomeRule("repayment_received", "days_past_due", 30, "paid_very_late"),
    OutcomeRule("repayment_received", "days_past_due", 8, "paid_late"),
    OutcomeRule("repayment_received", "days_past_due", 1, "paid_days_late"),
    OutcomeRule("repayment_received", "days_past_due", 0, "paid_on_time"),
)
RECENT_EVENTS = recent_events()
