"""External credit data as decisions: breaker, retries, what an answer may say, how long it serves, costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shouxin.ingestion.external.domain import (
    Answer,
    BreakerRules,
    BreakerState,
    CallFailure,
    Charging,
    FailureKind,
    Identifier,
    Outcome,
    Product,
    ProductCount,
    Spelling,
    admit,
    after_failure,
    after_success,
    budget_allows,
    checked,
    closed_breaker,
    fresh_answer,
    longest,
    month_start,
    payload_of,
    spelled,
    wait_before,
    worst_of,
)
from shouxin.kernel import Event, Money

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RULES = BreakerRules(failures_max=3, rest=timedelta(seconds=30), trial=timedelta(seconds=60))
PRODUCT = Product(
    "sim", "sesame_score", Money(80, "CNY"), Charging.FOUND, timedelta(days=30), timedelta(seconds=2), 2,
    Identifier.NATIONAL_ID, Spelling.SHA256, (350, 950),
)  # fmt: skip
FOUND = Answer(found=True, score=700)
F = FailureKind


def failure(kind):
    return CallFailure(kind)


class BreakerLife(RuleBasedStateMachine):
    """A breaker among callers who come, go, answer late or die; a plain count of facts is the oracle."""

    def __init__(self):
        super().__init__()
        self.now = NOW
        self.breaker = closed_breaker(NOW)
        self.out: list[str] = []
        self.serial = 0
        self.row = 0  # failures in a row since the breaker was last closed
        self.rest_until = None

    @rule(seconds=st.integers(0, 90))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule()
    def somebody_asks(self):
        self.serial += 1
        call = f"c{self.serial}"
        admitted = admit(self.breaker, call=call, rules=RULES, now=self.now)
        if self.breaker.state is BreakerState.CLOSED:
            assert admitted == self.breaker
        elif admitted is not None:
            assert admitted.state is BreakerState.HALF_OPEN and admitted.trial == call
            assert self.now >= self.breaker.since + min(RULES.rest, RULES.trial)
        if admitted is not None:
            self.breaker = admitted
            self.out.append(call)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def a_call_is_answered(self, data):
        call = self._back(data)
        before = self.breaker
        self.breaker = after_success(before, call=call, now=self.now)
        if before.state is BreakerState.CLOSED or before.trial == call:
            self.row = 0
            assert self.breaker.state is BreakerState.CLOSED and self.breaker.failures == 0
        else:
            assert self.breaker == before

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def a_call_fails(self, data):
        call = self._back(data)
        before = self.breaker
        self.breaker = after_failure(before, call=call, rules=RULES, now=self.now)
        if before.state is BreakerState.CLOSED:
            self.row += 1
            opens = self.row >= RULES.failures_max
            assert self.breaker.state is (BreakerState.OPEN if opens else BreakerState.CLOSED)
        elif before.trial == call:
            assert self.breaker.state is BreakerState.OPEN and self.breaker.since == self.now
        else:
            assert self.breaker == before, "a late failure does not prolong a rest"

    @invariant()
    def only_a_half_open_breaker_has_a_trial(self):
        assert (self.breaker.trial is not None) == (self.breaker.state is BreakerState.HALF_OPEN)

    @invariant()
    def it_never_stays_shut_for_ever(self):
        later = self.now + RULES.rest + RULES.trial
        assert admit(self.breaker, call="later", rules=RULES, now=later) is not None

    def _back(self, data):
        return self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))


TestBreakerLife = BreakerLife.TestCase


def test_an_open_breaker_rests_then_lets_one_call_through():
    breaker = closed_breaker(NOW)
    for number in range(RULES.failures_max):
        breaker = after_failure(breaker, call=f"c{number}", rules=RULES, now=NOW)
    assert breaker.state is BreakerState.OPEN
    assert admit(breaker, call="x", rules=RULES, now=NOW + timedelta(seconds=29)) is None
    half = admit(breaker, call="x", rules=RULES, now=NOW + timedelta(seconds=30))
    assert half is not None and half.trial == "x"
    assert admit(half, call="y", rules=RULES, now=NOW + timedelta(seconds=31)) is None
    lost = admit(half, call="y", rules=RULES, now=NOW + timedelta(seconds=90))
    assert lost is not None and lost.trial == "y", "a trial whose process died gives its place up"
    assert after_success(lost, call="x", now=NOW).state is BreakerState.HALF_OPEN


@given(st.integers(2, 6), st.floats(0, 1), st.none() | st.integers(0, 3600))
def test_waits_grow_and_end(attempt, jitter, told):
    asked = None if told is None else timedelta(seconds=told)
    wait = wait_before(attempt, failure=CallFailure(F.THROTTLED, asked), jitter=jitter)
    assert timedelta(milliseconds=100) <= wait <= timedelta(seconds=5)
    if asked is not None:
        assert wait >= min(asked, timedelta(seconds=5))
    assert wait_before(attempt + 1, failure=CallFailure(F.TIMEOUT), jitter=jitter) >= wait_before(
        attempt, failure=CallFailure(F.TIMEOUT), jitter=jitter
    )


def test_the_longest_enquiry_holds_every_attempt():
    assert longest(PRODUCT) >= PRODUCT.timeout * 3


# answer, whether this product can say it
SAID = [
    (FOUND, True),
    (replace(FOUND, score=350), True),
    (replace(FOUND, score=349), False),
    (replace(FOUND, score=951), False),
    (replace(FOUND, score=None), False),
    (replace(FOUND, valid_days=0), False),
    (replace(FOUND, overdue_loans=-1), False),
    (Answer(found=False), True),
    (Answer(found=False, score=700), False),
]


@pytest.mark.parametrize(("answer", "good"), SAID)
def test_an_answer_says_only_what_its_product_can_say(answer, good):
    assert (checked(answer, PRODUCT) == answer) is good
    if not good:
        assert checked(answer, PRODUCT) == CallFailure(F.MALFORMED)


def test_a_report_without_a_scale_must_say_something():
    report = replace(PRODUCT, code="bureau_report", scale=None)
    assert checked(Answer(found=True), report) == CallFailure(F.MALFORMED)
    assert checked(Answer(found=True, open_loans=0), report) == Answer(found=True, open_loans=0)


# how the attempts went, charging, (owed, disputed) in fen
COSTS = [
    ([FOUND], Charging.FOUND, (80, 0)),
    ([Answer(found=False)], Charging.FOUND, (0, 0)),
    ([Answer(found=False)], Charging.ANSWERED, (80, 0)),
    ([failure(F.UNREACHABLE)] * 3, Charging.FOUND, (0, 0)),
    ([failure(F.TIMEOUT), failure(F.UNREACHABLE)], Charging.FOUND, (0, 80)),
    ([failure(F.MALFORMED)] * 3, Charging.FOUND, (0, 80)),
    ([failure(F.TIMEOUT), FOUND], Charging.FOUND, (80, 0)),
    ([failure(F.THROTTLED), failure(F.REJECTED)], Charging.ANSWERED, (0, 0)),
]


@pytest.mark.parametrize(("results", "charging", "costs"), COSTS)
def test_one_enquiry_is_charged_once_and_a_lost_answer_is_disputed(results, charging, costs):
    owed, disputed = worst_of(results, replace(PRODUCT, charging=charging))
    assert (owed.minor, disputed.minor) == costs


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_a_budget_is_never_overspent(budget, spent, price):
    product = replace(PRODUCT, price=Money(price, "CNY"))
    allowed = budget_allows(product, budget=Money(budget, "CNY"), spent=Money(spent, "CNY"))
    assert allowed == (spent + price <= budget)


def test_the_month_is_that_of_the_invoice():
    # 16:30 UTC on the last of February is the first of March in Shanghai.
    assert month_start(datetime(2026, 2, 28, 16, 30, tzinfo=UTC)) == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert month_start(datetime(2026, 2, 28, 15, 30, tzinfo=UTC)) == datetime(2026, 1, 31, 16, tzinfo=UTC)


def answered(days_ago, *, answer=FOUND, product=PRODUCT, late_days=0.0):
    at = NOW - timedelta(days=days_ago)
    learnt = at + timedelta(days=late_days)
    return Event(
        "shop", f"external/{days_ago}", "external_score_received", 1, "C1", at, learnt,
        payload=payload_of(answer, product),
    )  # fmt: skip


# the events, how old the answer is that serves (None: a call is needed)
FRESH = [
    ([], None),
    ([answered(3)], 3),
    ([answered(29.99)], 29.99),
    ([answered(30)], None),
    ([answered(3, answer=replace(FOUND, valid_days=2))], None),
    ([answered(3, answer=replace(FOUND, valid_days=90))], 3),
    ([answered(31, answer=replace(FOUND, valid_days=90))], None),
    ([answered(20), answered(3, answer=Answer(found=False))], 3),
    ([answered(3, product=replace(PRODUCT, code="bureau_report"))], None),
    ([answered(3, product=replace(PRODUCT, provider="other"))], None),
    ([answered(3, late_days=4)], None),
]


@pytest.mark.parametrize(("events", "age"), FRESH)
def test_a_fresh_answer_is_not_bought_again(events, age):
    found = fresh_answer(events, PRODUCT, now=NOW)
    assert (found and found.source_id) == (None if age is None else f"external/{age}")


def test_a_person_is_told_by_hash_where_the_product_knows_hashes():
    import hashlib

    assert spelled("99010119900101001x", Spelling.CLEAR) == "99010119900101001x"
    told = spelled("99010119900101001x", Spelling.SHA256)
    assert told == hashlib.sha256(b"99010119900101001x").hexdigest()


def test_the_hit_rate_leaves_out_what_was_refused():
    outcomes = {Outcome.CACHED: 3, Outcome.FOUND: 1, Outcome.NO_CONSENT: 6}
    assert ProductCount("sim", "x", outcomes, 0, 0, None, None).hit_rate == 0.75
    assert ProductCount("sim", "x", {Outcome.NO_CONSENT: 6}, 0, 0, None, None).hit_rate is None
