"""The console through its door: who gets in, who may do what, and what every answer carries."""

import re

import pyotp
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from doors.console_client import audited, first_alert, signed_in
from doors.console_world import PASSWORD, set_up
from shouxin.early_warning import AlertState

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
