"""Early warning with its database: alerts are made once, raised, handled, and never lose a step."""

from datetime import timedelta

import pytest
import sqlalchemy

from shouxin.early_warning import (
    AlertFilter,
    AlertOutcome,
    AlertRefusal,
    AlertState,
    Observation,
    Severity,
    action,
    assign_alert,
    dismiss,
    get_alert,
    list_alerts,
    note_alert,
    record_outcome,
    triage,
    watch,
)
from shouxin.kernel import CustomerId, Money


def seen(customer, *, owes=10_000, grade="B", **values):
    days = int(values.get("days_past_due", 0))
    return Observation(CustomerId(customer), values, Money(owes, "CNY"), days, grade)


def one_alert(db, now, customer="cus_1", **values):
    watch(db, observations=[seen(customer, **(values or {"days_past_due": 3}))], now=now)
    return list_alerts(db, AlertFilter(customer_id=customer, order="time")).rows[0]


def test_a_signal_makes_one_alert_and_the_same_news_is_not_told_twice(db, now):
    observations = [seen("cus_1", days_past_due=3), seen("cus_2", days_past_due=0)]
    first = watch(db, observations=observations, now=now)
    again = watch(db, observations=observations, now=now + timedelta(hours=1))
    assert (first.observed, first.signals, first.alerts_new) == (2, 1, 1)
    assert (again.signals, again.alerts_new, again.alerts_raised) == (0, 0, 0)
    (row,) = list_alerts(db, AlertFilter()).rows
    assert (row.severity, row.state, row.title.en) == (Severity.MEDIUM, AlertState.NEW, "Repayment overdue")
    assert (row.exposure, row.days_past_due, row.grade) == (Money(10_000, "CNY"), 3, "B")


def test_worse_news_raises_the_open_alert(db, now):
    row = one_alert(db, now, days_past_due=3)
    triage(db, row.alert_no, reason="calling", by="chen", now=now)
    count = watch(db, observations=[seen("cus_1", days_past_due=31)], now=now + timedelta(days=28))
    detail = get_alert(db, row.alert_no)
    assert (count.alerts_new, count.alerts_raised) == (0, 1)
    assert (detail.row.severity, detail.row.state) == (Severity.CRITICAL, AlertState.TRIAGED)
    assert [entry.what for entry in detail.history] == ["raised", "triaged", "severity_raised"]
    assert detail.history[-1].to_state is AlertState.TRIAGED
    signals = db.execute(
        sqlalchemy.text("SELECT severity FROM early_warning.signal WHERE alert_no = :no ORDER BY signal_no"),
        {"no": row.alert_no},
    )
    assert signals.scalars().all() == [2, 8]


def test_an_open_alert_shows_what_is_at_stake_now(db, now):
    row = one_alert(db, now, owes=10_000, days_past_due=31)
    watch(db, observations=[seen("cus_1", owes=4_000, grade="D", days_past_due=2)], now=now)
    fresh = get_alert(db, row.alert_no).row
    assert (fresh.exposure.minor, fresh.days_past_due, fresh.grade) == (4_000, 2, "D")
    assert (fresh.severity, fresh.measured) == (Severity.CRITICAL, 31)
    assert (row.priority, fresh.priority) == (80_000, 32_000)


def test_the_database_and_the_domain_order_alike(db, now):
    values = {"return_rate_jump_30d": 0.4, "orders_30d": 5}
    for owes in (0, 99, 12_345, 10**12):
        customer = f"cus_{owes}"
        by_signal = one_alert(db, now, customer, owes=owes, **values).priority
        watch(db, observations=[seen(customer, owes=owes, grade="A", **values)], now=now)
        assert list_alerts(db, AlertFilter(customer_id=customer)).rows[0].priority == by_signal


def test_a_dismissed_alert_stays_quiet_until_the_news_is_worse_or_old(db, now):
    row = one_alert(db, now, days_past_due=3)
    dismiss(db, row.alert_no, reason="bank holiday", by="chen", now=now)
    tomorrow, next_month = now + timedelta(days=1), now + timedelta(days=30)
    assert watch(db, observations=[seen("cus_1", days_past_due=4)], now=tomorrow).alerts_new == 0
    assert watch(db, observations=[seen("cus_1", days_past_due=9)], now=tomorrow).alerts_new == 1
    newest = list_alerts(db, AlertFilter(order="time")).rows[0]
    action(db, newest.alert_no, action="line_frozen", reason="agreed", by="chen", now=tomorrow)
    assert watch(db, observations=[seen("cus_1", days_past_due=9)], now=next_month).alerts_new == 0
    assert watch(db, observations=[seen("cus_1", days_past_due=9)], now=tomorrow + timedelta(30)).alerts_new


def test_every_move_is_kept_with_who_when_and_why(db, now):
    no = one_alert(db, now).alert_no
    assign_alert(db, no, assignee="li.wei", by="chen", now=now)
    note_alert(db, no, note=" promised Friday ", by="li.wei", now=now)
    action(db, no, action="case_opened", reason="no answer", by="li.wei", now=now)
    done = record_outcome(
        db, no, outcome=AlertOutcome.CONFIRMED_RISK, reason="60 days late", by="li.wei", now=now
    )
    detail = get_alert(db, no)
    assert (done.state, done.outcome, done.assignee) == (
        AlertState.OUTCOME_KNOWN,
        AlertOutcome.CONFIRMED_RISK,
        "li.wei",
    )
    told = [(e.who, e.what, e.why) for e in detail.history[1:]]
    assert told == [
        ("chen", "assigned", "li.wei"),
        ("li.wei", "noted", "promised Friday"),
        ("li.wei", "case_opened", "no answer"),
        ("li.wei", "outcome:confirmed_risk", "60 days late"),
    ]


def test_what_can_not_be_done_is_refused_and_changes_nothing(db, now):
    no = one_alert(db, now).alert_no
    refusals = [
        dismiss(db, no, reason=" ", by="chen", now=now),
        dismiss(db, no + 1, reason="gone", by="chen", now=now),
        record_outcome(db, no, outcome=AlertOutcome.NO_ACTION, reason="?", by="chen", now=now),
        assign_alert(db, no + 1, assignee="li", by="chen", now=now),
        note_alert(db, no, note="", by="chen", now=now),
    ]
    assert [r.code for r in refusals] == [
        "reason_missing",
        "unknown_alert",
        "move_not_allowed",
        "unknown_alert",
        "reason_missing",
    ]
    assert all(isinstance(r, AlertRefusal) for r in refusals)
    assert len(get_alert(db, no).history) == 1


def test_the_queue_is_filtered_ordered_and_paged(db, now):
    watch(
        db,
        observations=[
            seen(f"cus_{n}", owes=n * 1_000, days_past_due=40 if n % 2 else 2, grade="SABCD"[n % 5])
            for n in range(1, 11)
        ],
        now=now,
    )
    everything = list_alerts(db, AlertFilter(state="open", per_page=4))
    assert (everything.total, len(everything.rows)) == (10, 4)
    assert [row.customer_id for row in everything.rows] == ["cus_9", "cus_7", "cus_5", "cus_3"]
    assert list_alerts(db, AlertFilter(severity="critical")).total == 5
    assert list_alerts(db, AlertFilter(grade="S")).total == 2
    assert list_alerts(db, AlertFilter(state="dismissed")).total == 0
    assert list_alerts(db, AlertFilter(page=3, per_page=4)).rows[-1].customer_id == "cus_2"
    number = everything.rows[0].alert_no
    assert list_alerts(db, AlertFilter(text=str(number))).rows == everything.rows[:1]
    assert list_alerts(db, AlertFilter(text="cus_4")).total == 1
    assert list_alerts(db, AlertFilter(text="9" * 30)).total == 0


@pytest.mark.parametrize("table", ["signal", "alert_event"])
def test_signals_and_histories_are_append_only(db, now, table):
    one_alert(db, now)
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"):
        db.execute(sqlalchemy.text(f"DELETE FROM early_warning.{table}"))


def test_twenty_thousand_customers_in_one_go(db, now):
    observations = [
        seen(f"cus_{n}", owes=n, days_past_due=n % 40, used=n % 100, limit=100) for n in range(20_000)
    ]
    first = watch(db, observations=observations, now=now)
    assert first.alerts_new == sum(n % 40 > 0 for n in range(20_000)) + sum(
        n % 100 >= 90 for n in range(20_000)
    )
    assert watch(db, observations=observations, now=now).signals == 0
