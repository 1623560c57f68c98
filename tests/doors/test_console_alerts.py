"""Alerts and cases through the console's door: assigned, noted, escalated, ticked together, closed."""

from doors.console_client import audited, first_alert, signed_in
from shouxin import cases, early_warning
from shouxin.cases import CaseFilter
from shouxin.early_warning import AlertFilter, AlertState


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
