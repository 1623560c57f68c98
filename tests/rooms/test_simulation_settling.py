"""In which order people of the simulated shop buy and pay: their purse shows in it, and in no count."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from shouxin.simulation import Wanted, blocks, draw_world
from shouxin.simulation.domain import NEVER
from shouxin.simulation.life import Life, squeeze, strain
from shouxin.simulation.settling import REACH_DAYS, paid_later, settled, sign_ins
from shouxin.simulation.shop import COD, CREDIT
from shouxin.simulation.world import stream

HOURS = 1 / 24


@pytest.fixture(scope="module")
def world():
    return draw_world(
        blocks(Wanted(customers=4_000, months=15, start=date(2024, 7, 1), seed=3, live_days=0))[0]
    )


@pytest.fixture(scope="module")
def sittings(world):
    """Of every instalment paid on time in a sitting: whose, when it was due and paid, when was bought."""
    orders, plans = world.orders, world.plans
    plan, number = np.nonzero((plans.delay == 0) & ~plans.waived)
    customer, paid = orders.customer[plans.order[plan]], plans.paid[plan, number]
    due = plans.due[plan, number]
    found = []
    for who, at, day in zip(customer, paid, due, strict=True):
        near = orders.placed[orders.customer == who] - at
        near = near[np.abs(near) < 8.1 * HOURS]
        if len(near):
            found.append((who, day, at, near[np.abs(near).argmin()]))
    whose, day, at, bought = (np.array(values) for values in zip(*found, strict=True))
    return whose.astype(np.int64), day, at, bought


def of_the_calm(world, customer):
    """Whether nothing ever goes wrong with these customers, so that only the trait differs."""
    return np.isinf(world.life.onset[customer]).all(axis=1) & np.isinf(world.population.busts[customer])


def test_who_lives_from_hand_to_mouth_pays_before_buying(world, sittings):
    whose, _, _, bought = sittings
    trait, calm = world.population.hand_to_mouth[whose], of_the_calm(world, whose)
    first = bought > 0
    assert first[calm & (trait > 0.7)].mean() > first[calm & (trait < -0.7)].mean() + 0.4


def test_both_pay_as_near_to_the_order_and_as_early(world, sittings):
    whose, due, paid, bought = sittings
    calm = of_the_calm(world, whose)
    high, low = (calm & side for side in (world.population.hand_to_mouth[whose] > 0.3,
                                          world.population.hand_to_mouth[whose] < -0.3))  # fmt: skip
    assert min(high.sum(), low.sum()) > 100
    assert np.abs(bought[high]).mean() == pytest.approx(np.abs(bought[low]).mean(), rel=0.35)
    assert (due - paid)[high].mean() == pytest.approx((due - paid)[low].mean(), abs=1.2)


def test_what_is_paid_on_time_is_paid_on_time(world):
    plans = world.plans
    on_time = plans.delay == 0
    assert (plans.paid[on_time] < plans.due[on_time] + 1).all()
    assert (plans.paid[on_time] > plans.due[on_time] - REACH_DAYS - 1).all()
    late = np.isfinite(plans.delay) & (plans.delay > 0)
    assert (np.floor(plans.paid[late] - plans.due[late]) == plans.delay[late]).all()


def test_an_instalment_with_nothing_bought_near_it_is_paid_alone(world):
    who = np.zeros(1, dtype=np.int64)
    never_near = np.array([10_000.0])
    told = settled(
        stream(1, "s"), world.population, world.life, world.orders,
        customer=who, due=never_near, alone=never_near - 2,
    )  # fmt: skip
    assert told.tolist() == [9_998.0]


def test_the_squeeze_comes_before_the_strain_and_goes_with_it():
    life = Life(onset=np.array([[100.0]]), stop=np.array([[NEVER]]), end=np.array([[200.0]]))
    days = np.array([9.0, 32.5, 60.0, 100.0, 199.0, 200.0])
    one = np.zeros(6, dtype=np.int64)
    assert squeeze(life, one, days).tolist() == [0, 0.5, 1, 1, 1, 0]
    assert strain(life, one, days).tolist() == [0, 0, 0, 0, 1, 0]


def test_who_is_short_of_money_comes_back_to_pay(world):
    people, orders, outcomes = world.population, world.orders, world.outcomes
    own = ~np.isin(orders.method, (COD, CREDIT)) & np.isfinite(outcomes.paid) & np.isinf(outcomes.cancelled)
    back = (outcomes.paid - orders.placed >= HOURS)[own]
    trait = people.hand_to_mouth[orders.customer[own]]
    calm = of_the_calm(world, orders.customer[own])
    assert back[calm & (trait > 1)].mean() > 2 * back[calm & (trait < 0)].mean()
    short = squeeze(world.life, orders.customer[own], orders.placed[own])
    hidden = (short == 1) & (orders.strain[own] == 0)
    assert hidden.sum() > 100
    assert back[hidden].mean() > 2 * back[short == 0].mean()


def test_no_count_of_any_day_tells_who_comes_back(world):
    """The same people with the opposite purse: as many payments and sign-ins of each on every day."""
    opposite = replace(world.population, hand_to_mouth=-world.population.hand_to_mouth)
    at_once = replace(
        world.outcomes, paid=np.where(np.isfinite(world.outcomes.paid), world.orders.placed + 0.001, NEVER)
    )
    told = [
        paid_later(stream(4, "later"), people, world.life, world.orders, at_once)
        for people in (world.population, opposite)
    ]
    one, other = (outcomes.paid for outcomes in told)
    assert ((one != other) & np.isfinite(one)).mean() > 0.1
    assert (np.floor(one) == np.floor(other)).all()
    signed = [sign_ins(world.orders, outcomes) for outcomes in told]
    assert (np.floor(signed[0]) == np.floor(signed[1])).all()
    night = [(times % 1 < 0.25).sum() for times in signed]
    # But for who orders in the first minutes after six and signs in before them.
    assert night[0] == pytest.approx(night[1], rel=0.005)


def test_who_comes_back_signs_in_between_order_and_payment(world):
    orders, outcomes = world.orders, world.outcomes
    signed = sign_ins(orders, outcomes)
    between = signed > orders.placed
    assert 0.03 < between.mean() < 0.3
    assert (signed[between] < outcomes.paid[between]).all()
    assert (signed[~between] < orders.placed[~between]).all()
