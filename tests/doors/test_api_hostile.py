"""What a broken or hostile caller sends: always a clear refusal with a place, never a defect of ours."""

from __future__ import annotations

import json
import uuid

import pytest
from litestar.testing import TestClient

from conftest import NOW
from scenarios.furnished import furnish, own_house
from shouxin.entrypoints.web import create_app

ORDER = {
    "source_id": "e-1", "kind": "order_placed", "version": 1, "customer_ref": "C000",
    "occurred_at": "2026-02-01T10:00:00+08:00", "order_ref": "A1",
    "amount": {"value": "59.90", "currency": "CNY"}, "payload": {"items": 1, "payment_method": "card"},
}  # fmt: skip
QUESTION = {
    "customer_ref": "C000",
    "request": {"order_id": "O1", "amount": {"value": "90.00", "currency": "CNY"}},
}
DEEP = "[" * 100_000


@pytest.fixture(scope="module")
def house(database):
    with own_house(database, "hostile") as house:
        with house.database.begin() as db:
            furnished = furnish(db, now=NOW, day=NOW.date())
        yield house, furnished.bearer


@pytest.fixture(scope="module")
def api(house):
    with TestClient(create_app(house[0])) as client:
        yield client


@pytest.fixture(scope="module")
def send(api, house):
    def send(path, body, *, content_type="application/json", key=None, method="POST"):
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = house[1] | {"Content-Type": content_type, "Idempotency-Key": key or str(uuid.uuid4())}
        answer = api.request(method, path, content=content, headers=headers)
        if answer.status_code >= 400:
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert {"type", "title", "status", "detail"} <= set(answer.json())
        return answer

    return send


def changed(body, path, value):
    copy = json.loads(json.dumps(body))
    *parents, last = path.split(".")
    place = copy
    for parent in parents:
        place = place[parent]
    place[last] = value
    return copy


@pytest.mark.parametrize(
    "body", ["", "{", "nonsense", b"\xff\xfe\x00", '{"customer_ref": "\\ud800"}', DEEP, '{"a":' * 5000]
)
@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/events", "/v1/lines"])
def test_what_is_not_json_is_a_bad_request(send, path, body):
    assert send(path, body).status_code in {400, 422}


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "a\n", "", "x" * 201, 7, None, {"$gt": ""}, ["C000"]])
@pytest.mark.parametrize("field", ["customer_ref", "request.order_id", "request.plan"])
def test_a_reference_is_a_short_printable_text(send, field, value):
    answer = send("/v1/decisions", changed(QUESTION, field, value))
    assert answer.status_code == 422, answer.text
    assert field.rpartition(".")[2] in json.dumps(answer.json()["errors"])


@pytest.mark.parametrize(
    "value",
    [
        "1e3",
        "-1.00",
        "0",
        "0.00",
        "NaN",
        "Infinity",
        "1.005",
        "٣.00",
        "9" * 400,
        "1.00\n",
        " 1",
        1,
        1.5,
        None,
    ],
)
def test_an_amount_is_a_plain_decimal_above_zero(send, value):
    assert send("/v1/decisions", changed(QUESTION, "request.amount.value", value)).status_code == 422


def test_a_wrong_form_is_told_in_words(send):
    told = send("/v1/decisions", changed(QUESTION, "request.amount.value", "12,50")).json()
    pointer = "#/request/amount/value"
    assert told["errors"] == [{"pointer": pointer, "detail": "expected a decimal string, such as 1299.00"}]


def test_the_largest_amount_is_answered_and_not_held(send):
    answer = send("/v1/decisions", changed(QUESTION, "request.amount.value", "9" * 15 + ".99"))
    assert answer.status_code == 200 and answer.json()["hold"] is None
    assert send("/v1/decisions", changed(QUESTION, "request.amount.currency", "XXX")).json()["hold"] is None


@pytest.mark.parametrize("plan", ["pay_in_99", "'; DROP TABLE credit.line; --"])
def test_a_plan_that_the_policy_does_not_know_holds_nothing(send, plan):
    answer = send("/v1/decisions", changed(QUESTION, "request.plan", plan))
    assert answer.status_code == 422 or answer.json()["outcome"] == "decline"


@pytest.mark.parametrize("extra", ["score", "limit", "__proto__"])
def test_a_field_that_is_not_ours_is_refused_by_name(send, extra):
    answer = send("/v1/decisions", QUESTION | {extra: 1})
    assert answer.status_code == 422 and extra in answer.text


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/xml"])
@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/events", "/v1/holds/hold_x/capture"])
def test_a_body_that_says_it_is_something_else_is_refused(send, path, content_type):
    answer = send(path, QUESTION, content_type=content_type)
    assert answer.status_code == 415 and "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "\xe9"])
def test_an_idempotency_key_is_printable_and_short(api, house, key):
    headers = house[1] | {"Idempotency-Key": key.encode("latin-1")}
    answer = api.post("/v1/decisions", json=QUESTION, headers=headers)
    assert answer.status_code == 422, answer.text


def test_without_an_idempotency_key_only_a_dry_run_is_answered(api, house):
    refused = api.post("/v1/decisions", json=QUESTION, headers=house[1])
    assert refused.status_code == 422 and "Idempotency-Key" in refused.json()["detail"]
    assert api.post("/v1/decisions", json=QUESTION | {"dry_run": True}, headers=house[1]).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers/{}",
        "/v1/customers/{}/line",
        "/v1/customers/{}/plans",
        "/v1/customers/{}/consents",
        "/v1/decisions/{}",
        "/v1/decisions/{}/replay",
    ],
)
@pytest.mark.parametrize("name", ["%00", "a%00b", "a%0Ab", "%ff", "x" * 201, "..%2f..%2fetc", "' OR 1=1 --"])
def test_a_name_in_a_path_finds_nothing_or_is_refused(api, house, path, name):
    answer = api.get(path.format(name), headers=house[1])
    assert answer.status_code in {404, 422}, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customer_ref", "a\x00b"), ("source_id", "\x00"), ("order_ref", "\x00"),
        ("payload.category", "\x00"), ("personal", {"name": "\x00"}), ("amount.value", "1e999"),
        ("payload.items", 10**40),
        ("version", 10**30), ("occurred_at", "9999-12-31T23:59:59+00:00"), ("occurred_at", "0000-00-00"),
        ("kind", "\x00"), ("payload", []), ("payload.items", -1), ("customer_ref", "x" * 100_000),
    ],
)  # fmt: skip
def test_a_bad_event_is_refused_alone_and_quarantined_among_others(send, field, value):
    order = changed(ORDER, field, value)
    order.setdefault("source_id", "e")
    alone = send("/v1/events", order)
    assert alone.status_code == 422, alone.text
    assert alone.json()["errors"][0]["pointer"].startswith("#")
    good = ORDER | {"source_id": str(uuid.uuid4())}
    receipt = send("/v1/events", {"events": [order, good]}).json()
    assert receipt["accepted"] == 1 and receipt["read"] == 2
    assert receipt["quarantined"] + receipt["duplicates"] == 1


def test_lines_of_json_are_counted_one_by_one(send):
    lines = [
        json.dumps(ORDER | {"source_id": str(uuid.uuid4())}),
        "{",
        DEEP,
        "7",
        "null",
        '"\\u0000"',
        "\x00",
    ]
    receipt = send("/v1/events", "\n".join(lines), content_type="application/x-ndjson").json()
    assert (receipt["read"], receipt["accepted"], receipt["quarantined"]) == (7, 1, 6)


def test_too_many_events_at_once_are_refused_before_any_is_taken(send):
    assert send("/v1/events", {"events": [ORDER] * 10_001}).status_code == 413
    assert send("/v1/events", b" " * (17 * 1024 * 1024)).status_code == 413


@pytest.mark.parametrize("body", [{"events": []}, [], {}, {"events": {}}, 7, "text", [1], {"events": [[]]}])
def test_no_event_in_the_body_is_said_so(send, body):
    assert send("/v1/events", json.dumps(body)).status_code == 422


def test_an_unknown_route_or_verb_is_a_problem_too(send):
    assert send("/v1/nothing", {}).status_code == 404
    assert send("/v1/decisions", {}, method="DELETE").status_code == 405


def test_too_many_calls_in_a_second_are_told_when_to_come_again(house):
    with TestClient(create_app(house[0], calls_per_second_max=3)) as api:
        answers = [api.get("/v1/health") for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and refused[0].headers["retry-after"] == "1"
    assert refused[0].headers["content-type"].startswith("application/problem+json")
    assert answers[0].status_code == 200
