"""credit: lines, holds, captures, freezes, the books, and many checkouts at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy
from sqlalchemy import text

from shouxin import credit, ingestion
from shouxin.credit import Hold, HoldRefusal, LineOpening, LineRefusal, Plan
from shouxin.credit.instalments.domain import schedule
from shouxin.database.supervisor import OWNER_ROLE
from shouxin.decisions import STANDARD_CHECKOUT
from shouxin.kernel import CustomerId, Money, derived_id

CUSTOMER = CustomerId("cus_one")
DAY = date(2026, 3, 2)


def yuan(text):
    return Money.parse(text, "CNY")


def opened(db, now, limit="5000.00"):
    credit.start_books(db, business_date=DAY)
    return credit.open_line(db, CUSTOMER, limit=yuan(limit), reason="grade A", now=now)


def held(db, line, amount, now, *, name="O1", plan="pay_in_3", hours=168):
    return credit.place_hold(
        db,
        line.line_id,
        hold_id=derived_id("hold", name),
        decision_id="dec_1",
        order_ref=name,
        amount=yuan(amount),
        terms=STANDARD_CHECKOUT.plans[plan],
        now=now,
        expires_at=now + timedelta(hours=hours),
    )


def figures(db):
    line = credit.line_of(db, CUSTOMER)
    return line.held.text, line.outstanding.text, line.available.text


def settle_constraints(db):
    """What a commit would check."""
    db.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


# --- lines -----------------------------------------------------------------------------------------


def test_a_line_is_opened_once_and_told_to_the_event_log(db, now):
    line = opened(db, now)
    assert line.available == yuan("5000.00") and not line.frozen
    with pytest.raises(credit.UnableToOpenLine):
        credit.open_line(db, CUSTOMER, limit=yuan("1.00"), reason="again", now=now)
    (event,) = ingestion.list_events(db, [("credit", CUSTOMER)], as_of=now)
    assert (event.kind, event.amount, event.payload["line_id"]) == (
        "line_opened", yuan("5000.00"), line.line_id,
    )  # fmt: skip


def test_many_lines_are_opened_at_once_and_those_who_have_one_keep_it(db, now):
    opened(db, now)
    openings = [LineOpening(CustomerId(f"cus_{n}"), yuan("100.00"), "grade B") for n in range(500)]
    openings.append(LineOpening(CUSTOMER, yuan("1.00"), "grade B"))
    assert credit.open_lines(db, openings, now=now) == 500
    assert credit.open_lines(db, openings, now=now) == 0
    assert credit.line_of(db, CUSTOMER).limit == yuan("5000.00")
    assert len(credit.exposures(db)) == 501


def test_a_freeze_is_a_row_and_stops_checkouts_until_it_is_lifted(db, now):
    line = opened(db, now)
    frozen = credit.freeze(db, line, reason="three chargebacks", by="li.manager", now=now)
    assert frozen.frozen
    assert isinstance(credit.freeze(db, line, reason="again", by="x", now=now), LineRefusal)
    assert held(db, line, "10.00", now).code == "LINE_FROZEN"
    assert not credit.unfreeze(db, line, reason="cleared", by="li.manager", now=now).frozen
    assert credit.unfreeze(db, line, reason="again", by="x", now=now).code == "NOT_FROZEN"
    assert isinstance(held(db, line, "10.00", now), Hold)


# --- holds -----------------------------------------------------------------------------------------


def test_available_is_limit_less_held_less_outstanding(db, now):
    line = opened(db, now)
    hold = held(db, line, "1299.00", now)
    assert figures(db) == ("1299.00", "0.00", "3701.00")
    refused = held(db, line, "3701.01", now, name="O2")
    assert isinstance(refused, HoldRefusal) and refused.code == "ABOVE_AVAILABLE"
    plan = credit.capture(db, hold.hold_id, now=now, business_date=DAY)
    assert figures(db) == ("0.00", "1299.00", "3701.00")
    assert [i.amount.text for i in plan.instalments] == ["433.00", "433.00", "433.00"]
    assert isinstance(held(db, line, "3701.00", now, name="O3"), Hold)
    assert credit.check_ledger(db).balanced
    settle_constraints(db)


def test_a_partial_capture_frees_the_rest(db, now):
    line = opened(db, now)
    hold = held(db, line, "1000.00", now)
    assert credit.capture(db, hold.hold_id, amount=yuan("1000.01"), now=now, business_date=DAY).code == (
        "ABOVE_HELD"
    )
    plan = credit.capture(db, hold.hold_id, amount=yuan("100.00"), now=now, business_date=DAY)
    assert isinstance(plan, Plan) and plan.amount == yuan("100.00")
    assert [i.amount.text for i in plan.instalments] == ["33.34", "33.33", "33.33"]
    assert figures(db) == ("0.00", "100.00", "4900.00")
    again = credit.find_hold(db, hold.hold_id)
    assert (again.state, again.captured) == ("captured", yuan("100.00"))


@pytest.mark.parametrize("first", ["capture", "void", "expire"])
@pytest.mark.parametrize("second", ["capture", "void"])
def test_a_hold_ends_once(db, now, first, second):
    line = opened(db, now)
    hold = held(db, line, "1000.00", now)
    verbs = {
        "capture": lambda at: credit.capture(db, hold.hold_id, now=at, business_date=DAY),
        "void": lambda at: credit.void(db, hold.hold_id, now=at),
        "expire": lambda at: credit.expire_holds(db, now=hold.expires_at),
    }
    verbs[first](now)
    before = figures(db)
    refused = verbs[second](now)
    ended = {"capture": "CAPTURED", "void": "VOIDED", "expire": "EXPIRED"}[first]
    assert isinstance(refused, HoldRefusal) and refused.code == f"HOLD_{ended}"
    assert figures(db) == before
    assert credit.check_ledger(db).balanced


def test_a_hold_whose_hour_has_come_can_not_be_captured_and_is_swept(db, now):
    line = opened(db, now)
    hold = held(db, line, "1000.00", now, hours=1)
    later = held(db, line, "500.00", now, name="O2", hours=2)
    at = now + timedelta(hours=1)
    assert credit.capture(db, hold.hold_id, now=at, business_date=DAY).code == "HOLD_EXPIRED"
    assert credit.expire_holds(db, now=at) == 1
    assert credit.expire_holds(db, now=at) == 0
    assert figures(db) == ("500.00", "0.00", "4500.00")
    assert credit.find_hold(db, later.hold_id).state == "held"


def test_an_unknown_hold_is_refused(db, now):
    opened(db, now)
    assert credit.void(db, "hold_none", now=now).code == "NO_SUCH_HOLD"
    assert credit.capture(db, "hold_none", now=now, business_date=DAY).code == "NO_SUCH_HOLD"


def test_shares_of_nothing_are_left_out():
    (only,) = schedule(Money(1, "CNY"), due_days=(30, 60, 90), started_on=DAY)
    assert only == (DAY + timedelta(days=30), Money(1, "CNY"))


def test_sixty_four_checkouts_at_once_never_spend_the_line_twice(fresh_database, now):
    with fresh_database.begin() as db:
        line = opened(db, now, limit="1000.00")

    def checkout(number):
        with fresh_database.begin() as db:
            return held(db, line, "100.00", now, name=f"O{number}")

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(checkout, range(64)))
    assert sum(isinstance(answer, Hold) for answer in answers) == 10
    with fresh_database.begin() as db:
        assert figures(db) == ("1000.00", "0.00", "0.00")
        assert credit.check_ledger(db).balanced


def test_captures_repayments_and_sweeps_at_once_leave_the_books_whole(fresh_database, now):
    with fresh_database.begin() as db:
        line = opened(db, now, limit="100000.00")
        holds = [held(db, line, "300.00", now, name=f"O{n}", hours=1 + n % 2) for n in range(24)]
    swept_at = now + timedelta(minutes=90)

    def work(number):
        hold = holds[number % 24]
        with fresh_database.begin() as db:
            if number % 3 == 2:
                return credit.expire_holds(db, now=swept_at)
            plan = credit.capture(db, hold.hold_id, now=now, business_date=DAY)
            if isinstance(plan, Plan):
                credit.repay(
                    db, plan.plan_id, amount=yuan("150.00"), now=now, business_date=DAY,
                    reference=f"pay {number}",
                )  # fmt: skip
            return plan

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(48)))
    with fresh_database.begin() as db:
        assert credit.check_ledger(db).problems == ()
        line = credit.line_of(db, CUSTOMER)
        plans = credit.plans_of(db, CUSTOMER)
        assert plans and line.outstanding == yuan(f"{150 * len(plans)}.00")


# --- the books -------------------------------------------------------------------------------------


@pytest.fixture
def owner(fresh_database, database):
    name = fresh_database.engine.url.database
    engine = sqlalchemy.create_engine(database.server.url(OWNER_ROLE, name), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        yield connection


def a_captured_order(fresh_database, now):
    with fresh_database.begin() as db:
        line = opened(db, now)
        hold = held(db, line, "1299.00", now)
        credit.capture(db, hold.hold_id, now=now, business_date=DAY)
        assert credit.check_ledger(db).balanced
        return line


FORGED = (
    "INSERT INTO credit.posting (entry_no, source, destination, amount_minor, currency) "
    "SELECT entry_no, :receivable, 'cash:received', 1, 'CNY' FROM credit.entry LIMIT 1"
)


def test_the_database_refuses_to_commit_a_posting_that_parts_a_line_from_its_books(
    fresh_database, owner, now
):
    line = a_captured_order(fresh_database, now)
    with pytest.raises(sqlalchemy.exc.IntegrityError, match="holds 129899 and its line says 129900"):
        owner.execute(text(FORGED), {"receivable": f"receivable:{line.line_id}"})
        owner.commit()


@pytest.mark.parametrize(
    ("forgery", "invariant"),
    [
        (FORGED, "what a line owes is the balance of its receivable"),
        ("UPDATE credit.line SET held_minor = 5", "what a line holds is the sum of its open holds"),
        ("DELETE FROM credit.posting", "an entry has postings"),
        (
            "UPDATE credit.instalment SET amount_minor = amount_minor + 1 WHERE number = 1",
            "the instalments of a plan add up to its amount",
        ),
        (
            "UPDATE credit.instalment SET paid_minor = 7 WHERE number = 1",
            "what was paid on an instalment is the sum of its allocations",
        ),
        (
            "INSERT INTO credit.repayment SELECT 'rep_1', 'r', plan_id, 5, 'CNY', started_on, opened_at FROM credit.plan",  # noqa: E501
            "a repayment is allocated whole",
        ),
    ],
)
def test_a_broken_book_is_found(fresh_database, owner, now, forgery, invariant):
    line = a_captured_order(fresh_database, now)
    owner.execute(text("SET session_replication_role = replica"))  # past every trigger, as a vandal would
    owner.execute(text(forgery), {"receivable": f"receivable:{line.line_id}"} if ":rec" in forgery else {})
    owner.commit()
    with fresh_database.begin() as db:
        check = credit.check_ledger(db)
    assert not check.balanced
    assert invariant in {problem.invariant for problem in check.problems}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credit.posting SET amount_minor = 1",
        "DELETE FROM credit.posting",
        "DELETE FROM credit.entry",
        "DELETE FROM credit.freeze",
        "UPDATE credit.repayment SET amount_minor = 1",
        "UPDATE credit.hold SET amount_minor = 1",
        "UPDATE credit.plan SET amount_minor = 1",
        "DELETE FROM credit.line",
    ],
)
def test_the_books_can_not_be_rewritten(db, statement):
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"):
        db.execute(text(statement))


# --- repaying --------------------------------------------------------------------------------------


def a_plan(db, now, amount="300.00"):
    line = opened(db, now)
    return credit.capture(db, held(db, line, amount, now).hold_id, now=now, business_date=DAY)


def repaid(db, plan, amount, now, *, on=DAY, reference="pay 1"):
    return credit.repay(db, plan.plan_id, amount=yuan(amount), now=now, business_date=on, reference=reference)


def test_a_repayment_is_named_by_its_reference(db, now):
    plan = a_plan(db, now)
    first = repaid(db, plan, "120.00", now)
    assert [(s.number, s.amount.text) for s in first.allocation] == [(1, "100.00"), (2, "20.00")]
    assert first.plan_outstanding == yuan("180.00")
    again = repaid(db, plan, "120.00", now)
    assert again.repeated and again.repayment_id == first.repayment_id
    assert again.allocation == first.allocation
    assert repaid(db, plan, "121.00", now).code == "REFERENCE_REUSED"
    assert figures(db) == ("0.00", "180.00", "4820.00")
    assert credit.check_ledger(db).problems == ()
    settle_constraints(db)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(0, "CNY"), "AMOUNT_NOT_POSITIVE"),
        (Money(-5, "CNY"), "AMOUNT_NOT_POSITIVE"),
        (Money(30_001, "CNY"), "ABOVE_OUTSTANDING"),
        (Money(-5, "USD"), "CURRENCY_DIFFERS"),
    ],
)
def test_a_repayment_is_refused_by_precedence(db, now, amount, code):
    plan = a_plan(db, now)
    refused = credit.repay(db, plan.plan_id, amount=amount, now=now, business_date=DAY, reference="pay 1")
    assert refused.code == code
    assert figures(db) == ("0.00", "300.00", "4700.00")


def test_a_repayment_tells_the_event_log_how_late_each_part_came(db, now):
    plan = a_plan(db, now)
    repaid(db, plan, "150.00", now, on=DAY + timedelta(days=45))
    events = ingestion.list_events(db, [("credit", CUSTOMER)], as_of=now, kinds=["repayment_received"])
    assert {(e.payload["number"], e.payload["days_past_due"], e.amount.text) for e in events} == {
        (1, 15, "100.00"), (2, 0, "50.00"),
    }  # fmt: skip
    assert {e.order_ref for e in events} == {"O1"}
