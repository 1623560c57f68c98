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
from shouxin.simulation.browsing_facts import browsing_facts
from shouxin.simulation.catalogue import choose, draw_catalogue
from shouxin.simulation.domain import NEVER, draw_population
from shouxin.simulation.facts import json_objects, numbers, words
from shouxin.simulation.life import Life, draw_life, fallen, pays_again, strain
from shouxin.simulation.persons import (
    card_names,
    check_character,
    delivery_addresses,
    device_names,
    make_persons,
    scattered,
)
from shouxin.simulation.seasons import day_weights, festival_weight, sale_weight, time_of_day
from shouxin.simulation.shocks import Shock, draw_shocks, gloom, reached
from shouxin.simulation.shop import SHARED_ADDRESS, SHARED_DEVICE
from shouxin.simulation.story import handed_over
from shouxin.simulation.world import draw_people, stream, surroundings_of

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
    hours = handed_over(np.array([0.0, 0.5, 1.0, 2.0]) / 24) * 24
    assert hours.tolist() == pytest.approx([1.0, 1.25, 1.5, 2.0])
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


def test_a_shock_makes_time_run_faster_and_then_as_before():
    shocks = (Shock(100.0, 150.0, 3.0),)
    begin = np.array([0.0, 0.0, 100.0, 120.0, 150.0, -10.0, 140.0])
    effort = np.array([100.0, 130.0, 30.0, 300.0, 7.0, 5.0, 30.0])
    assert reached(shocks, begin, effort).tolist() == [100.0, 110.0, 110.0, 360.0, 157.0, -5.0, 150.0]
    assert reached((), begin, effort).tolist() == (begin + effort).tolist()
    assert reached(shocks, np.array([NEVER]), np.array([1.0])).tolist() == [NEVER]
    assert gloom(shocks, np.array([99.9, 100.0, 149.9, 150.0])).tolist() == [0.0, 2.0, 2.0, 0.0]


def test_shocks_lie_apart_inside_the_history_and_a_short_history_has_none():
    shocks = draw_shocks(stream(1, "shocks"), history_days=1200)
    assert len(shocks) == 4
    assert all(left.last < right.first for left, right in itertools.pairwise(shocks))
    assert shocks[0].first > 0
    assert shocks[-1].last < 1200
    assert draw_shocks(stream(1, "shocks"), history_days=200) == ()


def test_taste_climbs_the_prices_of_a_category():
    catalogue = draw_catalogue(stream(1, "goods"))
    category = np.repeat(np.arange(8), 200)
    cheap = choose(catalogue, category, np.full(1600, 0.1))
    dear = choose(catalogue, category, np.full(1600, 0.9))
    assert (catalogue.price[category, cheap] < catalogue.price[category, dear]).all()
    assert choose(catalogue, np.array([7, 7]), np.array([0.0, 1 - 1e-9])).tolist() == [0, 399]
    assert (catalogue.dealing[:, :4] == 0).all()


def test_members_of_a_gang_come_together_and_share_a_device_an_address_and_a_card():
    people = draw_people(blocks(Wanted(customers=12_000, months=18, start=START, seed=3))[0])
    members = np.flatnonzero(people.gang != np.arange(12_000))
    leaders = np.unique(people.gang[members])
    assert (people.gang[leaders] == leaders).all()
    assert np.ptp(people.registered[np.flatnonzero(people.gang == leaders[0])]) <= 10
    persons = make_persons(stream(3, "persons"), people.person, numbers=people.number, gang=people.gang)
    leader, member = people.gang[members[:1]], members[:1]
    shared, own = np.array([SHARED_DEVICE]), np.array([0])
    for named in (device_names, card_names):
        assert named(persons, leader, shared) == named(persons, member, shared)
        assert named(persons, leader, own) != named(persons, member, own)
    home = delivery_addresses(persons, leader, own)
    assert delivery_addresses(persons, member, np.array([SHARED_ADDRESS])) == home


def test_who_plans_to_vanish_pays_until_the_day_and_never_after():
    people = draw_people(blocks(Wanted(customers=8_000, months=18, start=START, seed=3))[0])
    life = draw_life(stream(3, "life"), people, horizon_days=600)
    who = np.flatnonzero(np.isfinite(people.busts))
    assert len(who) > 10
    assert not fallen(life, who, people.busts[who] - 0.01).any()
    assert fallen(life, who, people.busts[who]).all()
    assert np.isinf(pays_again(life, who, people.busts[who] + 1)).all()
    assert (strain(life, who, people.busts[who] + 20) == 0).all()


def test_made_up_numbers_never_meet():
    numbers = np.arange(200_000) * 40
    assert len(np.unique(scattered(numbers))) == 200_000
    assert scattered(numbers).max() < 2**23


def test_visits_are_as_many_as_asked_and_only_of_those_who_are_there():
    block = blocks(Wanted(customers=400, months=6, start=START, seed=3, live_days=0, visits_a_month=4.0))[0]
    people, around = draw_people(block), surroundings_of(block.wanted)
    persons = make_persons(stream(3, "persons"), people.person, numbers=people.number, gang=people.gang)
    logins, views, carts = browsing_facts(
        block.stream("browsing"), people, persons,
        catalogue=around.catalogue, weights=around.weights, visits_a_month=4.0,
    )  # fmt: skip
    assert (views.occurred > people.registered[views.customer]).all()
    assert 400 * 6 * 4 * 0.4 * 0.5 < logins.size < 400 * 6 * 4 * 0.4 * 1.3
    assert 0.05 < carts.size / views.size < 0.11


@pytest.mark.parametrize(
    "change", [{"visits_a_month": -1.0}, {"visits_a_month": 31.0}, {"customers": 8_000_001}]
)
def test_a_world_too_large_is_refused_with_a_reason(change):
    fine = {"customers": 100, "months": 6, "start": START, "seed": 1}
    with pytest.raises(UnableToSimulate, match=r"must be \d+ to"):
        Wanted(**(fine | change))
