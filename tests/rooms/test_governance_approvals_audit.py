"""Governance: approvals and the audit chain."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy
from sqlalchemy import text

from shouxin.database.supervisor import OWNER_ROLE
from shouxin.governance import (
    ApprovalRefusal,
    ApprovalState,
    Role,
    UnableToRequest,
    append_only_tables,
    approve,
    invite_operator,
    list_approvals,
    list_audit,
    record_audit,
    reject,
    request_approval,
    verify_audit,
)
from shouxin.kernel import Approval


def operator(db, now, name, *roles):
    invitation = invite_operator(
        db, name=name, display_name=name, roles=roles or (Role.RISK_MANAGER,), language="en", now=now
    )
    return invitation.operator.operator_id


def asked(db, now, maker, subject="policy:sha256:1"):
    return request_approval(db, subject=subject, maker=maker, reason="lower the cut-off", now=now)


def test_a_second_person_cuts_the_key(db, now):
    maker, checker = operator(db, now, "maker", Role.RISK_ANALYST), operator(db, now, "checker")
    request_id = asked(db, now, maker)
    assert [r.request_id for r in list_approvals(db, state=ApprovalState.WAITING)] == [request_id]
    approval = approve(db, request_id, checker=checker, reason="back-test is fine", now=now)
    assert approval == Approval(request_id, "policy:sha256:1", maker, checker, "back-test is fine", now)
    assert list_approvals(db, state=ApprovalState.WAITING) == []
    (done,) = list_approvals(db)
    assert (done.state, done.checker, done.decision_reason) == ("approved", checker, "back-test is fine")
    assert [entry.action for entry in list_audit(db)] == ["approval.approved", "approval.requested"]


def test_a_request_is_decided_once(db, now):
    checker = operator(db, now, "checker")
    request_id = asked(db, now, "train")
    assert reject(db, request_id, checker=checker, reason="not yet", now=now).state == "rejected"
    assert approve(db, request_id, checker=checker, reason="ok", now=now).reason == "already_decided"


@pytest.mark.parametrize(
    ("roles", "subject", "reason"),
    [
        ((Role.ADMIN,), "policy:1", "admin_is_not_approver"),
        ((Role.RISK_ANALYST,), "policy:1", "not_permitted"),
        ((Role.AUDITOR,), "model:1", "not_permitted"),
        ((Role.REVIEWER,), "line:1", "not_permitted"),
        ((Role.EXECUTIVE,), "write_off:1", "not_permitted"),
        ((Role.COLLECTOR,), "something_else:1", "not_permitted"),
    ],
)
def test_not_everybody_may_approve(db, now, roles, subject, reason):
    checker = operator(db, now, "checker", *roles)
    refusal = approve(db, asked(db, now, "train", subject), checker=checker, reason="ok", now=now)
    assert isinstance(refusal, ApprovalRefusal)
    assert refusal.reason == reason
    assert refusal.text.en


def test_a_checker_is_another_known_person_who_says_why(db, now):
    maker, checker = operator(db, now, "maker"), operator(db, now, "checker")
    request_id = asked(db, now, maker)
    assert approve(db, request_id, checker=maker, reason="ok", now=now).reason == "author_is_not_approver"
    assert approve(db, request_id, checker="op_none", reason="ok", now=now).reason == "unknown_checker"
    assert approve(db, "apr_none", checker=checker, reason="ok", now=now).reason == "unknown_request"
    assert approve(db, request_id, checker=checker, reason=" ", now=now).reason == "no_reason"
    assert isinstance(approve(db, request_id, checker=checker, reason="ok", now=now), Approval)


@pytest.mark.parametrize("empty", ["subject", "maker", "reason"])
def test_a_request_says_what_who_and_why(db, now, empty):
    with pytest.raises(UnableToRequest):
        request_approval(db, **({"subject": "a:1", "maker": "m", "reason": "r"} | {empty: " "}), now=now)


@pytest.mark.parametrize("who", ["maker", "admin"])
def test_the_database_refuses_the_author_and_the_admin_by_itself(db, now, who):
    maker = operator(db, now, "maker")
    checker = maker if who == "maker" else operator(db, now, "root", Role.ADMIN)
    request_id = asked(db, now, maker)
    insert = text(
        """
        INSERT INTO governance.approval_decision
            (request_id, maker, checker, outcome, reason, decided_at)
        VALUES (:request_id, :maker, :checker, 'approved', 'x', now())
        """
    )
    with pytest.raises(sqlalchemy.exc.IntegrityError, match=r"not_approver|admin is not approver"):
        db.execute(insert, {"request_id": request_id, "maker": maker, "checker": checker})


def test_the_database_refuses_a_decision_in_another_makers_name(db, now):
    maker = operator(db, now, "maker")
    request_id = asked(db, now, maker)
    insert = text(
        """
        INSERT INTO governance.approval_decision
            (request_id, maker, checker, outcome, reason, decided_at)
        VALUES (:request_id, 'somebody', :checker, 'approved', 'x', now())
        """
    )
    with pytest.raises(sqlalchemy.exc.IntegrityError, match="foreign key"):
        db.execute(insert, {"request_id": request_id, "checker": maker})


def test_the_database_lets_no_admin_hold_a_business_role(db, now):
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        db.execute(
            text(
                """
                INSERT INTO governance.operator VALUES
                    ('op_1', 'root', 'Root', ARRAY['admin', 'risk_manager'], 'en', now())
                """
            )
        )


def recorded(db, now, count):
    for number in range(count):
        record_audit(
            db,
            actor="op_1",
            action="case.closed",
            subject=f"case:{number}",
            detail={"n": number, "原因": "复核", "ratio": 0.1, "nested": {"b": [1, None], "a": True}},
            now=now + timedelta(microseconds=number),
        )


def test_the_chain_holds_and_pages(db, now):
    assert verify_audit(db).intact
    recorded(db, now, 5)
    verdict = verify_audit(db)
    assert (verdict.entries, verdict.intact, verdict.first_broken) == (5, True, None)
    newest = list_audit(db, limit=2)
    assert [entry.entry_no for entry in newest] == [5, 4]
    assert verdict.head == newest[0].hash
    assert [entry.entry_no for entry in list_audit(db, limit=9, before=4)] == [3, 2, 1]
    assert list_audit(db, action="other") == []
    assert [entry.entry_no for entry in list_audit(db, subject="case:2")] == [3]


TAMPERINGS = {
    "UPDATE governance.audit SET detail = '{}' WHERE entry_no = 3": 3,
    "UPDATE governance.audit SET actor = 'op_2' WHERE entry_no = 3": 3,
    "UPDATE governance.audit SET at = at + interval '1 microsecond' WHERE entry_no = 2": 2,
    "UPDATE governance.audit SET previous_hash = repeat('0', 64) WHERE entry_no = 4": 4,
    "UPDATE governance.audit SET hash = repeat('1', 64) WHERE entry_no = 5": 5,
    "DELETE FROM governance.audit WHERE entry_no = 1": 2,
    "DELETE FROM governance.audit WHERE entry_no = 3": 4,
    "INSERT INTO governance.audit SELECT 0, at, actor, action, subject, detail, previous_hash, 'x'"
    " FROM governance.audit WHERE entry_no = 1": 0,
    "UPDATE governance.audit SET entry_no = 9 WHERE entry_no = 5": 9,
}


@pytest.fixture
def owner(database):
    """Somebody who has the whole database in their hands; what they do is rolled back."""
    engine = sqlalchemy.create_engine(
        str(database.server.url(OWNER_ROLE, "shouxin")), poolclass=sqlalchemy.NullPool
    )
    with engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_what_an_owner_of_the_database_changes_shows(owner, now, tampering):
    recorded(owner, now, 5)
    owner.execute(text(tampering))
    verdict = verify_audit(owner)
    assert not verdict.intact
    assert verdict.first_broken == TAMPERINGS[tampering]


def test_entries_cut_off_the_end_show_in_the_head(owner, now):
    recorded(owner, now, 5)
    head = verify_audit(owner).head
    assert verify_audit(owner, known_head=head).intact
    recorded(owner, now, 2)
    assert verify_audit(owner, known_head=head).intact
    owner.execute(text("DELETE FROM governance.audit WHERE entry_no >= 5"))
    verdict = verify_audit(owner, known_head=head)
    assert (verdict.intact, verdict.head_found, verdict.first_broken) == (False, False, None)
    assert verify_audit(owner).intact


def test_many_writers_at_once_make_one_chain(fresh_database, now):
    def write(number):
        with fresh_database.begin() as db:
            record_audit(db, actor="a", action="x", subject=str(number), detail={}, now=now)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    with fresh_database.begin() as db:
        verdict = verify_audit(db)
        assert (verdict.entries, verdict.intact) == (40, True)


def test_the_application_can_not_rewrite_what_is_written_once(db):
    tables = append_only_tables(db)
    assert {
        "governance.audit",
        "governance.operator",
        "governance.approval_request",
        "governance.approval_decision",
        "governance.api_key",
    } <= tables
    assert "governance.session" not in tables
    assert "governance.credential" not in tables


@pytest.mark.parametrize("verb", ["UPDATE governance.audit SET actor = ''", "DELETE FROM governance.audit"])
def test_the_application_is_refused_when_it_tries(db, verb):
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"):
        db.execute(text(verb))
