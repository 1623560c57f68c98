"""Verifications over HTTP: a code is sent and taken back, and every refusal has its status and words."""

import json
import uuid

import pytest
from litestar.testing import TestClient

from scenarios.furnished import own_house
from shouxin import governance
from shouxin.entrypoints.web import create_app
from shouxin.governance import Scope


@pytest.fixture(scope="module")
def house(database):
    with own_house(database, "verifying") as house:
        yield house


@pytest.fixture(scope="module")
def api(house):
    with TestClient(create_app(house)) as client:
        yield client


@pytest.fixture(scope="module")
def key(house):
    name = f"verify-{uuid.uuid4().hex[:8]}"
    with house.database.begin() as db:
        _, clear = governance.add_api_key(
            db, name=name, scopes=frozenset({Scope.EVENTS_WRITE}), source=name, now=house.clock()
        )
    return {"Authorization": f"Bearer {clear}"}


@pytest.fixture
def customer(api, key, house):
    """A fresh customer with a phone of their own; returns the reference."""
    ref = f"V{uuid.uuid4().hex[:10]}"
    phone = "1010" + str(uuid.uuid4().int)[:7]
    event = {
        "source_id": ref,
        "kind": "customer_registered",
        "version": 1,
        "customer_ref": ref,
        "occurred_at": house.clock().isoformat(),
        "payload": {"channel": "app"},
        "personal": {"phone": phone, "name": "陈文静"},
    }
    assert api.post("/v1/events", json=event, headers=key).json()["accepted"] == 1
    return ref


def last_code(house):
    lines = (house.home.path / "outbox/messages.jsonl").read_text(encoding="utf-8").splitlines()
    return json.loads(lines[-1])["code"]


def test_a_code_is_sent_and_taken_back(api, key, house, customer):
    sent = api.post("/v1/verifications", json={"customer_ref": customer, "field": "phone"}, headers=key)
    assert sent.status_code == 200, sent.text
    place = f"/v1/verifications/{sent.json()['verification_id']}/check"
    code = last_code(house)
    wrong = "000000" if code != "000000" else "111111"
    refused = api.post(place, json={"code": wrong}, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong")
    assert set(refused.json()["text"]) == {"zh", "en"}
    taken = api.post(place, json={"code": code}, headers=key)
    assert taken.status_code == 200 and taken.json() == {"customer_ref": customer, "field": "phone"}
    assert api.post(place, json={"code": code}, headers=key).json()["code"] == "closed"


def test_wrong_tries_stay_counted(api, key, house, customer):
    sent = api.post("/v1/verifications", json={"customer_ref": customer, "field": "phone"}, headers=key)
    place = f"/v1/verifications/{sent.json()['verification_id']}/check"
    wrong = "000000" if last_code(house) != "000000" else "111111"
    told = [api.post(place, json={"code": wrong}, headers=key).json()["code"] for _ in range(6)]
    assert told == ["wrong"] * 4 + ["attempts_spent", "closed"]


def test_asking_again_at_once_says_when_to_come_back(api, key, customer):
    body = {"customer_ref": customer, "field": "phone"}
    api.post("/v1/verifications", json=body, headers=key)
    again = api.post("/v1/verifications", json=body, headers=key)
    assert again.status_code == 429 and 1 <= int(again.headers["Retry-After"]) <= 61


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/verifications", {"customer_ref": "nobody", "field": "phone"}, 404),
        ("/v1/verifications", {"customer_ref": "nobody", "field": "fax"}, 422),
        ("/v1/verifications/vrf_none/check", {"code": "123456"}, 404),
        ("/v1/verifications/vrf_none/check", {"code": "12345"}, 422),
        ("/v1/verifications/vrf_none/check", {"code": "١٢٣٤٥٦"}, 422),
        ("/v1/real-names", {"customer_ref": "nobody"}, 409),
    ],
)
def test_refusals_are_problems(api, key, monkeypatch, path, body, status):
    monkeypatch.delenv("SHOUXIN_REAL_NAMES", raising=False)
    answer = api.post(path, json=body, headers=key)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_a_required_human_check_is_asked_for(api, key, customer, monkeypatch):
    monkeypatch.setenv("SHOUXIN_HUMAN_CHECK", "required")
    challenge = api.get("/v1/challenges").json()
    assert challenge["zero_bits"] > 8
    body = {"customer_ref": customer, "field": "phone"}
    for answer in (None, f"{challenge['challenge']}:1"):
        refused = api.post("/v1/verifications", json=body | {"human_check": answer}, headers=key)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "#/human_check"


def test_a_real_name_is_answered_from_the_register(api, key, house, customer, monkeypatch, tmp_path):
    register = tmp_path / "register.csv"
    register.write_text("name,national_id\n陈文静,99010119900101001X\n", encoding="utf-8")
    monkeypatch.setenv("SHOUXIN_REAL_NAMES", str(register))
    body = {"customer_ref": customer}
    assert api.post("/v1/real-names", json=body, headers=key).status_code == 404  # no id was registered
    update = {
        "source_id": f"{customer}/id",
        "kind": "customer_updated",
        "version": 1,
        "customer_ref": customer,
        "occurred_at": house.clock().isoformat(),
        "payload": {},
        "personal": {"national_id": "99010119900101001X"},
    }
    assert api.post("/v1/events", json=update, headers=key).json()["accepted"] == 1
    told = api.post("/v1/real-names", json=body, headers=key)
    assert told.status_code == 200 and told.json() == {"answer": "agrees", "provider": "file"}
