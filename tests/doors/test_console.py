"""The console through its door: who gets in, who may do what, and what every answer carries."""

import re
from datetime import timedelta

import pyotp
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from doors.console_client import Browser, Clock
from doors.console_world import PASSWORD, set_up, share_a_device, small_world, two_alike
from shouxin import cases, decisions, early_warning, governance, identity, scoring
from shouxin.cases import CaseFilter
from shouxin.decisions import STANDARD_CHECKOUT
from shouxin.early_warning import AlertFilter, AlertState
from shouxin.entrypoints.console import create_console_app
from shouxin.entrypoints.house import House
from shouxin.governance import ApprovalState

PAGES = (
    "/",
    "/quality",
    "/quarantine",
    "/quarantine/1",
    "/customers",
    "/alerts",
    "/cases",
    "/matches",
    "/approvals",
    "/reports",
    "/audit?verify=yes",
    "/consents",
    "/external",
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@pytest.fixture
def clock(now):
    return Clock(now)


@pytest.fixture
def world(fresh_database, now):
    return small_world(fresh_database, now=now)


@pytest.fixture
def app(world, clock):
    house = world.house
    return create_console_app(House(house.database, house.keyring, house.home, clock))


@pytest.fixture
def browser(app):
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Browser(client)


def signed_in(browser, world, clock, name="chenjing"):
    totp = set_up(world, name, now=clock.now)
    clock.forward(seconds=30)
    response = browser.sign_in(name, totp.at(clock.now))
    assert (response.status_code, response.headers["location"]) == (303, landing(name))
    browser.get("/approvals")
    return browser


def landing(name):
    return {"root": "/operators", "sunyue": "/audit"}.get(name, "/")


def audited(world, action):
    with world.house.database.begin() as db:
        return governance.list_audit(db, action=action)


def first_alert(world, **chosen):
    with world.house.database.begin() as db:
        return early_warning.list_alerts(db, AlertFilter(**chosen)).rows[0]


def test_an_invited_operator_sets_up_signs_in_and_out(browser, world, clock):
    link = f"/setup/{world.invitations['chenjing']}"
    page = browser.get(link)
    assert page.status_code == 200 and "<svg" in page.text and "陈静" in page.text
    secret = re.search(r'id="secret">([^<]+)<', page.text).group(1).replace(" ", "")
    totp = pyotp.TOTP(secret)
    weak = browser.post(link, {"password": "chenjing12345", "code": totp.at(clock.now)})
    assert weak.status_code == 422 and 'role="alert"' in weak.text
    done = browser.post(link, {"password": PASSWORD, "code": totp.at(clock.now)})
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in?said=setup")
    assert browser.get(link).status_code == 404, "an invitation is good once"

    reused = browser.sign_in("chenjing", totp.at(clock.now))
    assert reused.status_code == 422, "the code of the set-up is used up"
    clock.forward(seconds=30)
    entered = browser.sign_in("chenjing", totp.at(clock.now))
    assert entered.status_code == 303
    cookie = entered.headers["set-cookie"].lower()
    assert "shouxin_session=" in cookie and "httponly" in cookie and "samesite=strict" in cookie
    assert browser.get("/").status_code == 200
    left = browser.post("/sign-out")
    assert left.headers["location"] == "/sign-in?said=signed_out"
    assert browser.get("/").headers["location"] == "/sign-in"


def test_who_is_not_signed_in_sees_no_page(browser):
    for path in (*PAGES, "/operators", "/customers/cus_x", "/alerts/1", "/cases/1", "/search?q=x"):
        response = browser.get(path)
        assert (response.status_code, response.headers["location"]) == (303, "/sign-in"), path
    part = browser.get("/alerts/1", **{"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/sign-in")


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(browser, world, clock):
    totp = set_up(world, "chenjing", now=clock.now)
    clock.forward(seconds=30)
    code = totp.at(clock.now)
    texts = set()
    for name, password in (("nobody", PASSWORD), ("chenjing", "wrong horse battery")):
        response = browser.sign_in(name, code, password=password)
        assert response.status_code == 422
        texts.add(re.search(r'role="alert">([^<]+)', response.text).group(1))
    assert len(texts) == 1


def test_a_session_ends_when_idle(browser, world, clock):
    signed_in(browser, world, clock)
    clock.forward(minutes=31)
    assert browser.get("/").headers["location"] == "/sign-in"


def test_every_answer_carries_the_security_headers(browser, world, clock):
    answers = [browser.get("/sign-in"), browser.get("/nowhere"), browser.get("/static/console.css")]
    signed_in(browser, world, clock)
    answers += [browser.get(path) for path in PAGES]
    answers += [browser.post("/alerts/assign", token="wrong")]
    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY, answer.url
        assert answer.headers["x-content-type-options"] == "nosniff"
        if "static" not in str(answer.url):
            assert answer.headers["cache-control"] == "no-store", answer.url


def test_no_page_has_inline_style_or_script(browser, world, clock):
    signed_in(browser, world, clock)
    customer = world.customers[0]
    for path in (*PAGES, f"/customers/{customer}", f"/alerts/{first_alert(world).alert_no}", "/cases/1"):
        text = browser.get(path).text
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_renders_in_both_languages(browser, world, clock, language):
    signed_in(browser, world, clock)
    browser.post("/preferences", {"language": language, "back": "/"})
    alert = first_alert(world)
    places = [*PAGES, f"/customers/{alert.customer_id}", f"/alerts/{alert.alert_no}", "/cases/1"]
    places += [
        "/alerts?state=&text=nobody",
        "/cases?state=closed",
        "/customers?text=nobody",
        "/search?q=C20001",
    ]
    for path in places:
        response = browser.client.get(path)
        assert response.status_code == 200, path
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in response.text
        assert len(response.content) < 60_000


def test_a_form_without_our_token_does_nothing(app, browser, world, clock):
    signed_in(browser, world, clock)
    before = len(audited(world, None))
    for path in posted_paths(app):
        for token in ("", "0123456789abcdef.00", browser.token[:-1] + "x"):
            response = browser.post(path, {"reason": "because of that"}, token=token)
            assert response.status_code == 403, path
        foreign = browser.post(path, {"reason": "x"}, **{"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403, path
    assert len(audited(world, None)) == before
    assert browser.get("/").status_code == 200


def posted_paths(app: Litestar) -> list[str]:
    """Every path that takes a form, with something in the place of its parameters."""
    routes = [route for route in app.routes if isinstance(route, HTTPRoute) and "POST" in route.methods]
    assert len(routes) >= 16
    return [re.sub(r"\{[^}]+\}", "1", route.path_format) for route in routes]


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("maria", (*PAGES[1:6], "/audit", "/operators", "/customers/x", "/alerts/1", "/cases/1")),
        ("liwei", ("/audit", "/operators")),
        ("sunyue", ("/operators", "/matches")),
        ("chenjing", ("/operators",)),
        ("root", PAGES[1:]),
    ],
)
def test_a_role_opens_only_its_own_pages(browser, world, clock, name, refused):
    signed_in(browser, world, clock, name)
    for path in refused:
        assert browser.get(path).status_code == 403, path
    if name == "root":
        assert browser.get("/").headers["location"] == "/operators", "everybody has a page to land on"
    if name == "maria":
        assert browser.get("/").status_code == browser.get("/reports").status_code == 200
        page = browser.get("/").text
        assert "/customers" not in page and "/alerts" not in page and "陈*静" not in page


def test_a_role_does_only_what_it_may(browser, world, clock):
    signed_in(browser, world, clock, "maria")
    alert = first_alert(world)
    browser.get("/")
    customer = world.customers[0]
    for path in (
        f"/alerts/{alert.alert_no}",
        "/alerts/assign",
        "/alerts/dismiss",
        "/cases",
        "/cases/1/close",
        f"/customers/{customer}/freeze",
        f"/customers/{customer}/reveal",
        f"/customers/{customer}/export",
        "/matches/same",
        "/matches/different",
        "/matches/rulings/1/undo",
    ):
        response = browser.post(path, {"reason": "because of that", "alert": str(alert.alert_no)})
        assert response.status_code == 403, path
    assert first_alert(world).state is AlertState.NEW


def test_an_alert_is_assigned_noted_and_escalated_into_a_case(browser, world, clock):
    signed_in(browser, world, clock)
    number = first_alert(world).alert_no
    browser.get(f"/alerts/{number}")
    taken = browser.post(f"/alerts/{number}", {"action": "assign"}, **{"HX-Request": "true"})
    assert taken.status_code == 200 and taken.headers["HX-Trigger"] == "alert-changed"
    assert "<html" not in taken.text and "陈静" in taken.text
    silent = browser.post(f"/alerts/{number}", {"action": "dismiss"}, **{"HX-Request": "true"})
    assert silent.status_code == 422 and 'role="alert"' in silent.text
    assert browser.post(f"/alerts/{number}", {"action": "note", "reason": "电话无人接听"}).status_code == 303
    done = browser.post(f"/alerts/{number}", {"action": "escalate", "reason": "多次失联"})
    assert done.headers["location"] == f"/alerts/{number}?said=alert_escalated"
    with world.house.database.begin() as db:
        (case,) = cases.list_cases(db, CaseFilter(origin=f"alert:{number}")).rows
        assert early_warning.get_alert(db, number).row.state is AlertState.ACTIONED
    assert browser.get(f"/cases/{case.case_no}").status_code == 200
    assert [entry.subject for entry in audited(world, "alert.escalate")] == [f"alert:{number}"]
    assert browser.post(f"/alerts/{number}", {"action": "explode"}).status_code == 422


def test_ticked_alerts_are_worked_on_together(browser, world, clock):
    signed_in(browser, world, clock)
    with world.house.database.begin() as db:
        numbers = [str(row.alert_no) for row in early_warning.list_alerts(db, AlertFilter()).rows[:3]]
    browser.get("/alerts")
    assert browser.post("/alerts/dismiss", {"alert": numbers}).status_code == 422, "closing says why"
    answer = browser.post(
        "/alerts/dismiss", {"alert": numbers, "reason": "重复", "back": "https://elsewhere.example"}
    )
    assert answer.headers["location"] == "/?said=alerts_done"
    answer = browser.post("/alerts/assign", {"alert": numbers, "back": "/alerts?state=open"})
    assert answer.headers["location"] == "/alerts?state=open&said=alerts_partly"
    assert len(audited(world, "alert.dismiss")) == 3


def test_a_case_lives_through_its_page(browser, world, clock):
    signed_in(browser, world, clock)
    customer = world.customers[2]
    opened = browser.post("/cases", {"customer_id": customer, "title": "收入核实", "note": "来电"})
    place = opened.headers["location"].partition("?")[0]
    for step, fields in (
        ("assign", {}),
        ("note", {"note": "已致电"}),
        ("move", {"to": "investigating"}),
        ("close", {"outcome": "false_positive", "reason": "资料齐全"}),
    ):
        assert browser.post(f"{place}/{step}", fields).status_code == 303, step
    late = browser.post(f"{place}/note", {"note": "晚了"})
    assert late.status_code == 422 and "已结案" in late.text
    assert browser.post(f"{place}/reopen", {"reason": "新证据"}).status_code == 303
    assert browser.post(f"{place}/close", {"outcome": "magic", "reason": "x"}).status_code == 422
    assert browser.post("/cases", {"customer_id": "cus_nobody", "title": "x"}).status_code == 422
    assert {entry.action for entry in audited(world, None)} >= {
        "case.open",
        "case.assign",
        "case.note",
        "case.move",
        "case.close",
        "case.reopen",
    }


def test_a_line_is_frozen_and_thawed_with_a_reason(browser, world, clock):
    signed_in(browser, world, clock)
    place = f"/customers/{world.customers[1]}"
    assert browser.post(f"{place}/freeze", {"reason": " "}).status_code == 422
    assert browser.post(f"{place}/freeze", {"reason": "疑似盗用"}).headers["location"].endswith("line_frozen")
    assert "已冻结" in browser.get(place).text
    assert browser.post(f"{place}/freeze", {"reason": "再次"}).status_code == 422
    assert browser.post(f"{place}/unfreeze", {"reason": "已核实"}).status_code == 303
    assert len(audited(world, "line.freeze")) == len(audited(world, "line.unfreeze")) == 1
    assert browser.post(f"/customers/{world.customers[-1]}/freeze", {"reason": "x"}).status_code == 404


def test_identity_is_masked_until_somebody_says_why(browser, world, clock):
    signed_in(browser, world, clock)
    place = f"/customers/{world.customers[3]}"
    assert "19900000003" not in browser.get(place).text
    short = browser.post(f"{place}/reveal", {"field": "phone", "reason": "想看"})
    assert short.status_code == 422 and "19900000003" not in short.text
    shown = browser.post(f"{place}/reveal", {"field": "phone", "reason": "客户要求核对预留的手机号码"})
    assert shown.status_code == 200 and "19900000003" in shown.text
    assert "19900000003" not in browser.get(place).text
    (entry,) = audited(world, "customer.revealed")
    assert "19900000003" not in str(entry.detail)


def test_all_that_is_known_of_a_customer_is_handed_out_for_a_reason(browser, world, clock):
    signed_in(browser, world, clock)
    place = f"/customers/{world.customers[3]}"
    assert f"{place}/export" in browser.get(place).text
    short = browser.post(f"{place}/export", {"reason": "想看"})
    assert short.status_code == 422 and "19900000003" not in short.text
    given = browser.post(f"{place}/export", {"reason": "客户来信要求提供本人信息"})
    assert given.status_code == 200 and "19900000003" in given.text
    assert given.headers["content-disposition"] == f'attachment; filename="{world.customers[3]}.html"'
    assert "no-store" in given.headers["cache-control"]
    (entry,) = audited(world, "customer.exported")
    assert "19900000003" not in str(entry.detail)


def test_two_who_may_be_one_are_compared_ruled_and_parted_again(browser, world, clock):
    one, other = two_alike(world, now=clock.now)
    signed_in(browser, world, clock, "liwei")
    shown = browser.get("/matches").text
    assert "陈*静" in shown and "地址" in shown and "北京市海淀区中关村" not in shown
    pair = {"one_id": one, "other_id": other}
    refused = browser.post("/matches/same", pair | {"reason": "short"})
    assert refused.status_code == 422
    done = browser.post("/matches/same", pair | {"reason": "called both, one voice"})
    assert done.headers["location"] == "/matches?said=matches_same"
    with world.house.database.begin() as db:
        assert identity.find_customer(db, source="credit", customer_ref=other) == one
        (ruling,) = identity.list_rulings(db, limit=9)
    (entry,) = audited(world, "customer.ruled_same")
    assert entry.actor == ruling.ruled_by
    undone = browser.post(f"/matches/rulings/{ruling.ruling_no}/undo", {"reason": "it was the sister"})
    assert undone.status_code == 303
    done = browser.post("/matches/different", pair | {"reason": "it was the sister"})
    assert done.headers["location"] == "/matches?said=matches_different"
    with world.house.database.begin() as db:
        assert identity.possible_matches(db, limit=9) == ([], 0)
        assert identity.find_customer(db, source="credit", customer_ref=other) == other


def test_the_search_finds_customers_and_alerts(browser, world, clock):
    signed_in(browser, world, clock)
    number = first_alert(world).alert_no
    assert browser.get(f"/search?q=%23{number}").headers["location"] == f"/alerts/{number}"
    assert browser.get("/search?q=C20003").headers["location"] == "/customers?text=C20003"
    found = browser.get("/customers?text=C20003").text
    assert world.customers[3] in found and world.customers[4] not in found


def test_what_is_not_there_is_said_in_a_page(browser, world, clock):
    signed_in(browser, world, clock)
    for path in ("/customers/cus_nobody", "/alerts/999999", "/cases/999999"):
        response = browser.get(path)
        assert response.status_code == 404 and 'class="rail"' in response.text, path
    assert browser.get("/nowhere").status_code == 404
    part = browser.get("/alerts/999999", **{"HX-Request": "true"})
    assert part.status_code == 404 and "<html" not in part.text


def test_nonsense_in_an_address_is_ignored(browser, world, clock):
    signed_in(browser, world, clock)
    nonsense = (
        "page=-1",
        "page=zzz",
        "page=99999999999",
        "order='",
        "state=%00",
        "grade=Z",
        "text=%F0%9F%00",
    )
    for path in ("/alerts", "/customers", "/cases"):
        for query in nonsense:
            assert browser.get(f"{path}?{query}").status_code == 200, (path, query)
    for before in ("-1", "zzz", "9" * 30):
        assert browser.get(f"/audit?before={before}&action=%00").status_code == 200
    for path in ("/customers/%00", "/alerts/-1", f"/alerts/{'9' * 30}", f"/cases/{'9' * 19}", "/alerts/1.5"):
        assert browser.get(path).status_code == 404, path
    browser.get("/alerts")
    answer = browser.post("/alerts/assign", {"alert": ["zzz", "-1", "9" * 30], "reason": "\0"})
    assert answer.status_code == 303


def test_the_chosen_language_and_theme_are_kept(browser):
    browser.get("/sign-in")
    answer = browser.post("/preferences", {"language": "en", "theme": "dark", "back": "/sign-in"})
    assert answer.headers["location"] == "/sign-in"
    page = browser.get("/sign-in").text
    assert 'lang="en"' in page and 'data-theme="dark"' in page
    browser.post("/preferences", {"language": "fr", "theme": "pink", "back": "//elsewhere.example"})
    assert 'lang="en"' in browser.get("/sign-in").text


def test_a_cold_page_is_small(browser, world, clock):
    signed_in(browser, world, clock)
    page = browser.client.get("/", headers={"Accept-Encoding": "gzip"})
    sizes = [int(page.headers["content-length"])]
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        asset = browser.client.get(address, headers={"Accept-Encoding": "gzip"})
        assert asset.status_code == 200 and "immutable" in asset.headers["cache-control"]
        sizes.append(int(asset.headers.get("content-length", len(asset.content))))
    assert len(sizes) == 5 and sum(sizes) < 60_000, sizes


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


def test_a_customer_is_shown_with_tags_and_consents_as_of_any_day(browser, world, clock):
    signed_in(browser, world, clock)
    browser.post("/preferences", {"language": "en", "back": "/"})
    path = f"/customers/{world.customers[1]}"
    now = browser.get(path).text
    assert "Withdrawn" in now and "2026-01" in now and "All that was said (2)" in now
    assert "Trusted" in now and "credit grade: A (in S, A)" in now
    day = (clock.now - timedelta(days=10)).date()
    before = browser.get(f"{path}?as_of={day}").text
    assert "The file as it was known at" in before
    assert "Granted" in before and ">Withdrawn<" not in before and "All that was said (1)" in before
    assert "Trusted" not in before, "the grade was not given yet"
    long_ago = browser.get(f"{path}?as_of=2020-01-01")
    assert long_ago.status_code == 200 and "No name given" in long_ago.text
    for nonsense in ("yesterday", "0001-01-01"):
        refused = browser.get(f"{path}?as_of={nonsense}")
        assert refused.status_code == 422 and "Give a day" in refused.text


def test_the_consents_page_counts_by_purpose_text_and_source(browser, world, clock):
    signed_in(browser, world, clock)
    browser.post("/preferences", {"language": "en", "back": "/"})
    text = browser.get("/consents").text
    row = re.search(r'<abbr title="behaviour">.*?</tr>', text).group()
    assert re.findall(r'class="num">(\d+)<', row) == ["1", "1"] and "2026-01" in row
    assert "In force" in text and "We look at your visits" in text
    assert "partner" in text and "Refused, kept in quarantine" in text and "No field was left out" in text


def test_a_customers_page_counts_who_shares_what_and_names_nobody(browser, world, clock):
    signed_in(browser, world, clock)
    browser.post("/preferences", {"language": "en", "back": "/"})
    path = f"/customers/{world.customers[6]}"
    assert "Nothing was kept for this night." in browser.get(path).text
    share_a_device(world, (6, 7, 8, 1), alone=5, now=clock.now)
    page = browser.get(path).text
    shared = page[page.index('id="shared"') :]
    shared = shared[: shared.index("</section>")]
    assert f"as of midnight (UTC), {clock.now:%Y-%m-%d}" in shared
    # The fourth on that device took back what her visits were kept for.
    assert re.search(r"Other customers on the same devices</dt><dd>2<", shared)
    assert not any(str(other) in shared for other in world.customers)
    alone = browser.get(f"/customers/{world.customers[5]}").text
    assert "Shares no device, card, address or contact with anybody." in alone
    withdrawn = browser.get(f"/customers/{world.customers[1]}").text
    assert "The customer took an agreement back: not everything is told." in withdrawn
    assert "Nothing was kept for this night." in browser.get(f"{path}?as_of=2026-01-10").text
    browser.post("/preferences", {"language": "zh", "back": "/"})
    assert "与其共用设备的其他顾客数</dt><dd>2<" in browser.get(path).text
