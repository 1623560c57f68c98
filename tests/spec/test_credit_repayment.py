"""What a customer owes and how late, told by business date as drawn tables."""

from datetime import date, datetime, timedelta

import pytest

from shouxin import credit, ingestion
from shouxin.credit import dpd_bucket
from shouxin.decisions import STANDARD_CHECKOUT
from shouxin.kernel import CustomerId, Money, derived_id

CUSTOMER = CustomerId("cus_story")


def yuan(text):
    return Money.parse(text, "CNY")


def rows(drawing):
    return [[cell.strip() for cell in line.split("|")] for line in drawing.strip().splitlines()]


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (0, "M0"),
        (1, "M1"),
        (30, "M1"),
        (31, "M2"),
        (60, "M2"),
        (61, "M3"),
        (90, "M3"),
        (91, "M3+"),
        (999, "M3+"),
    ],
)
def test_buckets_of_lateness(days, bucket):
    assert dpd_bucket(days) == bucket


def opened_plan(db, now, *, amount, plan, started_on):
    credit.start_books(db, business_date=started_on)
    line = credit.open_line(db, CUSTOMER, limit=yuan("9000.00"), reason="grade A", now=now)
    hold = credit.place_hold(
        db,
        line.line_id,
        hold_id=derived_id("hold", "O1"),
        decision_id="dec_1",
        order_ref="O1",
        amount=yuan(amount),
        terms=STANDARD_CHECKOUT.plans[plan],
        now=now,
        expires_at=now + timedelta(days=7),
    )
    return credit.capture(db, hold.hold_id, now=now, business_date=started_on)


@pytest.mark.parametrize(
    ("amount", "plan", "drawing"),
    [
        ("1299.00", "pay_in_3", "2026-04-01 433.00 | 2026-05-01 433.00 | 2026-05-31 433.00"),
        ("1000.00", "pay_in_3", "2026-04-01 333.34 | 2026-05-01 333.33 | 2026-05-31 333.33"),
        ("0.02", "pay_in_3", "2026-04-01 0.01 | 2026-05-01 0.01"),
        ("1299.00", "pay_later_30", "2026-04-01 1299.00"),
    ],
)
def test_the_schedule_of_an_order_captured_on_2_march(db, now, amount, plan, drawing):
    opened = opened_plan(db, now, amount=amount, plan=plan, started_on=date(2026, 3, 2))
    assert " | ".join(f"{i.due_on} {i.amount.text}" for i in opened.instalments) == drawing


# An order of 300.00 captured on 1 January, due on 31 January, 2 March and 1 April.
# day closed | repaid on it | owed after | late | bucket | the event log is told
PAYS_LATE = """
2026-01-30 |        | 300.00 | 0  | M0 |
2026-01-31 |        | 300.00 | 0  | M0 | due 1
2026-02-01 |        | 300.00 | 1  | M1 | overdue 1 by 1
2026-02-02 | 40.00  | 260.00 | 2  | M1 | paid 1 late 2
2026-02-03 | 60.00  | 200.00 | 0  | M0 | paid 1 late 3
2026-03-02 |        | 200.00 | 0  | M0 | due 2
2026-03-10 |        | 200.00 | 8  | M1 | overdue 2 by 1
2026-04-02 |        | 200.00 | 31 | M2 | due 3, overdue 2 by 30, overdue 3 by 1
2026-05-31 |        | 200.00 | 90 | M3 | overdue 2 by 60, overdue 2 by 90, overdue 3 by 30, overdue 3 by 60
2026-06-01 |        | 200.00 | 91 | M3+ |
2026-06-02 | 150.00 |  50.00 | 62 | M3 | paid 2 late 92, paid 3 late 62
2026-06-03 | 50.00  |   0.00 | 0  | M0 | paid 3 late 63
"""


def test_a_customer_who_pays_late(db, now):
    plan = opened_plan(db, now, amount="300.00", plan="pay_in_3", started_on=date(2026, 1, 1))
    told = set()
    for day_text, repaid, owed, late, bucket, events in rows(PAYS_LATE):
        day = date.fromisoformat(day_text)
        if repaid:
            credit.repay(
                db, plan.plan_id, amount=yuan(repaid), now=now, business_date=day, reference=f"pay {day}"
            )
        credit.close_day(db, business_date=day, now=now)
        line = credit.line_of(db, CUSTOMER)
        assert (line.outstanding, line.days_past_due, dpd_bucket(line.days_past_due)) == (
            yuan(owed), int(late), bucket,
        ), day  # fmt: skip
        news = told_of(db, now) - told
        told |= news
        assert sorted(words for _, words in news) == sorted(w for w in events.split(", ") if w), day
    assert credit.check_ledger(db).problems == ()
    changes = credit.bucket_history(db, line.line_id)
    assert [(str(c.effective_on), c.bucket) for c in changes] == [
        ("2026-02-01", "M1"),
        ("2026-02-03", "M0"),
        ("2026-03-10", "M1"),
        ("2026-04-02", "M2"),
        ("2026-05-31", "M3"),
        ("2026-06-01", "M3+"),
        ("2026-06-02", "M3"),
        ("2026-06-03", "M0"),
    ]


def told_of(db, now):
    return {
        (event.source_id, words(event))
        for event in ingestion.list_events(db, [("credit", CUSTOMER)], as_of=now)
    } - {(f"{derived_id('line', CUSTOMER)}/opened", "")}


def words(event):
    late = event.payload.get("days_past_due")
    return {
        "line_opened": lambda: "",
        "instalment_due": lambda: f"due {event.payload['number']}",
        "instalment_overdue": lambda: f"overdue {event.payload['number']} by {late}",
        "repayment_received": lambda: f"paid {event.payload['number']} late {late}",
    }[event.kind]()


def test_a_customer_who_pays_on_time_is_never_late(db, now):
    plan = opened_plan(db, now, amount="300.00", plan="pay_in_3", started_on=date(2026, 1, 1))
    for offset in range(95):
        day = date(2026, 1, 1) + timedelta(days=offset)
        for instalment in plan.instalments:
            if instalment.due_on == day:
                credit.repay(
                    db,
                    plan.plan_id,
                    amount=instalment.amount,
                    now=now,
                    business_date=day,
                    reference=f"p {day}",
                )
        credit.close_day(db, business_date=day, now=now)
        assert credit.line_of(db, CUSTOMER).days_past_due == 0
    kinds = [e.kind for e in ingestion.list_events(db, [("credit", CUSTOMER)], as_of=now)]
    assert (kinds.count("instalment_due"), kinds.count("instalment_overdue")) == (3, 0)
    assert credit.bucket_history(db, plan.line_id) == []


def test_closing_a_day_again_changes_nothing(db, now):
    opened_plan(db, now, amount="300.00", plan="pay_in_3", started_on=date(2026, 1, 1))
    first = credit.close_day(db, business_date=date(2026, 2, 15), now=now)
    assert (first.due, first.overdue, first.lines_past_due, first.bucket_changes) == (1, 1, 1, 1)
    events = ingestion.event_count(db)
    again = credit.close_day(db, business_date=date(2026, 2, 15), now=now)
    assert again.repeated and (again.due, again.overdue) == (1, 1)
    assert ingestion.event_count(db) == events
    assert credit.current_business_date(db) == date(2026, 2, 16)


def test_skipped_days_are_caught_up_each_with_its_day(db):
    """Paid on the 10th day late, closed for the first time on the 40th: it was overdue by 1, never by 30."""
    now = datetime(2026, 3, 13, tzinfo=credit.BUSINESS_ZONE)
    plan = opened_plan(db, now, amount="300.00", plan="pay_in_3", started_on=date(2026, 1, 1))
    credit.repay(
        db, plan.plan_id, amount=yuan("100.00"), now=now, business_date=date(2026, 2, 10), reference="p"
    )
    credit.close_day(db, business_date=date(2026, 3, 12), now=now)
    told = [e for e in ingestion.list_events(db, [("credit", CUSTOMER)], as_of=now) if words(e)]
    assert {words(e) for e in told} == {
        "paid 1 late 10",
        "due 1",
        "overdue 1 by 1",
        "due 2",
        "overdue 2 by 1",
    }
    reached = {words(e): (now - e.occurred_at).days for e in told}
    assert reached == {
        "paid 1 late 10": 0, "due 1": 40, "overdue 1 by 1": 39, "due 2": 10, "overdue 2 by 1": 9,
    }  # fmt: skip


def test_time_does_not_go_back(db, now):
    opened_plan(db, now, amount="300.00", plan="pay_in_3", started_on=date(2026, 1, 1))
    credit.close_day(db, business_date=date(2026, 1, 5), now=now)
    with pytest.raises(RuntimeError, match="can not be closed any more"):
        credit.close_day(db, business_date=date(2026, 1, 3), now=now)
    with pytest.raises(RuntimeError, match="books are open"):
        credit.start_books(db, business_date=date(2025, 1, 1))
