"""The simulated shop's parts: its calendar, its made-up people, its lines, and how it writes."""

import itertools
import json
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from shouxin.simulation import UnableToSimulate, Wanted, blocks, checkouts, draw_world
from shouxin.simulation.block import chunks
from shouxin.simulation.borrowing import (
    BLOCKED_AT_DAYS,
    Plans,
    draw_delays,
    grant,
    limit_at,
    split,
)
from shouxin.simulation.domain import NEVER, draw_population
from shouxin.simulation.facts import json_objects, numbers, words
from shouxin.simulation.life import Life, fallen, pays_again, strain
from shouxin.simulation.persons import check_character, make_persons
from shouxin.simulation.seasons import day_weights, festival_weight, sale_weight, time_of_day
from shouxin.simulation.story import handed_over
from shouxin.simulation.world import stream

START = date(2024, 7, 1)


@pytest.fixture(scope="module")
def world():
    return draw_world(blocks(Wanted(customers=600, months=12, start=START, seed=3, live_days=60))[0])


def test_sales_are_busy_and_spring_festival_is_quiet():
    assert (
        sale_weight(date(2024, 11, 11)) > sale_weight(date(2024, 6, 18)) > sale_weight(date(2024, 12, 12)) > 1
    )
    assert festival_weight(date(2025, 1, 29)) < 1 < festival_weight(date(2025, 1, 20))
    assert festival_weight(date(1999, 2, 16)) == 1  # no table, no festival
    weights = day_weights(START, days=400)
    assert len(weights) == 400
    assert int(weights.argmax()) == (date(2024, 11, 11) - START).days


def test_nights_are_nights():
    night = np.arange(2000) % 2 == 0
    moments = time_of_day(stream(1, "hours"), night)
    assert moments[night].max() < 0.25 <= moments[~night].min()


def test_streams_of_random_numbers_are_independent_by_name():
    assert (stream(1, "a").random(3) == stream(1, "a").random(3)).all()
    assert (stream(1, "a").random(3) != stream(1, "b").random(3)).all()
    assert (stream(1, "a").random(3) != stream(2, "a").random(3)).all()


@pytest.mark.parametrize(
    ("digits", "check"), [("11010519491231002", "X"), ("44052418800101001", "4")]
)  # the two examples of GB 11643
def test_identity_numbers_carry_the_check_character_of_the_standard(digits, check):
    assert check_character(digits) == check


def test_made_up_people_can_not_be_real():
    persons = make_persons(stream(1, "persons"), np.arange(500), numbers=7_999_500 + np.arange(500))
    phones, ids = persons.phone.to_pylist(), persons.national_id.to_pylist()
    assert len(set(phones)) == len(set(ids)) == 500
    assert all(len(phone) == 11 and phone.startswith("1010") for phone in phones)
    assert all(number.startswith("990101") and check_character(number[:17]) == number[17] for number in ids)
    assert all(mail.endswith(".example") for mail in persons.email.to_pylist())
    assert all(2 <= len(name) <= 3 for name in persons.name.to_pylist())


def test_accounts_of_one_person_share_what_names_them():
    persons = make_persons(stream(1, "persons"), np.array([0, 1, 0, 3]), numbers=np.arange(4))
    for column in (persons.name, persons.phone, persons.national_id, persons.addresses[0]):
        assert column[0] == column[2] != column[1]
    assert persons.email[0] != persons.email[2]


def test_a_few_accounts_are_second_accounts_without_a_line():
    people = draw_population(stream(5, "population"), customers=3000, history_days=500)
    second = people.person != np.arange(3000)
    assert 10 < second.sum() < 60
    assert not people.has_line[second].any()
    assert (people.risk[second] == people.risk[people.person[second]]).all()


def test_strain_grows_then_the_customer_falls_then_comes_back():
    life = Life(onset=np.array([[10.0]]), stop=np.array([[60.0]]), end=np.array([[200.0]]))
    days = np.array([9.0, 10.0, 30.0, 60.0, 199.0, 200.0])
    one = np.zeros(6, dtype=np.int64)
    assert strain(life, one, days).tolist() == [0, 0, 0.5, 1, 1, 0]
    assert fallen(life, one, days).tolist() == [False, False, False, True, True, False]
    assert pays_again(life, one[:1], np.array([100.0])).tolist() == [200.0]


def test_who_has_fallen_pays_when_life_is_better_or_never():
    people = draw_population(stream(5, "population"), customers=50, history_days=100)
    two = np.arange(2)
    life = Life(np.full((50, 1), 0.0), np.full((50, 1), 20.0), np.full((50, 1), NEVER))
    life.end[1, 0] = 120.0
    delays = draw_delays(stream(1, "d"), people, life, two, np.array([50.0, 50.0]))
    assert delays.tolist() == [NEVER, 70.0]


def test_three_instalments_add_up():
    amounts = np.array([100_00, 100_01, 100_02, 7])
    shares = split(amounts)
    assert (shares.sum(axis=1) == amounts).all()
    assert shares[0].tolist() == [33_34, 33_33, 33_33]


def test_no_plan_ever_exceeds_its_line_or_is_granted_in_arrears(world):
    people, orders, plans = world.population, world.orders, world.plans
    customer, placed = orders.customer[plans.order], orders.placed[plans.order]
    assert plans.size > 300
    assert (placed > people.line_opened[customer]).all()
    for at in range(plans.size):
        same = customer == customer[at]
        before = same & (placed <= placed[at])
        running = before[:, None] & ~plans.waived & (plans.paid > placed[at])
        outstanding = plans.amount[running].sum()
        assert outstanding <= limit_at(people, customer[[at]], placed[[at]])[0]
        assert not (running & (plans.due + BLOCKED_AT_DAYS <= placed[at])).any()


def test_a_wish_that_does_not_fit_is_not_granted(world):
    people, orders = world.population, world.orders
    who = int(np.flatnonzero(people.has_line)[0])
    order = np.flatnonzero(orders.customer == who)[:1]
    twice = np.repeat(order, 2)
    amount = split(np.full(2, people.limit_minor[who] * 2 // 3 * 3 // 3))
    due = np.full((2, 3), 1e6)
    orders.amount[order] = amount[0].sum()
    plans = Plans(twice, due, amount, due * 0, due, np.zeros((2, 3), dtype=bool))
    assert grant(people, orders, plans).tolist() == [True, False]


def test_json_leaves_out_what_is_absent():
    column = json_objects(
        {
            "a": numbers(np.array([1, 2]), present=np.array([False, True])),
            "词": words(('say "hi"', "云"), np.array([0, 1])),
        },
        size=2,
    )
    assert [json.loads(text) for text in column.to_pylist()] == [{"词": 'say "hi"'}, {"a": 2, "词": "云"}]
    assert json_objects({}, size=2).to_pylist() == ["{}", "{}"]
    nothing = {"a": numbers(np.array([1]), present=np.array([False]))}
    assert json_objects(nothing, size=1).to_pylist() == ["{}"]


def test_files_cover_the_history_without_a_gap():
    wanted = Wanted(customers=100, months=5, start=date(2024, 11, 15), seed=1)
    edges = list(chunks(wanted, first=0, last=wanted.history_days))
    assert wanted.end == date(2025, 4, 15)
    assert [edge[0] for edge in edges][:2] == ["001-2024-11", "002-2024-12"]
    assert all(left[2] == right[1] for left, right in itertools.pairwise(edges))
    assert (edges[0][1], edges[-1][2]) == (0, wanted.history_days)


def test_what_happened_before_the_history_is_learnt_in_its_first_hour_in_order():
    received = handed_over(np.array([-700.0, -30.0, -0.5, 0.1, 9.0]))
    assert received.tolist() == sorted(received)
    assert (received > 0).all()
    assert (received[:3] < 1 / 24).all()
    assert received[3:].tolist() == [0.1, 9.0]


def test_checkouts_follow_the_same_life(world):
    table = checkouts(world, days=60)
    assert table.num_rows == len(world.intents) == 60
    assert table["order_ref"].to_pylist() == sorted(set(table["order_ref"].to_pylist()))
    assert {len(pays) for pays in table["pays"].to_pylist()} == {3}
    assert table.schema.field("at").type == pa.timestamp("us", tz="UTC")
    fewer = checkouts(world, days=20)
    assert 0 < fewer.num_rows < 60
    assert fewer.equals(table.slice(0, fewer.num_rows))
    end = START.replace(year=2025) + timedelta(days=20)
    assert max(at.date() for at in fewer["at"].to_pylist()) <= end


@pytest.mark.parametrize(
    "change", [{"customers": 3}, {"months": 1}, {"live_days": -1}, {"live_checkouts": -1}, {"seed": -1}]
)
def test_an_impossible_world_is_refused_with_a_reason(change):
    fine = {"customers": 100, "months": 6, "start": START, "seed": 1}
    with pytest.raises(UnableToSimulate, match=r"must"):
        Wanted(**(fine | change))
