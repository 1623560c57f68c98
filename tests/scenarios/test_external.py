"""Enquiries at a real HTTP server that is late, broken, garbled and rude: what is asked, kept and paid."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

import pytest
from sqlalchemy import text

from scenarios.bureau_shop import behave, call, invoice, person, register, word, write_settings
from shouxin.entrypoints.bureau import start_bureau
from shouxin.entrypoints.house import House
from shouxin.entrypoints.providers import opened_desk
from shouxin.governance import load_keyring
from shouxin.ingestion import accept, external, list_events
from shouxin.ingestion.external import BreakerState, Outcome, UnableToFindProduct, enquire
from shouxin.kernel import Money

O = Outcome  # noqa: E741


class Clock:
    """A clock that the test moves; pauses of the desk move it as well."""

    def __init__(self, now):
        self.now = now
        self.pauses = []

    def __call__(self):
        return self.now

    def pause(self, wait):
        self.pauses.append(wait)
        self.now += wait


@pytest.fixture
def bureau():
    server = start_bureau(seed=7)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def clock(now):
    return Clock(now)


@pytest.fixture
def house(fresh_database, clock):
    home = fresh_database.home
    return House(fresh_database, load_keyring(home), home, clock)


@pytest.fixture
def desk(house, bureau, clock, monkeypatch):
    path = write_settings(house.home.path / "providers.toml", bureau)
    monkeypatch.setenv("SHOUXIN_PROVIDERS", str(path))
    with opened_desk(house) as opened:
        yield replace(opened, pause=clock.pause)


def customer(house, number, now, **more):
    with house.database.begin() as db:
        return register(db, house.keyring, person(number), now=now, **more)


def known_customer(house, desk, now, *, first=0):
    """One whom the bureau knows the score of: gaps are part of the simulation."""
    for number in range(first, first + 40):
        subject = customer(house, number, now)
        if enquire(subject, product=desk.product("sesame_score"), desk=desk).outcome is O.FOUND:
            return subject
    raise AssertionError("the bureau knows nobody")


def answers_of(house, subject, now):
    with house.database.begin() as db:
        return list_events(db, subject.references, as_of=now, kinds=["external_score_received"])


def month(house, clock, desk):
    with house.database.begin() as db:
        (status,) = external.status(db, desk.providers.values(), now=clock.now)
    return status


def test_an_answer_becomes_an_event_and_is_bought_once_while_fresh(house, desk, bureau, clock, now):
    subject = known_customer(house, desk, now)
    (event,) = answers_of(house, subject, clock.now)
    assert 350 <= event.payload["score"] <= 950 and event.payload["valid_days"] == 30
    assert (event.payload["provider"], event.payload["product"]) == ("simulated", "sesame_score")
    delivered = invoice(bureau)["products"]["sesame_score"]["answered"]
    clock.now += timedelta(days=29)
    again = enquire(subject, product=desk.product("sesame_score"), desk=desk)
    assert again.outcome is O.CACHED and again.answer.score == event.payload["score"]
    assert (again.cost, again.attempts) == (Money(0, "CNY"), 0)
    assert invoice(bureau)["products"]["sesame_score"]["answered"] == delivered
    clock.now += timedelta(days=1)
    bought = enquire(subject, product=desk.product("sesame_score"), desk=desk)
    assert bought.outcome is O.FOUND and bought.cost == Money(80, "CNY")
    assert len(answers_of(house, subject, clock.now)) == 2


def test_nobody_is_asked_about_without_agreement_or_after_it_was_taken_back(house, desk, bureau, clock, now):
    product = desk.product("sesame_score")
    stranger = customer(house, 90, now, consents=False)
    assert enquire(stranger, product=product, desk=desk).outcome is O.NO_CONSENT
    subject = known_customer(house, desk, now)
    clock.now += timedelta(days=1)
    with house.database.begin() as db:
        taken_back = word(person(int(subject.references[0][1][1:])), "consent_withdrawn", clock.now)
        accept(db, [taken_back], keyring=house.keyring, now=clock.now)
    before = invoice(bureau)
    assert enquire(subject, product=product, desk=desk).outcome is O.NO_CONSENT
    assert invoice(bureau) == before
    assert month(house, clock, desk).counts[0].outcomes[O.NO_CONSENT] == 2


def test_a_product_needs_the_identifier_it_asks_by(house, desk, now, clock):
    with house.database.begin() as db:
        items = [
            {
                "source": "shop", "source_id": "reg/bare", "kind": "customer_registered", "version": 1,
                "customer_ref": "bare", "occurred_at": (now - timedelta(days=2)).isoformat(),
                "payload": {"channel": "app"}, "personal": {"phone": "10100000077"},
            },
            word(replace(person(1), ref="bare"), "consent_given", now - timedelta(days=1)),
        ]  # fmt: skip
        accept(db, items, keyring=house.keyring, now=now)
    bare = external.Subject((("shop", "bare"),))
    assert enquire(bare, product=desk.product("sesame_score"), desk=desk).outcome is O.NOTHING_KNOWN
    asked = enquire(bare, product=desk.product("simulated/wechat_pay_score"), desk=desk)
    assert asked.outcome in {O.FOUND, O.UNKNOWN_PERSON}
    with pytest.raises(UnableToFindProduct, match=r"sold: .*simulated/sesame_score"):
        desk.product("horoscope")


# how the bureau behaves, the outcome, the attempts, (owed, disputed) in fen
MISBEHAVIOUR = [
    ("error", O.SERVER_ERROR, 3, (0, 80)),
    ("silent", O.TIMEOUT, 3, (0, 80)),
    ("trickle", O.TIMEOUT, 3, (0, 80)),
    ("drop", O.DROPPED, 3, (0, 80)),
    ("drop_late", O.DROPPED, 3, (0, 80)),
    ("malformed", O.MALFORMED, 3, (0, 80)),
    ("wrong_score", O.MALFORMED, 3, (0, 80)),
    ("throttle", O.THROTTLED, 3, (0, 0)),
]


@pytest.mark.parametrize(("mode", "outcome", "attempts", "costs"), MISBEHAVIOUR)
def test_every_way_to_fail_has_a_name_and_nothing_is_believed(
    house, desk, bureau, clock, now, mode, outcome, attempts, costs
):
    subject = customer(house, 1, now)
    behave(bureau, mode)
    ended = enquire(subject, product=desk.product("sesame_score"), desk=desk)
    assert (ended.outcome, ended.attempts) == (outcome, attempts)
    assert (ended.cost.minor, ended.disputed.minor) == costs
    assert answers_of(house, subject, clock.now) == []
    assert len(clock.pauses) == attempts - 1
    if mode == "throttle":
        assert min(clock.pauses) >= timedelta(seconds=1), "the provider named the wait"


def test_a_retry_that_is_answered_costs_once_and_the_breaker_stays_closed(house, desk, bureau, clock, now):
    known = known_customer(house, desk, now)
    clock.now += timedelta(days=40)
    before = Decimal(invoice(bureau)["amount"])
    behave(bureau, "silent", times=2)
    ended = enquire(known, product=desk.product("sesame_score"), desk=desk)
    assert (ended.outcome, ended.attempts, ended.cost.minor, ended.disputed.minor) == (O.FOUND, 3, 80, 0)
    assert Decimal(invoice(bureau)["amount"]) - before == Decimal("0.80")
    assert month(house, clock, desk).breaker.state is BreakerState.CLOSED


def test_a_wrong_secret_is_not_tried_again(house, bureau, clock, now, monkeypatch):
    path = write_settings(house.home.path / "wrong.toml", bureau, secret='"another"')
    monkeypatch.setenv("SHOUXIN_PROVIDERS", str(path))
    with opened_desk(house) as desk:
        ended = enquire(customer(house, 1, now), product=desk.product("sesame_score"), desk=desk)
    assert (ended.outcome, ended.attempts, ended.disputed.minor) == (O.REJECTED, 1, 0)


def test_a_provider_that_is_away_is_left_alone_and_tried_again(house, desk, bureau, clock, now):
    product = desk.product("sesame_score")
    rules = desk.providers["simulated"].rules
    behave(bureau, "error")
    for number in range(rules.failures_max):
        assert enquire(customer(house, number, now), product=product, desk=desk).outcome is O.SERVER_ERROR
    assert month(house, clock, desk).breaker.state is BreakerState.OPEN
    behave(bureau, "well")
    last = customer(house, 50, now)
    assert enquire(last, product=product, desk=desk).outcome is O.BREAKER_OPEN
    clock.now += rules.rest
    behave(bureau, "error", times=3)
    assert enquire(last, product=product, desk=desk).outcome is O.SERVER_ERROR, "the trial fails"
    assert enquire(last, product=product, desk=desk).outcome is O.BREAKER_OPEN
    clock.now += rules.rest
    assert enquire(last, product=product, desk=desk).outcome in {O.FOUND, O.UNKNOWN_PERSON}
    assert month(house, clock, desk).breaker.state is BreakerState.CLOSED


def test_a_provider_that_does_not_exist_is_unreachable(house, desk, bureau, clock, now):
    bureau.shutdown()
    bureau.server_close()
    ended = enquire(customer(house, 1, now), product=desk.product("sesame_score"), desk=desk)
    assert (ended.outcome, ended.cost.minor, ended.disputed.minor) == (O.UNREACHABLE, 0, 0)


def test_the_budget_of_a_month_is_never_overspent_by_eight_at_once(house, bureau, clock, now, monkeypatch):
    path = write_settings(house.home.path / "poor.toml", bureau, budget="4.00")
    monkeypatch.setenv("SHOUXIN_PROVIDERS", str(path))
    subjects = [customer(house, number, now) for number in range(24)]
    ended = {}
    with opened_desk(house) as desk:
        product = desk.product("sesame_score")

        def ask(part):
            for number in part:
                ended[number] = enquire(subjects[number], product=product, desk=desk).outcome

        threads = [threading.Thread(target=ask, args=(range(i, 24, 8),)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ended) == 24
        refused = [number for number, outcome in ended.items() if outcome is O.BUDGET_SPENT]
        spent = month(house, clock, desk).spent
        assert refused and spent <= Money(400, "CNY")
        assert list(ended.values()).count(O.FOUND) == spent.minor // 80
        # an enquiry under way holds its price until it is known to cost nothing; then that can be spent again
        ask(refused)
        spent = month(house, clock, desk).spent
        assert list(ended.values()).count(O.FOUND) == spent.minor // 80 == 5
        assert Decimal(invoice(bureau)["amount"]) == Decimal(spent.text)
        clock.now += timedelta(days=31)
        assert month(house, clock, desk).spent == Money(0, "CNY"), "a new month, a new budget"


def test_our_books_and_the_invoice_agree_but_for_what_is_disputed(house, desk, bureau, clock, now):
    for number, mode in enumerate(["well", "silent", "well", "malformed", "drop", "well", "throttle"] * 2):
        behave(bureau, mode)
        enquire(customer(house, number, now), product=desk.product("sesame_score"), desk=desk)
    with house.database.begin() as db:
        (count,) = external.costs(db, since=now - timedelta(days=1), until=clock.now + timedelta(days=1))
    billed = Decimal(invoice(bureau)["amount"]) * 100
    assert count.cost_minor <= billed <= count.cost_minor + count.disputed_minor
    assert count.disputed_minor > 0
    assert count.enquiries == 14 and count.latency_ms_median is not None


def test_a_call_whose_process_died_counts_as_spent_and_is_not_asked_twice_meanwhile(
    house, desk, bureau, clock, now
):
    class Death(BaseException):
        pass

    class Dying:
        def ask(self, request):
            raise Death

    subject = customer(house, 1, now)
    product = desk.product("sesame_score")
    with pytest.raises(Death):
        enquire(subject, product=product, desk=replace(desk, lines={"simulated": Dying()}))
    assert month(house, clock, desk).spent == product.price
    assert enquire(subject, product=product, desk=desk).outcome is O.IN_FLIGHT
    clock.now += timedelta(minutes=5)
    assert enquire(subject, product=product, desk=desk).outcome in {O.FOUND, O.UNKNOWN_PERSON}


def test_no_transaction_is_open_while_a_provider_thinks(house, desk, bureau, now):
    subject = customer(house, 1, now)
    asked, told, line = threading.Event(), threading.Event(), desk.lines["simulated"]

    class Thinking:
        def ask(self, request):
            asked.set()
            assert told.wait(60)
            return line.ask(request)

    desk = replace(desk, lines={"simulated": Thinking()})
    asking = threading.Thread(
        target=enquire, args=(subject,), kwargs={"product": desk.product("sesame_score"), "desk": desk}
    )
    asking.start()
    assert asked.wait(60)
    with house.database.begin() as db:
        open_now = db.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
            )
        )
    told.set()
    asking.join()
    assert open_now == 0


def test_a_round_stops_at_the_budget_and_goes_on_next_month(house, bureau, clock, now, monkeypatch):
    path = write_settings(house.home.path / "poor.toml", bureau, budget="2.00")
    monkeypatch.setenv("SHOUXIN_PROVIDERS", str(path))
    subjects = [customer(house, number, now) for number in range(8)]
    with opened_desk(house) as desk:
        product = desk.product("sesame_score")
        first = external.refresh(subjects, products=[product], desk=desk)[product.name]
        assert first[O.FOUND] == 2 and first[O.BUDGET_SPENT] == 1 and sum(first.values()) < 8
        clock.now += timedelta(days=29, hours=7)  # midnight of the first of April in Shanghai is over
        second = external.refresh(subjects, products=[product], desk=desk)[product.name]
        assert second[O.CACHED] >= 2 and second[O.FOUND] == 2


def test_what_is_personal_is_sent_hashed_and_neither_logged_nor_kept(house, desk, bureau, clock, now, caplog):
    caplog.set_level(logging.DEBUG)
    who = person(1)
    subject = customer(house, 1, now)
    sent = []

    class Listening:
        def ask(self, request):
            sent.append(request)
            return line.ask(request)

    line, product = desk.lines["simulated"], desk.product("sesame_score")
    desk = replace(desk, lines={"simulated": Listening()})
    behave(bureau, "malformed")
    ended = enquire(subject, product=product, desk=desk)
    behave(bureau, "well")
    enquire(subject, product=product, desk=desk)
    assert {request.value for request in sent} == {sha256(who.national_id.lower().encode()).hexdigest()}
    assert sent[0].value not in repr(sent)
    with house.database.begin() as db:
        tables = ("external_call", "external_enquiry", "event")
        kept = " ".join(
            str(row) for table in tables for row in db.execute(text(f"SELECT * FROM ingestion.{table}"))
        )
    for clear in (who.national_id, who.phone):
        assert clear not in caplog.text and clear not in kept and clear not in repr(ended)
    assert "DEBUG" in caplog.text, "the libraries did log"


def test_the_bureau_turns_away_who_does_not_sign(bureau):
    body = b'{"request_id": "r", "person": {"identifier": "phone", "spelling": "clear", "value": "1"}}'
    path = "/v1/products/sesame_score"
    assert call(bureau, "POST", path, body).status_code == 200
    assert call(bureau, "POST", path, body, secret="guess").status_code == 401
    assert call(bureau, "POST", path, body, time="1").status_code == 401
    assert call(bureau, "POST", "/v1/products/horoscope", body).status_code == 404
    assert call(bureau, "POST", path, b"{}").status_code == 422
    assert call(bureau, "PUT", "/control", b"{}", secret="guess").status_code == 401
