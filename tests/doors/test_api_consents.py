"""Consents over HTTP: words come in, what holds is read, and a customer is told as of any day."""

import uuid
from datetime import timedelta

import pytest
from litestar.testing import TestClient

from scenarios.furnished import own_house
from shouxin import governance
from shouxin.entrypoints.web import create_app
from shouxin.governance import Scope
from shouxin.ingestion import consent
from shouxin.ingestion.consent import ConsentText
from shouxin.kernel import Bilingual

SCOPES = frozenset({Scope.EVENTS_WRITE, Scope.CUSTOMERS_READ})


@pytest.fixture(scope="module")
def house(database):
    with own_house(database, "consenting") as house:
        now = house.clock()
        with house.database.begin() as db:
            text = ConsentText(
                "behaviour",
                "2026-01",
                Bilingual("我们分析浏览。", "We look at visits."),
                now - timedelta(days=60),
                "test",
                now - timedelta(days=60),
            )
            consent.publish_text(db, text)
        yield house


@pytest.fixture(scope="module")
def api(house):
    with TestClient(create_app(house)) as client:
        yield client


def key_of(house, source):
    with house.database.begin() as db:
        _, clear = governance.add_api_key(db, name=source, scopes=SCOPES, source=source, now=house.clock())
    return {"Authorization": f"Bearer {clear}"}


@pytest.fixture
def key(house):
    return key_of(house, f"consent-{uuid.uuid4().hex[:8]}")


def say(api, key, state="granted", **more):
    body = {"customer_ref": "C1", "purpose": "behaviour", "state": state} | more
    return api.post("/v1/consents", json=body, headers=key)


def standing(api, key, **params):
    answer = api.get("/v1/customers/C1/consents", headers=key, params=params)
    assert answer.status_code == 200, answer.text
    found = {one["purpose"]: one for one in answer.json()["consents"]}["behaviour"]
    return found["state"], found["text_version"]


def test_a_word_is_taken_once_and_read_as_of_any_instant(api, key, house):
    given = (house.clock() - timedelta(days=2)).isoformat()
    for outcome in ("accepted", "duplicate"):
        taken = say(api, key, channel="app", occurred_at=given).json()
        assert (taken["outcome"], taken["text_version"]) == (outcome, "2026-01")
    assert standing(api, key) == ("granted", "2026-01")
    assert standing(api, key, as_of=given) == ("never_asked", None), "we had not learnt it then"
    assert say(api, key, "withdrawn").json()["text_version"] is None
    assert standing(api, key) == ("withdrawn", "2026-01")
    history = api.get("/v1/customers/C1/consents", headers=key).json()["history"]
    assert [(one["state"], one["channel"]) for one in history] == [("withdrawn", None), ("granted", "app")]


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        ({"purpose": "marketing"}, 409, "no_text"),
        ({"text_version": "1999"}, 409, "unknown_text"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, 409, "not_taken"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, 422, "#/occurred_at"),
        ({"purpose": "everything"}, 422, "purpose"),
        ({"state": "perhaps"}, 422, "state"),
    ],
)
def test_a_word_that_is_not_taken_is_told_why(api, key, more, status, told):
    answer = say(api, key, **more)
    assert answer.status_code == status and told in answer.text, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_a_customer_is_told_whole_and_as_known_on_a_day(api, key, house):
    at = house.clock()
    row = {"customer_ref": "C1", "name": "陈文静", "channel": "app", "phone": "10100000001"}
    row |= {"birth_date": "1990-05-17"}
    assert api.post("/v1/registrations", json=row, headers=key).status_code == 200
    assert say(api, key).status_code == 200
    told = api.get("/v1/customers/C1", headers=key).json()
    assert (told["name"], told["birth_date"]) == ("陈*静", "1990****")
    assert (told["line"], told["plans"], told["open_alerts"]) == (None, [], 0)
    assert [tag["code"] for tag in told["tags"]] == ["new_customer"]
    assert told["tags"][0]["why"] == [
        {"field": "feature.tenure_days", "op": "<", "expected": 30, "read": 0.0}
    ]
    assert {c["purpose"]: c["state"] for c in told["consents"]}["behaviour"] == "granted"
    before = api.get(
        "/v1/customers/C1", headers=key, params={"as_of": (at - timedelta(days=1)).isoformat()}
    ).json()
    assert (before["name"], before["phone"], before["tags"]) == (None, None, [])
    assert {c["state"] for c in before["consents"]} == {"never_asked"}


@pytest.mark.parametrize("as_of", ["yesterday", "0001-01-01T00:00:00+14:00", "1969-12-31T00:00:00Z"])
def test_an_instant_that_is_none_is_refused(api, key, as_of):
    say(api, key)
    for path in ("/v1/customers/C1", "/v1/customers/C1/consents"):
        answer = api.get(path, headers=key, params={"as_of": as_of})
        assert answer.status_code in {400, 422}, answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")


def test_another_shop_does_not_learn_of_it(api, key, house):
    say(api, key)
    other = key_of(house, f"other-{uuid.uuid4().hex[:8]}")
    assert api.get("/v1/customers/C1/consents", headers=other).status_code == 404
