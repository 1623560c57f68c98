"""Customers through the console's door: lines, identity, consents, who may be one, and what is known when."""

import re
from datetime import timedelta

from doors.console_client import audited, first_alert, signed_in
from doors.console_world import share_a_device, two_alike
from shouxin import identity


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
