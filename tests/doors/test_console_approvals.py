"""Approvals and operators through the console's door: asked for, given, rejected, invited."""

import re

import pytest

from doors.console_client import audited, signed_in
from shouxin import decisions, governance, scoring
from shouxin.decisions import STANDARD_CHECKOUT
from shouxin.governance import ApprovalState


def asked_for_a_policy(world, now, *, maker="liwei"):
    """A draft of the standard policy with a waiting request for it; returns (request id, policy)."""
    with world.house.database.begin() as db:
        who = governance.find_operator(db, maker).operator_id
        decisions.draft(db, STANDARD_CHECKOUT, author=who, now=now)
        request = governance.request_approval(
            db, subject=STANDARD_CHECKOUT.subject, maker=who, reason="上线标准策略", now=now, detail={"n": 1}
        )
    return request, STANDARD_CHECKOUT


def test_what_one_asks_for_another_approves_and_it_is_in_force(browser, world, clock):
    request, policy = asked_for_a_policy(world, clock.now)
    signed_in(browser, world, clock)
    page = browser.get("/approvals").text
    assert "上线标准策略" in page and "李伟" in page and '<span class="count">1</span>' in page
    silent = browser.post(f"/approvals/{request}/approve", {"reason": " "})
    assert silent.status_code == 422
    done = browser.post(f"/approvals/{request}/approve", {"reason": "已复核规则"})
    assert done.headers["location"] == "/approvals?said=approval_approved"
    with world.house.database.begin() as db:
        assert decisions.live_policy(db, policy.decision_point).policy_hash == policy.policy_hash
    page = browser.get("/approvals").text
    assert "已复核规则" in page and f"{request}/approve" not in page
    again = browser.post(f"/approvals/{request}/reject", {"reason": "改主意了"})
    assert again.status_code == 422 and "已有审批结果" in again.text


def test_a_request_is_rejected_with_a_reason_and_nothing_changes(browser, world, clock):
    request, policy = asked_for_a_policy(world, clock.now)
    signed_in(browser, world, clock)
    assert browser.post(f"/approvals/{request}/reject", {"reason": "额度过高"}).status_code == 303
    with world.house.database.begin() as db:
        assert decisions.live_policy(db, policy.decision_point) is None
    assert "额度过高" in browser.get("/approvals").text
    assert browser.post("/approvals/apr_nothing/reject", {"reason": "x"}).status_code == 422


def test_nobody_approves_what_they_asked_for(browser, world, clock):
    request, _ = asked_for_a_policy(world, clock.now, maker="chenjing")
    signed_in(browser, world, clock)
    page = browser.get("/approvals").text
    assert "须由他人审批" in page and f"{request}/approve" not in page
    refused = browser.post(f"/approvals/{request}/approve", {"reason": "我自己同意"})
    assert refused.status_code == 422 and "不能审批自己" in refused.text


def test_an_approval_that_can_not_take_effect_is_not_given(browser, world, clock):
    with world.house.database.begin() as db:
        maker = governance.find_operator(db, "liwei").operator_id
        subjects = ("policy:sha256:unknown", f"model:{scoring.champion(db).hash}")
        requests = [
            governance.request_approval(db, subject=subject, maker=maker, reason="请批准", now=clock.now)
            for subject in subjects
        ]
    signed_in(browser, world, clock)
    for request in requests:
        assert browser.post(f"/approvals/{request}/approve", {"reason": "同意"}).status_code == 422
    with world.house.database.begin() as db:
        assert len(governance.list_approvals(db, state=ApprovalState.WAITING)) == 2


def test_an_analyst_asks_for_what_is_kept_and_decides_nothing(browser, world, clock):
    request, policy = asked_for_a_policy(world, clock.now)
    with world.house.database.begin() as db:
        checker = governance.find_operator(db, "chenjing").operator_id
        governance.reject(db, request, checker=checker, reason="请补充说明", now=clock.now)
    signed_in(browser, world, clock, "liwei")
    assert policy.subject in browser.get("/approvals").text
    assert browser.post("/approvals", {"subject": policy.subject, "reason": ""}).status_code == 422
    assert browser.post("/approvals", {"subject": "limit:line_1", "reason": "x"}).status_code == 422
    assert browser.post("/approvals", {"subject": policy.subject, "reason": "已补充"}).status_code == 303
    twice = browser.post("/approvals", {"subject": policy.subject, "reason": "再次"})
    assert twice.status_code == 422, "it waits already"
    with world.house.database.begin() as db:
        (waiting,) = governance.list_approvals(db, state=ApprovalState.WAITING)
    assert browser.post(f"/approvals/{waiting.request_id}/approve", {"reason": "x"}).status_code == 403


def test_an_administrator_invites_and_the_link_is_shown_once(browser, world, clock):
    signed_in(browser, world, clock, "root")
    browser.get("/operators")
    form = {
        "name": "New.Person",
        "display_name": "新同事",
        "language": "zh",
        "role": ["reviewer", "collector"],
    }
    page = browser.post("/operators", form)
    link = re.search(r'value="http://[^"]+(/setup/[^"]+)"', page.text).group(1)
    assert page.status_code == 200 and "新同事" in page.text
    assert "/setup/" not in browser.get("/operators").text, "shown once"
    (entry,) = audited(world, "operator.invited")
    assert entry.detail["name"] == "new.person" and "setup" not in str(entry.detail)
    assert browser.get(link).status_code == 200
    browser.get("/operators")
    again = browser.post("/operators/new.person/renew")
    renewed = re.search(r'value="http://[^"]+(/setup/[^"]+)"', again.text).group(1)
    assert browser.get(link).status_code == 404 and browser.get(renewed).status_code == 200
    assert browser.post("/operators/nobody/renew").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"name": "no spaces"}, "2 to 40"),
        ({"name": "chenjing"}, "taken"),
        ({"display_name": " "}, "display name"),
        ({"role": []}, "at least one role"),
        ({"role": ["admin", "auditor"]}, "no other role"),
        ({"language": "fr"}, "not usable"),
    ],
)
def test_who_can_not_be_is_not_invited(browser, world, clock, wrong, why):
    signed_in(browser, world, clock, "root")
    browser.get("/operators")
    form = {"name": "li.si", "display_name": "李四", "language": "zh", "role": ["reviewer"]} | wrong
    answer = browser.post("/operators", form)
    said = re.search(r'role="alert">([^<]+)', answer.text)
    assert answer.status_code == 422 and why in (said[1] if said else answer.text)
    assert audited(world, "operator.invited") == []
