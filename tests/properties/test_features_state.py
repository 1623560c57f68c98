"""What is answered from states is what the definitions say of all events, to the last bit (law)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from properties.test_features_equal import OWNERS, TIES, WITHDRAWALS, histories, words
from rooms.test_features_history import AS_OF, LIFE
from shouxin.database import Database
from shouxin.features import CATALOGUE, FeatureDefinition, Missing, Topic, evaluate, state
from shouxin.features.domain import (
    AMOUNT,
    KIND,
    ORDER,
    Aggregate,
    Aggregation,
    Comparison,
    Condition,
    Difference,
    Field,
    Origin,
    Ratio,
)
from shouxin.features.state.domain import State, absorb, from_bytes, to_bytes
from shouxin.features.state.store import StoredState, put_states
from shouxin.ingestion import UnableToSettle
from shouxin.ingestion.domain import Fact
from shouxin.ingestion.store import append_facts
from shouxin.kernel import Bilingual, Event, Money, canonical_json

A, C = Aggregation, Comparison
ORDERED, PAID = ("order_placed", "order_line_placed"), ("repayment_received",)
DAY = Field(Origin.DAY, "Asia/Shanghai")
METHOD = Field(Origin.TEXT, "payment_method")
LATE = Field(Origin.NUMBER, "days_past_due")
NOT_CARD = (Condition(METHOD, C.NONE_OF, ("card",)), Condition(AMOUNT, C.PRESENT))
OF_EVERY_SORT = (
    Aggregate(A.COUNT, ORDERED, 90, where=NOT_CARD),
    Aggregate(A.COUNT, ORDERED, None, where=(Condition(METHOD, C.ABSENT),)),
    Aggregate(A.COUNT_DISTINCT, ORDERED, None, KIND),
    Aggregate(A.COUNT_DISTINCT, ORDERED, 365, METHOD, ends_days_ago=30),
    Aggregate(A.COUNT_COMMONEST, ORDERED, 365, ORDER),
    Aggregate(A.SUM, ORDERED, 180, AMOUNT, (Condition(METHOD, C.ONE_OF, ("credit", "it's")),)),
    Aggregate(A.MEAN, ORDERED, 365, AMOUNT),
    Aggregate(A.MIN, ORDERED, None, AMOUNT),
    Aggregate(A.MAX, PAID, 365, LATE),
    Aggregate(A.PERCENTILE, ORDERED, 365, AMOUNT, percent=75),
    Aggregate(A.EARLIEST, ORDERED, None, AMOUNT),
    Aggregate(A.LATEST, ORDERED, None, Field(Origin.AMOUNT_BAND, edges=(100, 1000))),
    Aggregate(A.DAYS_SINCE_EARLIEST, PAID, None),
    Aggregate(A.DAYS_SINCE_LATEST, PAID, 365, where=(Condition(LATE, C.AT_LEAST, 1),)),
    Aggregate(A.MEAN_INTERVAL, ORDERED, None, DAY),
    Aggregate(A.INTERVAL_SPREAD, ORDERED, None, DAY),
    Aggregate(A.TREND, ORDERED, 360, AMOUNT, periods=6),
    Aggregate(A.LONGEST_STREAK, PAID, None, holds=(Condition(LATE, C.AT_MOST, 0),)),
    Aggregate(A.CURRENT_STREAK, PAID, None, holds=(Condition(LATE, C.AT_MOST, 30),)),
    Aggregate(A.ENTROPY, ORDERED, None, METHOD),
    Aggregate(A.DECAYED_COUNT, ORDERED, None, half_life_days=30),
    Aggregate(A.DECAYED_SUM, ORDERED, 365, AMOUNT, half_life_days=45),
    Aggregate(A.LATEST_VALID, ("external_score_received",), 365, Field(Origin.NUMBER, "score")),
)


def definition(name: str, formula: object, missing: Missing = Missing.STAYS_NULL) -> FeatureDefinition:
    return FeatureDefinition(
        name, formula, Bilingual("值", "value"), "points", missing, None, "credit_risk", Topic.PURCHASES
    )


DEFINITIONS = (
    *CATALOGUE,
    *(definition(f"sort_{number}", part) for number, part in enumerate(OF_EVERY_SORT)),
    definition("ratio", Ratio(OF_EVERY_SORT[0], Difference(OF_EVERY_SORT[5], OF_EVERY_SORT[6]))),
    definition("nothing", Ratio(OF_EVERY_SORT[0], OF_EVERY_SORT[0]), Missing.IS_ZERO),
)
LAYOUT = state.layout_of(DEFINITIONS)
PLAN = state.plan_of(DEFINITIONS, LAYOUT)


def test_every_aggregation_is_held_to_the_law():
    assert {part.aggregation for one in DEFINITIONS for part in one.parts} == set(Aggregation)


def stored_and_read(one: State) -> State:
    return from_bytes(one.reference, position=one.position, stored=to_bytes(one))


def absorbed(events: Sequence[Event], random: Random) -> list[State]:
    """The states of all references, absorbed in batches of any size in any order, some written between."""
    states = {("shop", reference): State(("shop", reference)) for reference in OWNERS}
    waiting = list(events)
    random.shuffle(waiting)
    while waiting:
        size = random.randint(1, len(waiting))
        batch, waiting = waiting[:size], waiting[size:]
        for reference, one in states.items():
            own = [event for event in batch if (event.source, event.customer_ref) == reference]
            absorb(one, own, layout=LAYOUT, position=one.position + len(own))
            if random.random() < 0.5:
                states[reference] = stored_and_read(one)
    return [stored_and_read(one) for one in states.values()]


HUGE = [
    replace(one, amount=Money(2**62, "CNY"), source_id=f"{one.source_id}-huge") for one in LIFE if one.amount
]


@settings(max_examples=60)
@given(histories(), words(), st.randoms(use_true_random=False), st.integers(0, 400))
@example([*LIFE], WITHDRAWALS, Random(1), 3)
@example([*LIFE], TIES, Random(2), 0)
@example(HUGE, [], Random(3), 0)
def test_states_say_what_all_events_say(events, said, random, days_ago):
    everything = [*events, *said]
    states = absorbed(everything, random)
    # Now, and standing at an earlier day; each reference alone, and all as one customer.
    for as_of in (AS_OF, AS_OF - timedelta(days=days_ago)):
        assert state.answer(PLAN, states, as_of=as_of) == evaluate(DEFINITIONS, everything, as_of=as_of)
        for one in states:
            own = [event for event in everything if event.customer_ref == one.reference[1]]
            assert state.answer(PLAN, [one], as_of=as_of) == evaluate(DEFINITIONS, own, as_of=as_of)


@settings(max_examples=20)
@given(histories(), st.randoms(use_true_random=False))
def test_the_same_facts_in_one_order_give_the_same_bytes(events, random):
    own = [replace(event, customer_ref="C1") for event in events]
    whole, piecewise = State(("shop", "C1")), State(("shop", "C1"))
    absorb(whole, own, layout=LAYOUT, position=len(own))
    cut = random.randint(0, len(own))
    absorb(piecewise, own[:cut], layout=LAYOUT, position=cut)
    piecewise = stored_and_read(piecewise)
    absorb(piecewise, own[cut:], layout=LAYOUT, position=len(own))
    assert to_bytes(piecewise) == to_bytes(whole)


def test_fewer_definitions_need_no_other_state():
    few = CATALOGUE[:3]
    assert LAYOUT.holds([part for one in few for part in one.parts])
    assert not state.layout_of(few).holds([part for one in DEFINITIONS for part in one.parts])
    states = absorbed(LIFE, Random(5))
    expected = {one.name: evaluate(DEFINITIONS, LIFE, as_of=AS_OF)[one.name] for one in few}
    assert state.answer(state.plan_of(few, LAYOUT), states, as_of=AS_OF) == expected


def test_a_layout_is_named_by_what_is_read_and_by_nothing_else():
    (months,) = (one for one in CATALOGUE if one.name == "orders_90d")
    wider = replace(months, formula=replace(months.formula, window_days=91), name="orders_91d")
    other = replace(months, formula=replace(months.formula, field=KIND), name="orders_by_kind")
    assert state.layout_of([months, wider]).hash == state.layout_of([months]).hash
    assert state.layout_of([months, other]).hash != state.layout_of([months]).hash


# --- with the database -------------------------------------------------------------------------------------

REFS = [("shop", reference) for reference in OWNERS]


class Crashed(Exception):
    pass


def write(db: Connection, events: Sequence[Event]) -> None:
    append_facts(
        db,
        [
            Fact(
                one.source, one.source_id, one.kind, one.version, one.customer_ref, one.occurred_at,
                one.received_at, one.order_ref, one.amount, canonical_json(dict(one.payload)),
            )
            for one in events
        ],
    )  # fmt: skip


def online(database: Database) -> dict[str, float | None]:
    with database.begin() as db:
        return state.answer(PLAN, state.states_now(db, REFS, LAYOUT), as_of=AS_OF)


def breaking(database: Database, *, at: int):
    """``begin`` that lets transaction number ``at`` do its work and then break instead of committing."""
    numbers = count()

    @contextmanager
    def begin():
        number = next(numbers)
        with database.begin() as db:
            yield db
            if number == at:
                raise Crashed

    return begin


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(histories(), words(), st.randoms(use_true_random=False))
def test_whatever_was_committed_is_seen_however_far_the_states_are(fresh_database, events, said, random):
    known = [*events, *said]
    random.shuffle(known)
    with fresh_database.begin() as db:
        db.execute(text("DELETE FROM features.state"))
        first = db.scalar(text("SELECT coalesce(max(event_no), 0) FROM ingestion.event"))
    # Ids are new in each example; earlier examples' events are of other customers.
    known = [replace(one, source_id=f"{first}-{number}") for number, one in enumerate(known)]
    known = [replace(one, source=f"shop{first}") for one in known]
    refs = [(f"shop{first}", reference) for _, reference in REFS]
    written: list[Event] = []
    while len(written) < len(known):
        size = random.randint(1, len(known) - len(written))
        batch = known[len(written) : len(written) + size]
        late, soon = batch[: size // 2], batch[size // 2 :]
        with fresh_database.engine.connect() as slow:
            transaction = slow.begin()
            write(slow, late)  # takes lower numbers and is committed later
            with fresh_database.begin() as db:
                write(db, soon)
            written += soon
            same_as_evaluated(fresh_database, refs, written)
            if late and random.random() < 0.2:
                with pytest.raises(UnableToSettle):
                    state.absorb_log(fresh_database.begin, LAYOUT)
            transaction.commit()
        written += late
        same_as_evaluated(fresh_database, refs, written)
        step = random.random()
        if step < 0.3:
            with pytest.raises(Crashed):
                state.absorb_log(breaking(fresh_database, at=random.randint(0, 3)), LAYOUT)
        elif step < 0.8:
            state.absorb_log(fresh_database.begin, LAYOUT)
        same_as_evaluated(fresh_database, refs, written)


def same_as_evaluated(database: Database, refs: Sequence[tuple[str, str]], events: Sequence[Event]) -> None:
    with database.begin() as db:
        found = state.answer(PLAN, state.states_now(db, refs, LAYOUT), as_of=AS_OF)
    assert found == evaluate(DEFINITIONS, events, as_of=AS_OF)


def test_a_state_of_another_layout_is_not_read_and_is_made_anew(fresh_database):
    with fresh_database.begin() as db:
        write(db, LIFE)
    before = state.layout_of(CATALOGUE[:2])
    made = state.absorb_log(fresh_database.begin, before)
    assert made.states == len({one.customer_ref for one in LIFE})
    assert online(fresh_database) == evaluate(DEFINITIONS, LIFE, as_of=AS_OF)
    with fresh_database.begin() as db:
        assert state.count_states(db, LAYOUT) == (0, made.states)
    again = state.absorb_log(fresh_database.begin, LAYOUT)
    assert again.states == made.states
    with fresh_database.begin() as db:
        assert state.count_states(db, LAYOUT) == (made.states, 0)
    assert online(fresh_database) == evaluate(DEFINITIONS, LIFE, as_of=AS_OF)
    assert state.absorb_log(fresh_database.begin, LAYOUT).states == 0


def test_a_state_never_goes_back(fresh_database):
    with fresh_database.begin() as db:
        write(db, LIFE[:4])
    state.absorb_log(fresh_database.begin, LAYOUT)
    with fresh_database.begin() as db:
        old = [tuple(row) for row in db.execute(text("SELECT * FROM features.state ORDER BY 1, 2"))]
        write(db, LIFE[4:])
    state.absorb_log(fresh_database.begin, LAYOUT)
    with fresh_database.begin() as db:  # a slow absorber comes with what it read before
        put_states(db, [StoredState((row[0], row[1]), *row[2:]) for row in old])
    assert online(fresh_database) == evaluate(DEFINITIONS, LIFE, as_of=AS_OF)
    with fresh_database.begin() as db:
        (newest,) = db.execute(text("SELECT max(event_no) FROM ingestion.event")).scalars()
        positions = db.execute(text("SELECT DISTINCT position FROM features.state")).scalars().all()
    assert positions == [newest]


def test_what_was_forgotten_is_read_from_the_log(fresh_database):
    with fresh_database.begin() as db:
        write(db, LIFE)
    state.absorb_log(fresh_database.begin, LAYOUT)
    with fresh_database.begin() as db:
        assert state.forget_states(db, REFS) == len({one.customer_ref for one in LIFE})
        assert db.scalar(text("SELECT count(*) FROM features.state")) == 0
    assert online(fresh_database) == evaluate(DEFINITIONS, LIFE, as_of=AS_OF)
