"""Whose is what: a shop's key reaches its own decisions, holds and plans; a review waits in a case."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from litestar.testing import TestClient

from conftest import NOW
from scenarios.furnished import Furnished, add_source, furnish
from shouxin import cases, credit, governance, identity, ingestion
from shouxin.cases import CaseFilter
from shouxin.entrypoints.house import House
from shouxin.entrypoints.web import create_app
from shouxin.governance import Scope, load_keyring
from shouxin.kernel import Event, Money, frozen_clock


@dataclass(frozen=True)
class Street:
    """Two shops in one house, and the API before it."""

    api: TestClient
    house: House
    shop: Furnished
    rival: Furnished

    def ask(self, who, customer, *, value="90.00", key=None, dry_run=False):
        money = {"value": value, "currency": "CNY"}
        body = {"customer_ref": customer, "request": {"order_id": "O1", "amount": money}, "dry_run": dry_run}
        return self.api.post(
            "/v1/decisions", json=body, headers=who.bearer | {"Idempotency-Key": key or str(uuid.uuid4())}
        )

    def post(self, who, path, body=None):
        return self.api.post(path, headers=who.bearer, **({"json": body} if body else {}))

    def get(self, who, path):
        return self.api.get(path, headers=who.bearer)


@pytest.fixture
def street(fresh_database):
    house = House(fresh_database, load_keyring(fresh_database.home), fresh_database.home, frozen_clock(NOW))
    with fresh_database.begin() as db:
        shop = furnish(db, now=NOW, day=NOW.date())
        rival = add_source(db, "rival", now=NOW)
    with TestClient(create_app(house)) as api:
        yield Street(api, house, shop, rival)


def test_a_hold_and_its_plan_are_the_shops_that_asked(street):
    hold = street.ask(street.shop, "C000").json()["hold"]["id"]
    for verb in ("capture", "void"):
        refused = street.post(street.rival, f"/v1/holds/{hold}/{verb}")
        assert refused.status_code == 404 and refused.json()["detail"] == f"there is no hold {hold}"
    plan = street.post(street.shop, f"/v1/holds/{hold}/capture").json()["plan_id"]
    money = {"amount": {"value": "30.00", "currency": "CNY"}, "reference": "bank-1"}
    assert street.post(street.rival, f"/v1/plans/{plan}/repayments", money).status_code == 404
    assert street.post(street.shop, f"/v1/plans/{plan}/repayments", money).status_code == 200
    with street.house.database.begin() as db:
        assert credit.check_ledger(db).balanced


def test_a_decision_is_the_shops_that_asked(street):
    decision = street.ask(street.shop, "C000").json()["decision_id"]
    for path in (f"/v1/decisions/{decision}", f"/v1/decisions/{decision}/replay"):
        assert street.get(street.rival, path).status_code == 404
        assert street.get(street.shop, path).status_code == 200


def test_a_customer_of_two_shops_shows_each_its_own_plans(street):
    both = "13800000000"
    for source in ("shop", "rival"):
        events = [_verified(source, "C000", both)]
        with street.house.database.begin() as db:
            ingestion.accept(db, events, keyring=street.house.keyring, now=NOW, source=source)
    with street.house.database.begin() as db:
        assert identity.unify(db, keyring=street.house.keyring, now=NOW).merged == 1
    hold = street.ask(street.shop, "C000").json()["hold"]["id"]
    street.post(street.shop, f"/v1/holds/{hold}/capture")
    ids = {street.get(who, "/v1/customers/C000").json()["customer_id"] for who in (street.shop, street.rival)}
    assert len(ids) == 1
    assert len(street.get(street.shop, "/v1/customers/C000/plans").json()["plans"]) == 1
    assert street.get(street.rival, "/v1/customers/C000/plans").json()["plans"] == []


def test_two_shops_may_both_have_a_payment_one(street):
    for who in (street.shop, street.rival):
        hold = street.ask(who, "C001").json()["hold"]["id"]
        plan = street.post(who, f"/v1/holds/{hold}/capture").json()["plan_id"]
        told = street.post(
            who,
            f"/v1/plans/{plan}/repayments",
            {"amount": {"value": "30.00", "currency": "CNY"}, "reference": "1"},
        )
        assert told.status_code == 200, told.text
        assert (told.json()["reference"], told.json()["outstanding"]["value"]) == ("1", "60.00")


def test_a_new_key_of_the_same_shop_gets_the_answer_that_the_old_key_got(street):
    first = street.ask(street.shop, "C002", key="one")
    with street.house.database.begin() as db:
        _, clear = governance.add_api_key(
            db, name="the next key", scopes=frozenset(Scope), source="shop", now=NOW
        )
    rotated = Furnished({"Authorization": f"Bearer {clear}"}, ())
    assert street.ask(rotated, "C002", key="one").content == first.content
    # Another shop's key of the same name is another key.
    assert street.ask(street.rival, "C002", key="one").json()["decision_id"] != first.json()["decision_id"]


def test_a_review_opens_one_case_that_names_the_decision(street):
    with street.house.database.begin() as db:
        ingestion.record(db, [_refund_only("C003", n) for n in range(4)])
    assert street.ask(street.shop, "C003", dry_run=True).json()["outcome"] == "review"
    answer, again = (street.ask(street.shop, "C003", key="same") for _ in range(2))
    assert answer.content == again.content and answer.json()["outcome"] == "review"
    with street.house.database.begin() as db:
        page = cases.list_cases(db, CaseFilter(state=None))
        assert page.total == 1
        case = cases.get_case(db, page.rows[0].case_no)
    assert case.row.origin == f"decision:{answer.json()['decision_id']}"
    assert case.row.opened_at == NOW and case.row.due_at == NOW + timedelta(hours=48)
    assert any("refund-only" in entry.detail for entry in case.timeline)


def test_an_approval_opens_no_case(street):
    assert street.ask(street.shop, "C004").json()["outcome"] == "approve"
    with street.house.database.begin() as db:
        assert cases.list_cases(db, CaseFilter(state=None)).total == 0


def _verified(source, reference, phone):
    return {
        "source": source, "source_id": f"verified-{reference}", "kind": "customer_verified", "version": 1,
        "customer_ref": reference, "occurred_at": NOW.isoformat(),
        "payload": {"identifier": "phone"}, "personal": {"phone": phone},
    }  # fmt: skip


def _refund_only(reference, number):
    at = NOW - timedelta(days=number + 1)
    payload = {"refund_kind": "refund_only"}
    money = Money(5_000, "CNY")
    return Event(
        "shop", f"refund-{number}", "refund_issued", 1, reference, at, at, money, f"R{number}", payload
    )


def test_a_customer_is_there_as_soon_as_its_first_event_is(street):
    body = {"customer_ref": "new"}
    assert street.post(street.shop, "/v1/lines", body).status_code == 404
    registered = {
        "source_id": "new/registered", "kind": "customer_registered", "version": 1, "customer_ref": "new",
        "occurred_at": "2024-05-02T10:00:00+08:00", "payload": {"channel": "web"},
    }  # fmt: skip
    assert street.post(street.shop, "/v1/events", registered).json()["accepted"] == 1
    assert street.post(street.shop, "/v1/lines", body).status_code == 200
    assert street.get(street.shop, "/v1/customers/new/line").status_code == 200
    assert street.get(street.rival, "/v1/customers/new").status_code == 404
