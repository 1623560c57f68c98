"""One definition, two values: the sequence from the history and from a list of events are equal (law)."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from properties.test_features_equal import OWNERS, WITHDRAWALS, instants, lateness, words
from rooms.test_features_history import AS_OF, LIFE, write_history
from shouxin.features.sequences import RECENT_EVENTS, encode, recent_events, sequences
from shouxin.kernel import Event, Money

SHORT = recent_events(zone="Europe/London", length=5)
KINDS = [*RECENT_EVENTS.kinds, "product_viewed", "instalment_due"]
payloads = st.fixed_dictionaries(
    {},
    optional={
        "payment_method": st.sampled_from(["card", "credit", "it's"]),
        "method": st.sampled_from(["wallet", "shells", 7]),
        "category": st.sampled_from(["grocery", "travel", "其他", None]),
        "refund_kind": st.sampled_from(["return", "refund_only"]),
        "by": st.sampled_from(["customer", "shop"]),
        "days_past_due": st.sampled_from([0, 1, 8, 29, 30, 60, 90, "90", True, 1.5]),
        "days_late": st.integers(-2, 3),
        "rating": st.integers(1, 5),
        "severity": st.integers(1, 3),
        "device_token": st.sampled_from(["tok_a", "tok_b", "tok_c", 5]),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    events = []
    for number in range(draw(st.integers(1, 30))):
        occurred = draw(instants | st.sampled_from([AS_OF, AS_OF - timedelta(days=1)]))
        events.append(
            Event(
                source=draw(st.sampled_from(["shop", "till"])),
                source_id=str(number),
                kind=draw(st.sampled_from(KINDS)),
                version=1,
                customer_ref=draw(st.sampled_from(sorted(OWNERS))),
                occurred_at=occurred,
                received_at=occurred + draw(lateness),
                amount=draw(
                    st.none() | st.builds(Money, st.integers(-5, 10**7), st.sampled_from(["CNY", "JPY"]))
                ),
                order_ref=None,
                payload=draw(payloads),
            )
        )
    return events


@settings(max_examples=120)
@given(histories(), words(), st.sampled_from([RECENT_EVENTS, SHORT]))
@example([*LIFE], WITHDRAWALS, SHORT)
def test_history_and_list_give_the_same_text(events, said, definition):
    everything = [*events, *said]
    links = pa.table(
        {
            "source": [s for s in ("shop", "till") for _ in OWNERS],
            "customer_ref": [*OWNERS, *OWNERS],
            "customer_id": [*OWNERS.values(), *OWNERS.values()],
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        history = write_history(Path(folder), everything)
        table = sequences(history, links, as_of=AS_OF, definition=definition)
    batch = {row["customer_id"]: row["recent_events"] for row in table.to_pylist()}
    assert set(batch) == {OWNERS[e.customer_ref] for e in everything if e.known_at(AS_OF)}
    for customer, value in batch.items():
        own = [event for event in everything if OWNERS[event.customer_ref] == customer]
        assert value == encode(definition, own, as_of=AS_OF)
        assert len(definition.layout.numbers(value)) <= definition.length


@settings(max_examples=80)
@given(histories(), histories(), st.randoms(use_true_random=False))
def test_neither_the_future_nor_the_order_of_reading_changes_anything(events, others, random):
    later = [event for event in others if not event.known_at(AS_OF)]
    mixed = [*events, *later]
    random.shuffle(mixed)
    assert encode(RECENT_EVENTS, mixed, as_of=AS_OF) == encode(RECENT_EVENTS, events, as_of=AS_OF)
