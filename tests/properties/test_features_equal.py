"""One definition, four ways: batch, training set, online and from a state, equal to the last bit (law)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rooms.test_features_history import AS_OF, LIFE, event, links_of, write_history
from shouxin.features import (
    CANCELS,
    CATALOGUE,
    DEFAULTS,
    FeatureDefinition,
    compute,
    evaluate,
    labels,
    state,
    training_set,
)
from shouxin.features.domain import Aggregate, kinds_of, label, parts_of
from shouxin.features.state.domain import State, absorb, from_bytes, to_bytes
from shouxin.kernel import Event, Money

REFERENCES = ("C1", "C2", "C3")
# A few at a time: to plan a query of the whole catalogue takes longer than to run it over so few events.
# `test_features_engines` computes the whole.
some_features = st.lists(st.sampled_from(CATALOGUE), min_size=1, max_size=8, unique=True)
FIRST = list(CATALOGUE[::9])
KINDS = sorted({*kinds_of(parts_of(CATALOGUE)), *kinds_of(DEFAULTS.parts()), "product_viewed"})
# Few, so that several words about one purpose meet; the last one is not of any feature.
PURPOSES = ("credit_assessment", "behaviour", "payment_and_address", "marketing")
EDGES = sorted({part.window_days for part in parts_of(CATALOGUE) if part.window_days})
MICROSECOND = timedelta(microseconds=1)

# Days before AS_OF: anywhere, and just inside, at and just outside every window's edge.
instants = st.one_of(
    st.integers(-120 * 24 * 60, 2000 * 24 * 60).map(lambda minutes: AS_OF - timedelta(minutes=minutes)),
    st.builds(
        lambda days, step: AS_OF - timedelta(days=days) + step * MICROSECOND,
        st.sampled_from([0, *EDGES]),
        st.integers(-1, 1),
    ),
)
lateness = st.one_of(st.just(timedelta(0)), st.integers(1, 60 * 24 * 60).map(lambda m: timedelta(minutes=m)))
amounts = st.none() | st.builds(Money, st.integers(0, 10**9), st.sampled_from(["CNY", "GBP", "JPY", "KWD"]))
payloads = st.fixed_dictionaries(
    {},
    optional={
        "payment_method": st.sampled_from(["card", "credit", "it's"]),
        "refund_kind": st.sampled_from(["return", "refund_only"]),
        "days_past_due": st.integers(0, 95),
        "device_token": st.sampled_from(["tok_a", "tok_b", "tok_c"]),
        "product": st.sampled_from(["sesame_score", "bureau_report", "public_records"]),
        "score": st.integers(350, 950),
        "open_loans": st.integers(0, 3),
        "overdue_loans": st.integers(0, 3),
        "court_records": st.integers(0, 3),
        "valid_days": st.sampled_from([1, *EDGES]),
        "reason": st.sampled_from(["尺码不合", 'a "quoted" word', "", "insufficient_funds", "changed_mind"]),
        "category": st.sampled_from(["books", "digital"]),
        "channel": st.sampled_from(["app", "web"]),
        "merchant_ref": st.sampled_from(["M1", "M2"]),
        "items": st.integers(1, 4),
        "coupon_minor": st.sampled_from([0, 250]),
        "by": st.sampled_from(["customer", "shop"]),
        "days_late": st.integers(-1, 3),
        "rating": st.integers(1, 5),
        "sentiment": st.integers(-100, 100),
        "topic": st.sampled_from(["not_received", "quality"]),
        "severity": st.integers(1, 3),
        "city": st.sampled_from(["x", "y"]),
        "sku": st.sampled_from(["s1", "s2"]),
        "quantity": st.integers(0, 3),
        "level": st.integers(0, 4),
        "plan_id": st.sampled_from(["P1", "P2"]),
        "outcome": st.sampled_from(["found", "unknown_person"]),
    },
)


# C1 and C9 are one customer, so a "no" of either is a "no" of both; two instants make ties.
OWNERS = {"C1": "cus_C1", "C2": "cus_C2", "C3": "cus_C3", "C9": "cus_C1"}


@st.composite
def words(draw: st.DrawFn) -> list[Event]:
    """What customers said about purposes, some of it at one instant and some learnt later."""
    said = []
    for number in range(draw(st.integers(0, 12))):
        occurred = draw(instants | st.sampled_from([AS_OF, AS_OF - timedelta(days=1)]))
        said.append(
            Event(
                source="shop",
                source_id=f"word-{number}",
                kind=draw(st.sampled_from(["consent_given", "consent_withdrawn"])),
                version=1,
                customer_ref=draw(st.sampled_from(sorted(OWNERS))),
                occurred_at=occurred,
                received_at=occurred + draw(lateness),
                payload={"purpose": draw(st.sampled_from(PURPOSES)), "text_version": "v1"},
            )
        )
    return said


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    count = draw(st.integers(1, 40))
    events = []
    for number in range(count):
        occurred = draw(instants)
        events.append(
            Event(
                source="shop",
                source_id=str(number),
                kind=draw(st.sampled_from(KINDS)),
                version=1,
                customer_ref=draw(st.sampled_from(REFERENCES)),
                occurred_at=occurred,
                received_at=occurred + draw(lateness),
                amount=draw(amounts),
                order_ref=draw(st.none() | st.sampled_from(["O1", "O2", "O3", "O4"])),
                payload=draw(payloads),
            )
        )
    return events


WITHDRAWALS = [
    event("consent_given", 9, purpose="behaviour", text_version="v1"),
    event("consent_withdrawn", 2, ref="C9", purpose="behaviour"),
    event("consent_withdrawn", 2, ref="C2", purpose="credit_assessment", late_days=3),
]
NO_HERE_YES_THERE = [
    event("consent_withdrawn", 9, purpose="credit_assessment"),
    event("consent_given", 2, ref="C9", purpose="credit_assessment", text_version="v1"),
]
TIES = [
    event("consent_given", 5, purpose="credit_assessment", text_version="v1"),
    event("consent_withdrawn", 5, purpose="credit_assessment"),
]


def of(events: list[Event], reference: str) -> list[Event]:
    return [event for event in events if event.customer_ref == reference]


def by_customer(table: pa.Table) -> dict[str, dict[str, object]]:
    return {row["customer_id"]: row for row in table.to_pylist()}


def by_state(
    events: list[Event], chosen: Sequence[FeatureDefinition], random: Random
) -> dict[str, float | None]:
    """The values from what is kept of a reference whose events arrived in any order and in portions."""
    layout = state.layout_of(chosen)
    waiting = random.sample(events, len(events))
    kept = State(("shop", events[0].customer_ref if events else "nobody"))
    for one in waiting:
        absorb(kept, [one], layout=layout, position=kept.position + 1)
        kept = from_bytes(kept.reference, position=kept.position, stored=to_bytes(kept))
    return state.answer(state.plan_of(chosen, layout), [kept], as_of=AS_OF)


@settings(max_examples=60)
@given(histories(), words(), some_features)
@example([*LIFE], WITHDRAWALS, FIRST)
@example([*LIFE], NO_HERE_YES_THERE, FIRST)
@example([*LIFE], TIES, FIRST)
@example([*LIFE], TIES[::-1], FIRST)
def test_what_a_customer_took_back_is_missing_everywhere_alike(events, said, chosen):
    everything = [*events, *said]
    links = pa.table(
        {
            "source": ["shop"] * len(OWNERS),
            "customer_ref": list(OWNERS),
            "customer_id": list(OWNERS.values()),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        history = write_history(Path(folder), everything)
        batch = by_customer(compute(history, links, as_of=AS_OF, definitions=chosen))
    assert set(batch) == {OWNERS[e.customer_ref] for e in everything if e.known_at(AS_OF)}
    for customer, row in batch.items():
        own = [event for event in everything if OWNERS[event.customer_ref] == customer]
        online = evaluate(chosen, own, as_of=AS_OF)
        assert {name: row[name] for name in online} == online


@settings(max_examples=60)
@given(histories(), some_features, st.randoms(use_true_random=False))
@example(LIFE, FIRST, Random(1))
def test_batch_training_row_online_value_and_state_are_equal(events, chosen, random):
    links = links_of(*REFERENCES)
    known = {f"cus_{e.customer_ref}" for e in events if e.known_at(AS_OF)}
    with tempfile.TemporaryDirectory() as folder:
        history = write_history(Path(folder), events)
        batch = by_customer(compute(history, links, as_of=AS_OF, definitions=chosen))
        training = by_customer(
            training_set(
                history,
                links,
                as_ofs=[AS_OF],
                outcome=CANCELS,
                definitions=chosen,
                known_until=AS_OF + timedelta(days=90),
            )
        )
    assert set(batch) == known
    for reference in REFERENCES:
        online = evaluate(chosen, of(events, reference), as_of=AS_OF)
        assert by_state(of(events, reference), chosen, random) == online
        customer = f"cus_{reference}"
        for row in (batch.get(customer), training.get(customer)):
            if row is not None:
                assert {name: row[name] for name in online} == online


@settings(max_examples=40)
@given(histories(), st.sampled_from([CANCELS, DEFAULTS]), st.integers(0, 30))
def test_labels_are_what_the_definition_says(events, outcome, waited_days):
    until = outcome.matures_at(AS_OF) + timedelta(days=waited_days)
    with tempfile.TemporaryDirectory() as folder:
        history = write_history(Path(folder), events)
        table = labels(history, links_of(*REFERENCES), as_of=AS_OF, outcome=outcome, known_until=until)
    expected = {
        f"cus_{reference}": value
        for reference in REFERENCES
        if (value := label(outcome, of(events, reference), as_of=AS_OF, known_until=until)) is not None
    }
    assert {row["customer_id"]: row["event"] for row in table.to_pylist()} == expected


@settings(max_examples=100)
@given(histories(), histories())
def test_the_future_changes_nothing(events, others):
    later = [event for event in others if not event.known_at(AS_OF)]
    assert evaluate(CATALOGUE, [*events, *later], as_of=AS_OF) == evaluate(CATALOGUE, events, as_of=AS_OF)


@settings(max_examples=100)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_reading_changes_nothing(events, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    assert evaluate(CATALOGUE, shuffled, as_of=AS_OF) == evaluate(CATALOGUE, events, as_of=AS_OF)


def test_every_window_edge_is_among_the_drawn_instants():
    assert all(isinstance(part, Aggregate) for part in parts_of(CATALOGUE))
    assert EDGES == [30, 90, 180, 275, 365, 730, 1825]
