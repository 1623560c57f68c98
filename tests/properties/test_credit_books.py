"""Laws of money: allocation adds up, available is never negative, the books agree with a small model."""

from datetime import date, timedelta

import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shouxin import credit
from shouxin.credit import Hold, HoldRefusal, Plan, RepaymentRefusal, RepaymentResult
from shouxin.credit.instalments.domain import Instalment, schedule
from shouxin.credit.ledger.domain import Posting, balances
from shouxin.credit.repayment.domain import allocate
from shouxin.decisions import STANDARD_CHECKOUT
from shouxin.kernel import CustomerId, Money

DAY = date(2026, 3, 2)
AMOUNTS = st.integers(1, 10**12)


@given(AMOUNTS, st.lists(st.integers(1, 400), min_size=1, max_size=12, unique=True).map(sorted))
def test_a_schedule_adds_up_to_the_cent_and_never_falls_due_backwards(minor, due_days):
    rows = schedule(Money(minor, "CNY"), due_days=due_days, started_on=DAY)
    assert sum(amount.minor for _, amount in rows) == minor
    assert [day for day, _ in rows] == sorted({day for day, _ in rows})
    assert max(amount.minor for _, amount in rows) - min(amount.minor for _, amount in rows) <= 1


@given(AMOUNTS, st.data())
def test_a_repayment_is_allocated_whole_and_oldest_first(now_minor, data):
    plan = drawn_plan(now_minor, data)
    if not plan.outstanding:
        return
    amount = Money(data.draw(st.integers(1, plan.outstanding.minor)), "CNY")
    shares = allocate(plan, amount, business_date=DAY + timedelta(days=data.draw(st.integers(0, 200))))
    assert sum(share.amount.minor for share in shares) == amount.minor
    unpaid = {i.number: i.unpaid for i in plan.instalments}
    assert all(share.amount <= unpaid[share.number] for share in shares)
    # Only the last instalment that was touched may be left partly unpaid.
    assert all(share.amount == unpaid[share.number] for share in shares[:-1])
    touched = [share.number for share in shares]
    assert touched == [number for number in sorted(unpaid) if unpaid[number]][: len(touched)]


def drawn_plan(minor, data):
    from datetime import UTC, datetime

    instalments = []
    for number, (due_on, amount) in enumerate(
        schedule(Money(minor, "CNY"), due_days=(30, 60, 90), started_on=DAY), 1
    ):
        paid = Money(data.draw(st.integers(0, amount.minor)), "CNY")
        instalments.append(
            Instalment("plan_1", number, due_on, amount, paid, DAY if paid == amount else None)
        )
    return Plan(
        "plan_1", "line_1", CustomerId("cus_1"), "hold_1", "O1", "pay_in_3", Money(minor, "CNY"), DAY,
        datetime(2026, 3, 2, tzinfo=UTC), tuple(instalments),
    )  # fmt: skip


ACCOUNTS = st.sampled_from(["cash:received", "payable:shop", "receivable:a", "receivable:b"])


@given(st.lists(st.tuples(ACCOUNTS, ACCOUNTS, AMOUNTS).filter(lambda leg: leg[0] != leg[1])))
def test_whatever_is_posted_money_is_conserved(legs):
    postings = [Posting(source, destination, Money(minor, "CNY")) for source, destination, minor in legs]
    assert sum(balances(postings).values()) == 0


def test_any_story_of_a_line_keeps_the_books(database, now):
    """A stateful test: hold, capture, void, expire, repay and close days in any order, against a model."""
    run_state_machine_as_test(
        type("StoryHere", (Story,), {"database": database, "start": now}),
        settings=settings(max_examples=12, stateful_step_count=20, suppress_health_check=list(HealthCheck)),
    )


class Story(RuleBasedStateMachine):
    """The model: what is held by hold, what is owed by plan."""

    @initialize(limit=st.integers(1, 300_000))
    def open_books(self, limit):
        self.connection = self.database.engine.connect()
        self.db = self.connection
        self.transaction = self.connection.begin()
        self.day, self.now, self.count = DAY, self.start, 0
        credit.start_books(self.db, business_date=DAY)
        self.customer = CustomerId("cus_story")
        self.line = credit.open_line(
            self.db, self.customer, limit=Money(limit, "CNY"), reason="story", now=self.start
        )
        self.limit, self.held, self.owed = limit, {}, {}

    def teardown(self):
        if hasattr(self, "transaction"):
            self.transaction.rollback()
            self.connection.close()

    @property
    def free(self):
        return self.limit - sum(m for m, _ in self.held.values()) - sum(self.owed.values())

    @rule(
        minor=st.integers(1, 120_000),
        hours=st.integers(1, 72),
        plan=st.sampled_from(["pay_in_3", "pay_later_30"]),
    )
    def hold(self, minor, hours, plan):
        self.count += 1
        name = f"hold_{self.count}"
        expires_at = self.now + timedelta(hours=hours)
        answer = credit.place_hold(
            self.db, self.line.line_id, hold_id=name, decision_id="dec", order_ref=f"O{self.count}",
            amount=Money(minor, "CNY"), terms=STANDARD_CHECKOUT.plans[plan], now=self.now,
            expires_at=expires_at,
        )  # fmt: skip
        assert isinstance(answer, Hold) == (minor <= self.free)
        if isinstance(answer, Hold):
            self.held[name] = (minor, expires_at)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def capture(self, data):
        name = data.draw(st.sampled_from(sorted(self.held)))
        minor, expires_at = self.held[name]
        part = data.draw(st.integers(1, minor))
        answer = credit.capture(
            self.db, name, amount=Money(part, "CNY"), now=self.now, business_date=self.day
        )
        if self.now >= expires_at:
            assert isinstance(answer, HoldRefusal)
        else:
            del self.held[name]
            self.owed[answer.plan_id] = part

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def void(self, data):
        name = data.draw(st.sampled_from(sorted(self.held)))
        answer = credit.void(self.db, name, now=self.now)
        assert isinstance(answer, Hold) == (self.now < self.held[name][1])
        if isinstance(answer, Hold):
            del self.held[name]

    @rule()
    def expire(self):
        over = [name for name, (_, expires_at) in self.held.items() if expires_at <= self.now]
        assert credit.expire_holds(self.db, now=self.now) == len(over)
        for name in over:
            del self.held[name]

    @precondition(lambda self: self.owed)
    @rule(data=st.data(), minor=st.integers(-1, 120_000))
    def repay(self, data, minor):
        plan_id = data.draw(st.sampled_from(sorted(self.owed)))
        self.count += 1
        for repeated in (False, True):
            answer = credit.repay(
                self.db, plan_id, amount=Money(minor, "CNY"), now=self.now, business_date=self.day,
                reference=f"pay {self.count}",
            )  # fmt: skip
            if 0 < minor <= self.owed[plan_id] or (repeated and isinstance(answer, RepaymentResult)):
                assert isinstance(answer, RepaymentResult)
                if not repeated:
                    self.owed[plan_id] -= minor
                assert answer.plan_outstanding.minor == self.owed[plan_id]
            else:
                assert isinstance(answer, RepaymentRefusal)

    @rule(days=st.integers(1, 40))
    def days_pass(self, days):
        closed = self.day + timedelta(days=days - 1)
        self.now += timedelta(days=days)
        credit.close_day(self.db, business_date=closed, now=self.now)
        self.day = closed + timedelta(days=1)
        late = max((p.days_past_due(closed) for p in credit.plans_of(self.db, self.customer)), default=0)
        assert credit.line_of(self.db, self.customer).days_past_due == late

    @invariant()
    def the_books_agree(self):
        if not hasattr(self, "line"):
            return
        line = credit.line_of(self.db, self.customer)
        assert line.held.minor == sum(minor for minor, _ in self.held.values())
        assert line.outstanding.minor == sum(self.owed.values())
        assert line.available.minor == self.free >= 0
        assert credit.check_ledger(self.db).problems == ()
        self.db.execute(sqlalchemy.text("SET CONSTRAINTS ALL IMMEDIATE"))
        self.db.execute(sqlalchemy.text("SET CONSTRAINTS ALL DEFERRED"))
