"""Registrations over HTTP."""

import uuid

import pytest
from litestar.testing import TestClient

from scenarios.furnished import own_house
from shouxin import governance
from shouxin.entrypoints.web import create_app
from shouxin.governance import Scope


@pytest.fixture(scope="module")
def house(database):
    with own_house(database, "registering") as house:
        yield house


@pytest.fixture(scope="module")
def caller(house):
    name = f"register-{uuid.uuid4().hex[:8]}"
    with house.database.begin() as db:
        _, clear = governance.add_api_key(
            db,
            name=name,
            scopes=frozenset({Scope.EVENTS_WRITE, Scope.CUSTOMERS_READ}),
            source=name,
            now=house.clock(),
        )
    with TestClient(create_app(house)) as client:
        client.headers["Authorization"] = f"Bearer {clear}"
        yield client


def person(**changes):
    row = {"customer_ref": uuid.uuid4().hex, "name": "陈文静", "channel": "app", "phone": "10100000001"}
    return row | changes


def test_a_customer_is_registered_once(caller):
    row = person(birth_date="1990-01-01", address="浙江省杭州市西湖区文三路1号")
    first = caller.post("/v1/registrations", json=row)
    assert first.status_code == 200 and first.json()["outcome"] == "accepted"
    assert first.json()["warnings"][0]["field"] == "phone"
    assert caller.post("/v1/registrations", json=row).json()["outcome"] == "duplicate"
    profile = caller.get(f"/v1/customers/{row['customer_ref']}").json()
    assert profile["name"] == "陈*静"


def test_wrong_fields_are_pointed_at_and_kept(caller):
    refused = caller.post("/v1/registrations", json=person(email="chen", national_id="123"))
    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json()["errors"]] == ["#/email", "#/national_id"]
    assert set(refused.json()["errors"][0]["text"]) == {"zh", "en"}


@pytest.mark.parametrize("body", [{}, {"customer_ref": "x"}, person(channel="fax"), person(nickname="Jing")])
def test_a_body_of_the_wrong_form_is_a_problem(caller, body):
    answer = caller.post("/v1/registrations", json=body)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"].startswith("application/problem+json")
