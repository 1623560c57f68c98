"""credit, as somebody would try to break it: races, forged references, merged customers, closed days."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from rooms.test_credit import CUSTOMER, DAY, a_plan, held, opened, repaid, yuan
from rooms.test_credit_checkout import approval, asked, furnished, good_customer, model  # noqa: F401
from shouxin import credit, decisions, identity, ingestion
from shouxin.decisions import STANDARD_CHECKOUT, parse_policy
from shouxin.governance import Keyring
from shouxin.kernel import CustomerId, Money

KEYS = Keyring.from_master(bytes(range(32)))
SHANGHAI = ZoneInfo("Asia/Shanghai")
PATIENCE = 10


def waits(database, pid):
    """Whether the connection of this backend waits for a lock."""
    with database.begin() as db:
        return bool(db.scalar(text("SELECT cardinality(pg_blocking_pids(:pid)) > 0"), {"pid": pid}))


def in_another_transaction(database, verb):
    """Run ``verb(db)`` beside this thread; returns its future, and a wait until it is done or at a lock."""
    started, pids = threading.Event(), []

    def run():
        with database.begin() as db:
            pids.append(db.scalar(text("SELECT pg_backend_pid()")))
            started.set()
            return verb(db)

    threads = ThreadPoolExecutor(1)
    future = threads.submit(run)
    threads.shutdown(wait=False)

    def settled():
        assert started.wait(PATIENCE)
        for _ in range(PATIENCE * 100):
            if future.done() or waits(database, pids[0]):
                return
            threading.Event().wait(0.01)
        raise AssertionError("neither done nor waiting")

    return future, settled


# --- facts that a caller could forge ---------------------------------------------------------------


def test_no_reference_of_a_payment_can_hide_that_an_instalment_is_overdue(db, now):
    plan = a_plan(db, now)
    repaid(db, plan, "0.01", now, reference=f"{plan.plan_id}/1/overdue")
    credit.close_day(db, business_date=DAY + timedelta(days=31), now=now + timedelta(days=32))
    told = ingestion.list_events(db, [("credit", CUSTOMER)], as_of=now + timedelta(days=33))
    assert [e.payload["days_past_due"] for e in told if e.kind == "instalment_overdue"] == [1]
    assert [e.amount.minor for e in told if e.kind == "repayment_received"] == [1]


# --- the day and the lines, at once ----------------------------------------------------------------


def test_a_repayment_while_the_day_is_closed_does_not_leave_the_line_late(fresh_database, now):
    late = DAY + timedelta(days=31)
    with fresh_database.begin() as db:
        plan = a_plan(db, now)
        credit.close_day(db, business_date=late, now=now)
    with fresh_database.begin() as db:
        repaid(db, plan, "100.00", now, on=late + timedelta(days=1))
        closing, settled = in_another_transaction(
            fresh_database,
            lambda other: credit.close_day(other, business_date=late + timedelta(days=1), now=now),
        )
        settled()
    closing.result(PATIENCE)
    with fresh_database.begin() as db:
        assert credit.line_of(db, CUSTOMER).days_past_due == 0
        assert credit.bucket_history(db, plan.line_id)[-1].bucket == "M0"


def test_nothing_is_booked_on_a_day_that_is_closed(fresh_database, now):
    with fresh_database.begin() as db:
        line = opened(db, now)
        hold, other = held(db, line, "300.00", now), held(db, line, "90.00", now, name="O2")
        plan = credit.capture(db, other.hold_id, now=now, business_date=DAY)
    with fresh_database.begin() as db:
        # A capture in flight keeps its day open until it is done.
        credit.capture(db, hold.hold_id, now=now, business_date=DAY)
        closing, settled = in_another_transaction(
            fresh_database, lambda other: credit.close_day(other, business_date=DAY, now=now)
        )
        settled()
        assert not closing.done()
    closing.result(PATIENCE)
    with fresh_database.begin() as db, pytest.raises(credit.UnableToBook, match="2026-03-03"):
        repaid(db, plan, "30.00", now, on=DAY)
    with fresh_database.begin() as db:
        line = credit.line_of(db, CUSTOMER)
        third = held(db, line, "10.00", now, name="O3")
        with pytest.raises(credit.UnableToBook):
            credit.capture(db, third.hold_id, now=now, business_date=DAY)


def test_closing_days_and_sweeping_holds_never_wait_for_each_other_in_a_ring(fresh_database, now):
    """Both lock many lines; one order for both, or the database would kill one of them."""
    with fresh_database.begin() as db:
        credit.start_books(db, business_date=DAY)
        for number in range(60):
            customer = CustomerId(f"cus_{number}")
            line = credit.open_line(db, customer, limit=yuan("900.00"), reason="grade A", now=now)
            first = held(db, line, "300.00", now, name=f"O{number}")
            credit.capture(db, first.hold_id, now=now, business_date=DAY)
            held(db, line, "100.00", now, name=f"P{number}", hours=1)
    for round_ in range(4):
        day = DAY + timedelta(days=31 + round_)
        with ThreadPoolExecutor(2) as threads:
            sweep = threads.submit(_in_transaction, fresh_database, lambda db: credit.expire_holds(
                db, now=now + timedelta(hours=2)))  # fmt: skip
            close = threads.submit(_in_transaction, fresh_database, lambda db, day=day: credit.close_day(
                db, business_date=day, now=now))  # fmt: skip
            sweep.result(PATIENCE)
            assert close.result(PATIENCE).lines_past_due == 60
    with fresh_database.begin() as db:
        assert credit.check_ledger(db).problems == ()


def _in_transaction(database, verb):
    with database.begin() as db:
        return verb(db)


def test_days_that_were_skipped_are_told_as_of_the_day_they_came_true(db):
    """The night job closes Friday, Saturday and Sunday one after the other on Monday morning in Shanghai."""
    opened_at = datetime(2026, 3, 2, 10, tzinfo=SHANGHAI)
    plan = a_plan(db, opened_at)
    monday = datetime(2026, 4, 6, 1, tzinfo=SHANGHAI)
    for offset in range(3):
        credit.close_day(db, business_date=date(2026, 4, 3) + timedelta(days=offset), now=monday)
    told = ingestion.list_events(db, [("credit", CUSTOMER)], as_of=monday)
    came_true = {e.kind: e.occurred_at.astimezone(SHANGHAI) for e in told if e.kind != "line_opened"}
    assert plan.instalments[0].due_on == date(2026, 4, 1)
    assert came_true == {
        "instalment_due": datetime(2026, 4, 2, tzinfo=SHANGHAI),
        "instalment_overdue": datetime(2026, 4, 3, tzinfo=SHANGHAI),
    }
    assert {e.received_at for e in told if e.kind != "line_opened"} == {monday}


# --- the checkout ----------------------------------------------------------------------------------


def test_a_frozen_line_is_declined_under_a_policy_that_forgot_to_say_so(db, model, now):  # noqa: F811
    furnished(db, model, now)
    customer = good_customer(db, now)
    line = credit.apply_for_line(db, customer, now=now)
    forgetful = json.loads(STANDARD_CHECKOUT.body)
    forgetful["rules"] = [r for r in forgetful["rules"] if r["id"] == "grade_d"]
    policy = parse_policy(forgetful)
    decisions.publish(db, policy, approval=approval(policy.subject, now), now=now)
    credit.freeze(db, line, reason="stolen card", by="op_1", now=now)
    answer = credit.decide(db, asked(), now=now, business_date=DAY).as_data()
    assert (answer["outcome"], answer["reasons"][0]["code"]) == ("decline", "LINE_FROZEN")


def test_a_dry_run_leaves_nothing_behind(db, model, now):  # noqa: F811
    furnished(db, model, now)
    before = _rows(db)
    answer = credit.decide(db, asked(ref="C-stranger", dry_run=True), now=now, business_date=DAY)
    assert answer.outcome == "decline"
    assert _rows(db) == before
    assert identity.find_customer(db, source="shop", customer_ref="C-stranger") is None
    asked_for_real = credit.decide(db, asked(ref="C-stranger"), now=now, business_date=DAY)
    assert asked_for_real.customer_id == answer.customer_id


def test_a_dry_run_waits_for_nobody(fresh_database, model, now):  # noqa: F811
    with fresh_database.begin() as db:
        furnished(db, model, now)
        line = credit.apply_for_line(db, good_customer(db, now), now=now)
    with fresh_database.begin() as db:
        held(db, line, "100.00", now)
        trying, settled = in_another_transaction(
            fresh_database,
            lambda other: credit.decide(other, asked(dry_run=True), now=now, business_date=DAY),
        )
        settled()
        assert trying.done(), "a question that holds nothing takes no lock"
    assert trying.result(PATIENCE).outcome == "approve"


def _rows(db):
    tables = ("identity.customer", "identity.link", "decisions.decision", "credit.hold", "ingestion.event")
    return [db.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables]


# --- two customers who turn out to be one ----------------------------------------------------------


def verified_phone(db, ref, at):
    receipt = ingestion.accept(
        db,
        [{"source": "shop", "source_id": f"v-{ref}", "kind": "customer_verified", "customer_ref": ref,
          "occurred_at": at.isoformat(), "payload": {"identifier": "phone"},
          "personal": {"phone": "13800000001"}}],
        keyring=KEYS, now=at,
    )  # fmt: skip
    assert receipt.accepted == 1, receipt


def two_who_are_one(db, now):
    """Each had a line; a telephone number that both verified makes them one customer."""
    identity.unify(db, keyring=KEYS, now=now)
    first, second = good_customer(db, now, "C-good"), good_customer(db, now, "C-twin")
    lines = [credit.apply_for_line(db, customer, now=now) for customer in (first, second)]
    for ref in ("C-good", "C-twin"):
        verified_phone(db, ref, now)
    assert identity.unify(db, keyring=KEYS, now=now).merged == 1
    kept = identity.find_customer(db, source="shop", customer_ref="C-good")
    return kept, {line.customer_id: line for line in lines}, first if kept == second else second


def test_who_is_late_under_one_name_is_late_under_the_other(db, model, now):  # noqa: F811
    furnished(db, model, now)
    kept, lines, absorbed = two_who_are_one(db, now)
    hold = held(db, lines[absorbed], "300.00", now)
    plan = credit.capture(db, hold.hold_id, now=now, business_date=DAY)
    late = DAY + timedelta(days=35)
    answer = credit.decide(db, asked(), now=now + timedelta(days=35), business_date=late).as_data()
    assert answer["outcome"] == "decline"
    assert "PAST_DUE" in [reason["code"] for reason in answer["reasons"]]
    assert plan in credit.plans_of(db, kept), "what was owed before the merge is still owed by the customer"


def test_a_freeze_under_one_name_holds_under_the_other(db, model, now):  # noqa: F811
    furnished(db, model, now)
    _, lines, absorbed = two_who_are_one(db, now)
    credit.freeze(db, lines[absorbed], reason="stolen card", by="op_1", now=now)
    answer = credit.decide(db, asked(), now=now, business_date=DAY).as_data()
    assert (answer["outcome"], answer["reasons"][0]["code"]) == ("decline", "LINE_FROZEN")


def test_what_is_used_under_one_name_is_used_under_the_other(db, model, now):  # noqa: F811
    """Two lines are not twice the credit: the customer may use as much as one of them."""
    furnished(db, model, now)
    kept, lines, absorbed = two_who_are_one(db, now)
    line = lines[kept]
    assert isinstance(held(db, lines[absorbed], line.available.text, now), credit.Hold)
    answer = credit.decide(db, asked(), now=now, business_date=DAY).as_data()
    assert (answer["outcome"], answer["reasons"][0]["code"]) == ("decline", "LIMIT_EXHAUSTED")
    assert answer["limit"]["available"] == "0.00"


def test_the_line_of_a_customer_is_found_after_a_merge(db, model, now):  # noqa: F811
    furnished(db, model, now)
    identity.unify(db, keyring=KEYS, now=now)
    good_customer(db, now, "C-good")
    younger = good_customer(db, now, "C-twin")
    line = credit.open_line(db, younger, limit=yuan("500.00"), reason="grade B", now=now)
    for ref in ("C-good", "C-twin"):
        verified_phone(db, ref, now)
    identity.unify(db, keyring=KEYS, now=now)
    kept = identity.find_customer(db, source="shop", customer_ref="C-twin")
    assert kept != younger, "the older of the two stays"
    assert credit.line_of(db, kept).line_id == line.line_id
    assert credit.apply_for_line(db, kept, now=now).code == "LINE_EXISTS"


# --- somebody else's name --------------------------------------------------------------------------

VICTIM = {
    "name": "陈文静",
    "phone": "13800000001",
    "email": "wenjing@jincheng.example",
    "birth_date": "1990-03-05",
    "address": "浙江省杭州市西湖区文三路1号2号楼3单元501室",
}


def typed_in(db, ref, at, kind="customer_registered", personal=None, **payload):
    receipt = ingestion.accept(
        db,
        [{"source": "shop", "source_id": f"{ref}-{kind}", "kind": kind, "customer_ref": ref,
          "occurred_at": at.isoformat(), "payload": payload or {"channel": "web"},
          "personal": personal or VICTIM}],
        keyring=KEYS, now=at,
    )  # fmt: skip
    assert receipt.accepted == 1, receipt


@pytest.fixture
def impostor(db, model, now):  # noqa: F811
    """A customer with a line, and a new account under everything that is known of her; one file."""
    furnished(db, model, now)
    holder = good_customer(db, now, "C-good")
    typed_in(db, "C-good", now)
    identity.unify(db, keyring=KEYS, now=now)
    credit.apply_for_line(db, holder, now=now)
    typed_in(db, "C-new", now)
    assert identity.unify(db, keyring=KEYS, now=now).merged == 1
    return holder


def answered(db, ref, now):
    answer = credit.decide(db, replace(asked(), customer_ref=ref), now=now, business_date=DAY)
    return answer.outcome, [reason["code"] for reason in answer.as_data()["reasons"]], answer.hold_id


def test_who_types_in_the_name_of_a_line_holder_does_not_spend_their_line(db, now, impostor):
    assert identity.find_customer(db, source="shop", customer_ref="C-new") == impostor
    assert answered(db, "C-new", now) == ("review", ["HOLDER_NOT_PROVEN"], None)
    assert answered(db, "C-good", now)[0] == "approve"


def test_a_phone_that_both_verified_lets_the_new_account_spend(db, now, impostor):
    for ref in ("C-good", "C-new"):
        typed_in(db, ref, now, "customer_verified", {"phone": VICTIM["phone"]}, identifier="phone")
        identity.unify(db, keyring=KEYS, now=now)
    assert answered(db, "C-new", now)[0] == "approve"


def test_a_word_of_an_operator_lets_the_new_account_spend_until_it_is_taken_back(db, now, impostor):
    other = identity.own_customer(db, source="shop", customer_ref="C-new")
    said = {"reason": "she called from her number", "by": "op_1", "now": now}
    ruling = identity.merge_customers(db, impostor, other_id=other, **said)
    assert isinstance(ruling, identity.Ruling)
    assert answered(db, "C-new", now)[0] == "approve"
    again = identity.merge_customers(db, impostor, other_id=other, **said)
    assert again.reason == "one_already"
    identity.undo_ruling(db, ruling.ruling_no, **said)
    assert answered(db, "C-new", now) == ("review", ["HOLDER_NOT_PROVEN"], None)


# --- the edges of numbers --------------------------------------------------------------------------


def test_an_amount_as_large_as_the_database_can_hold_is_answered(db, model, now):  # noqa: F811
    furnished(db, model, now)
    credit.apply_for_line(db, good_customer(db, now), now=now)
    request = replace(asked(), amount=Money(2**63 - 1, "CNY"))
    assert credit.decide(db, request, now=now, business_date=DAY).outcome == "counter_offer"


def test_the_application_can_not_raise_a_limit_by_itself(db):
    with pytest.raises(Exception, match="permission denied"):
        db.execute(text("UPDATE credit.line SET limit_minor = limit_minor * 10"))
