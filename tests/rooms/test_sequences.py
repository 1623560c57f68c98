"""A customer's events in their order: what a sequence says, what it does not, and how it is written."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from rooms.test_features_history import AS_OF, event, links_of, write_history
from shouxin.features.sequences import (
    RECENT_EVENTS,
    SequenceField,
    SequenceLayout,
    UnableToReadSequence,
    encode,
    is_sequence,
    recent_events,
    sequences,
)
from shouxin.ingestion.domain.kinds import KINDS

LAYOUT = RECENT_EVENTS.layout
LIFE = [
    event("order_placed", 40, order="O1", amount="120.00", category="digital", payment_method="credit",
          device_token="tok_a"),
    event("order_placed", 10, order="O2", amount="9.99", category="marbles", payment_method="card",
          device_token="tok_b"),
    event("login_recorded", 5, device_token="tok_a"),
    event("instalment_overdue", 4, amount="40.00", plan_id="P1", number=1, days_past_due=1),
    event("login_recorded", 3, device_token="tok_a"),
    event("repayment_received", 2, amount="40.00", plan_id="P1", days_past_due=3),
    event("product_viewed", 1, sku="S1"),
]  # fmt: skip


def told(events, *, definition=RECENT_EVENTS, as_of=AS_OF):
    """The events of a sequence, a dictionary each."""
    names = [field.name for field in definition.layout.fields]
    numbers = definition.layout.numbers(encode(definition, events, as_of=as_of))
    return [dict(zip(names, each, strict=True)) for each in numbers]


def words(each):
    """One event, its codes as words."""
    category = ("none", *RECENT_EVENTS.categories, "other")[each["category"]]
    outcome = ("none", *RECENT_EVENTS.outcome_names)[each["outcome"]]
    device = ("none", "first", "same", "known", "new")[each["device"]]
    return RECENT_EVENTS.kinds[each["kind"]], category, device, outcome


def test_events_stand_in_their_order_with_what_they_say():
    assert [words(each) for each in told(LIFE)] == [
        ("order_placed", "digital", "first", "none"),
        ("order_placed", "other", "new", "none"),
        ("login_recorded", "none", "known", "none"),
        ("instalment_overdue", "none", "none", "past_due_1"),
        ("login_recorded", "none", "same", "none"),
        ("repayment_received", "none", "none", "paid_days_late"),
    ]


def test_three_kinds_of_time_stand_beside_each_event():
    events = told(LIFE)
    assert [each["age"] for each in events] == [40, 10, 5, 4, 3, 2]
    # The first of all has none; then 30, 5, 1, 1 and 1 days.
    assert [each["gap"] for each in events] == [0, 11, 8, 6, 6, 6]
    assert {each["hour"] for each in events} == {8}  # midnight in London, eight in Shanghai


def test_an_event_learnt_late_is_not_seen_before():
    late = event("order_cancelled", 9, order="O2", by="customer", late_days=5)
    before = AS_OF - timedelta(days=5)
    assert encode(RECENT_EVENTS, [*LIFE, late], as_of=before) == encode(RECENT_EVENTS, LIFE, as_of=before)
    assert len(told([*LIFE, late])) == len(told(LIFE)) + 1


def test_what_a_customer_took_back_is_not_read():
    no = event("consent_withdrawn", 1, purpose="credit_assessment")
    assert [words(each)[0] for each in told([*LIFE, no])] == ["instalment_overdue", "repayment_received"]


def test_only_the_latest_events_are_kept_and_gaps_are_of_the_whole():
    short = recent_events(length=2)
    assert told(LIFE, definition=short) == told(LIFE)[-2:]


def test_a_customer_without_events_has_an_empty_sequence(tmp_path):
    history = write_history(tmp_path, LIFE)
    table = sequences(history, links_of("C1"), as_of=AS_OF, customers=["cus_C1", "cus_new"])
    assert table.column_names == ["customer_id", "as_of", "recent_events"]
    assert table["recent_events"].to_pylist() == [encode(RECENT_EVENTS, LIFE, as_of=AS_OF), LAYOUT.prefix]


def test_no_token_is_in_a_sequence():
    renamed = [
        event(e.kind, (AS_OF - e.occurred_at) / timedelta(days=1), **{**e.payload, "device_token": "tok_z"})
        for e in LIFE
        if e.kind == "login_recorded"
    ]
    plain = [e for e in LIFE if e.kind == "login_recorded"]
    assert encode(RECENT_EVENTS, renamed, as_of=AS_OF) == encode(RECENT_EVENTS, plain, as_of=AS_OF)


def test_every_kind_that_is_read_is_a_kind_of_event():
    assert set(RECENT_EVENTS.kinds) <= set(KINDS)
    assert {rule.kind for rule in RECENT_EVENTS.outcomes} <= set(RECENT_EVENTS.kinds)


def test_another_definition_has_another_hash_and_layout():
    other = recent_events(zone="Europe/London")
    assert other.hash != RECENT_EVENTS.hash
    assert other.layout.tag != LAYOUT.tag
    assert RECENT_EVENTS.hash == recent_events().hash


def test_codes_are_numbers_in_bins_the_last_event_at_the_end():
    layout = SequenceLayout("test", (SequenceField("a", 3), SequenceField("days", 3, 2, edges=(10, 100))), 3)
    codes, counts = layout.codes([layout.text([(1, 5), (2, 4000)]), None, layout.text([])])
    assert counts.tolist() == [2, 0, 0]
    assert codes[0].tolist() == [[0, 0], [1, 0], [2, 2]]
    assert (codes[1:] == 0).all()
    assert layout.numbers(layout.text([(1, 5), (2, 4000)])) == [[1, 5], [2, 4000]]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("s1:000000000000:AA", "another layout"),
        ("nothing", "another layout"),
        (LAYOUT.prefix + "A", "10 letters an event"),
        (LAYOUT.prefix + "A" * 10 * 65, "64 at most"),
        (LAYOUT.prefix + "A" * 9 + "é", "a letter that no sequence has"),
        (LAYOUT.prefix + "_" * 10, "a kind that its layout does not know"),
    ],
)
def test_what_is_no_sequence_is_refused(value, problem):
    with pytest.raises(UnableToReadSequence, match=problem):
        LAYOUT.codes([value])


def test_a_sequence_says_that_it_is_one():
    assert is_sequence(LAYOUT.text([]))
    assert not any(is_sequence(value) for value in ("card", None, 5, np.nan))
