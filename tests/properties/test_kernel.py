"""Laws of the ground: no cent is lost, the same content has one name, nobody approves their own wish."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.kernel import (
    Approval,
    Event,
    Money,
    Period,
    UnableToApprove,
    UnableToParseMoney,
    canonical_json,
    content_hash,
    derived_id,
    mint,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
minors = st.integers(min_value=-(10**15), max_value=10**15)
currencies = st.sampled_from(["CNY", "JPY", "KWD", "GBP"])


@given(minors, currencies)
def test_money_reads_back_what_it_writes(minor, currency):
    money = Money(minor, currency)
    assert Money.parse(money.text, currency) == money


@given(minors, st.integers(min_value=1, max_value=60))
def test_shares_add_up_and_differ_by_one_at_most(minor, parts):
    shares = Money(minor, "CNY").allocate(parts)
    assert sum(share.minor for share in shares) == minor
    assert max(shares).minor - min(shares).minor <= 1
    assert list(shares) == sorted(shares, reverse=True)


@pytest.mark.parametrize("text", ["1.005", "abc", "", "NaN", "Infinity", "1e30"])
def test_refuses_what_is_not_an_amount(text):
    with pytest.raises(UnableToParseMoney):
        Money.parse(text, "CNY")


def test_currencies_do_not_mix():
    with pytest.raises(AssertionError):
        Money(1, "CNY") + Money(1, "USD")


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_the_same_content_has_the_same_hash_in_any_order(value):
    backwards = dict(reversed(list(value.items())))
    assert canonical_json(value) == canonical_json(backwards)
    assert content_hash(value) == content_hash(backwards)


def test_not_a_number_has_no_canonical_form():
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"pd": float("nan")})


def test_an_approval_needs_two_people_and_a_reason():
    with pytest.raises(UnableToApprove):
        Approval("apr_1", "policy:x", "chen", "chen", "looks right", NOW)
    with pytest.raises(UnableToApprove):
        Approval("apr_1", "policy:x", "chen", "zhao", " ", NOW)
    assert Approval("apr_1", "policy:x", "chen", "zhao", "looks right", NOW).covers("policy:x")


@given(st.integers(-100, 100), st.integers(-100, 100))
def test_a_fact_is_known_once_it_happened_and_was_learnt(occurred, received):
    event = Event(
        "shop",
        "e1",
        "order_placed",
        1,
        "C1",
        NOW + timedelta(hours=occurred),
        NOW + timedelta(hours=received),
    )
    assert event.known_at(NOW) == (occurred <= 0 and received <= 0)


def test_a_period_is_half_open():
    period = Period.before(NOW, days=1)
    assert NOW not in period
    assert NOW - timedelta(days=1) in period


def test_minted_ids_sort_by_time_and_derived_ids_follow_content():
    early, late = mint("dec", now=NOW), mint("dec", now=NOW + timedelta(milliseconds=1))
    assert early < late
    assert len(early) == len("dec_") + 26
    assert (
        derived_id("cus", "shop", "C1") == derived_id("cus", "shop", "C1") != derived_id("cus", "shopC", "1")
    )
