"""Data quality and the quarantine desk through the console's door."""

import math
import re
from datetime import timedelta

import pytest

from doors.console_client import audited, signed_in
from shouxin import ingestion
from shouxin.features import skew
from shouxin.features.skew import ServedValues, SkewReport, Witness
from shouxin.ingestion import desk

WHY = "the shop corrected the channel"


def row_of(world):
    with world.house.database.begin() as db:
        (row,) = ingestion.list_quarantine(db)
    return row


def test_the_page_tells_what_the_skew_monitor_found(browser, world, clock):
    signed_in(browser, world, clock)
    assert "尚未检查" in browser.get("/quality").text
    served = ServedValues("dec_1", "cus_1", clock.now, "sha256:x", {"orders_90d": 2.0}, Witness(1, 1, 1))

    def keep(found, cause):
        rows = skew.gathered([(served, found, cause)])
        report = SkewReport(clock.now, clock.now - timedelta(days=1), clock.now, "sha256:x", 1, 0, rows)
        with world.house.database.begin() as db:
            skew.insert_run(db, report)
        return browser.get("/quality").text

    assert "一致" in keep({}, skew.Cause.UNEXPLAINED)
    later = keep({"orders_90d": 1.0}, skew.Cause.ARRIVED_LATER)
    assert "差异均有原因" in later and "事实此后才到达" in later and "dec_1" in later
    bad = keep({"orders_90d": math.inf}, skew.Cause.UNEXPLAINED)
    assert "1 个差异原因不明" in bad and "一方缺失" in bad


def test_the_page_shows_the_score_of_a_source_and_leads_to_the_desk(browser, world, clock):
    signed_in(browser, world, clock)
    text = browser.get("/quality").text
    # One row of thirteen has a channel that does not exist, the others were learnt a year late.
    assert "88.84%" in text and 'href="/quarantine?source=shop"' in text
    assert 'href="/quarantine?rule=not_allowed"' in text
    (strip,) = re.findall(r'<svg class="strip".*?</svg>', text)
    assert (strip.count("<rect"), strip.count('class="meter-bad"')) == (30, 1)
    listed = browser.get("/quarantine?rule=not_allowed").text
    assert f'href="/quarantine/{row_of(world).quarantine_no}"' in listed


def test_a_row_is_opened_for_a_reason_checked_repaired_and_taken(browser, world, clock):
    signed_in(browser, world, clock)
    place = f"/quarantine/{row_of(world).quarantine_no}"
    sealed = browser.get(place)
    assert sealed.status_code == 200 and "1990000" not in sealed.text
    assert browser.post(f"{place}/reveal", {"reason": "short"}).status_code == 422
    assert audited(world, "quarantine.revealed") == []
    opened = browser.post(f"{place}/reveal", {"reason": WHY}).text
    assert 'name="field:payload/channel"' in opened and "19900000000" in opened
    assert [entry.detail for entry in audited(world, "quarantine.revealed")] == [{"reason": WHY}]
    typed = dict(re.findall(r'name="(field:[^"]*)" value="([^"]*)"', opened))
    typed = {name: value.replace("&#34;", '"') for name, value in typed.items()} | {"reason": WHY}
    still = browser.post(f"{place}/check", typed | {"field:payload/channel": "sun"})
    assert "not one of the allowed values" in still.text and row_of(world).state == "open"
    fits = browser.post(f"{place}/check", typed | {"field:payload/channel": "app"})
    assert "这样修改后可以接收" in fits.text and row_of(world).repairs == 0
    done = browser.post(f"{place}/repair", typed | {"field:payload/channel": "app"})
    assert (done.status_code, done.headers["location"]) == (303, f"{place}?said=quarantine_accepted")
    row = row_of(world)
    assert (row.state, row.repairs, row.why) == ("accepted", 1, WHY)
    (entry,) = audited(world, "quarantine.repaired")
    assert entry.detail["fields"] == ["payload/channel"]
    assert "19900000000" not in browser.get("/audit").text + browser.get(place).text


def test_a_row_is_discarded_for_a_reason_once(browser, world, clock):
    signed_in(browser, world, clock)
    place = f"/quarantine/{row_of(world).quarantine_no}"
    browser.get(place)
    assert browser.post(f"{place}/discard", {"reason": ""}).status_code == 422
    assert browser.post(f"{place}/discard", {"reason": WHY}).status_code == 303
    assert browser.post(f"{place}/discard", {"reason": WHY}).status_code == 422
    assert row_of(world).state == "discarded"


def test_what_is_done_to_many_is_what_the_page_counted(browser, world, clock):
    signed_in(browser, world, clock)
    browser.get("/quarantine?rule=not_allowed")
    many = {"rule": "not_allowed", "state": "open", "reason": WHY}
    assert browser.post("/quarantine/discard", many | {"expected": "2"}).status_code == 422
    assert browser.post("/quarantine/discard", many | {"expected": "x"}).status_code == 422
    assert row_of(world).state == "open"
    tried = browser.post("/quarantine/replay", many)
    assert "重放 1 行：接收 0，重复 0，仍被拒 1。" in tried.text
    assert "已作废 1 行。" in browser.post("/quarantine/discard", many | {"expected": "1"}).text
    assert row_of(world).state == "discarded"


def test_who_may_read_may_not_repair(browser, world, clock):
    signed_in(browser, world, clock, "sunyue")
    number = row_of(world).quarantine_no
    page = browser.get(f"/quarantine/{number}")
    assert page.status_code == 200 and "/reveal" not in page.text
    for path in (f"/quarantine/{number}/reveal", f"/quarantine/{number}/repair", "/quarantine/replay"):
        assert browser.post(path, {"reason": WHY}).status_code == 403
    assert row_of(world).state == "open"


def test_who_may_not_read_sees_neither(browser, world, clock):
    signed_in(browser, world, clock, "maria")
    assert browser.get("/quality").status_code == browser.get("/quarantine").status_code == 403


@pytest.mark.parametrize("address", ["/quarantine/999999", "/quarantine/999999999999999999"])
def test_a_row_that_is_not_there_is_not_found(browser, world, clock, address):
    signed_in(browser, world, clock)
    assert browser.get(address).status_code == 404
    assert browser.post(f"{address}/reveal", {"reason": WHY}).status_code == 404


def test_what_nobody_knows_chooses_nothing(browser, world, clock):
    signed_in(browser, world, clock)
    text = browser.get("/quarantine?rule=x&state=lost&age=9&before=y&adapter=%00").text
    assert f"/quarantine/{row_of(world).quarantine_no}" in text


def test_a_desk_without_rows_says_so(world, clock, browser):
    with world.house.database.begin() as db:
        number = row_of(world).quarantine_no
        desk.discard_quarantined(db, [number], by="op_1", why=WHY, now=clock.now)
    signed_in(browser, world, clock)
    assert "没有符合条件的隔离行" in browser.get("/quarantine").text
