"""What a broken or hostile caller sends: always a clear refusal with a place, never a defect of ours."""

from __future__ import annotations

import gzip
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from conftest import NOW
from scenarios.furnished import furnish, own_house
from shouxin import ingestion
from shouxin.entrypoints.api.intake import IntakeLimits, UnableToReadLimits
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
    def send(path, body, *, content_type="application/json", key=None, method="POST", more=None):
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = house[1] | {"Content-Type": content_type, "Idempotency-Key": key or str(uuid.uuid4())}
        headers |= more or {}
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


def test_a_late_fact_keeps_when_it_happened_and_when_it_was_learnt(send, house):
    assert send("/v1/events", ORDER | {"source_id": "late-1"}).json()["accepted"] == 1
    with house[0].database.begin() as db:
        refs = [("shop", ORDER["customer_ref"])]
        known = ingestion.list_events(db, refs, as_of=house[0].clock())
        (late,) = [event for event in known if event.source_id == "late-1"]
        before = ingestion.list_events(db, refs, as_of=late.received_at - timedelta(microseconds=1))
    assert late.occurred_at.isoformat() == "2026-02-01T02:00:00+00:00"
    assert late.received_at > late.occurred_at + timedelta(days=1)
    assert "late-1" not in {event.source_id for event in before}, "nobody saw it before it was learnt"


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


def packed_lines(count, *, changes=None):
    lines = [json.dumps(ORDER | {"source_id": str(uuid.uuid4())} | (changes or {})) for _ in range(count)]
    return gzip.compress("\n".join(lines).encode())


def send_packed(send, body, *, content_type="application/x-ndjson", encoding="gzip", path="/v1/events"):
    return send(path, body, content_type=content_type, more={"Content-Encoding": encoding})


def test_lines_packed_with_gzip_are_taken_and_every_refused_one_is_named(send):
    good, bad = packed_lines(300), packed_lines(150, changes={"payload": {"items": 0}})
    answer = send_packed(send, good + gzip.compress(b"\n\n") + bad, encoding="GZip")
    receipt = answer.json()
    assert (receipt["read"], receipt["accepted"], receipt["quarantined"]) == (450, 300, 150)
    assert [item["position"] for item in receipt["refusals"]] == list(range(300, 450))
    assert {item["field"] for item in receipt["refusals"]} == {"payload/items"}
    assert send_packed(send, good).json()["duplicates"] == 300
    single = send_packed(send, gzip.compress(json.dumps(ORDER).encode()), content_type="application/json")
    assert single.status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not gzip", 400),
        (packed_lines(3)[:-9], 400),
        (packed_lines(3) + b"more", 400),
        (gzip.compress(b""), 422),
        (b"", 422),
        (gzip.compress(b"\n" * (33 * 2**20)), 413),
        (gzip.compress(b"\n" * (20 * 2**20)) * 2, 413),
        (gzip.compress(b"") * 10_000, 413),
        (gzip.compress(gzip.compress(b"{}")), 200),  # one line of rubbish, which is quarantined
    ],
    # Named: what is packed carries the second in which it was.
    ids=["clear", "cut", "tail", "nothing packed", "nothing", "large", "many large", "many", "packed twice"],
)
def test_a_packed_body_is_read_whole_and_never_beyond_its_limit(send, body, status):
    assert send_packed(send, body).status_code == status


def test_a_packing_that_is_not_read_is_refused_and_the_one_that_is_is_named(send):
    assert send_packed(send, b"x", encoding="br").status_code == 415
    assert send_packed(send, b"x", encoding="br").headers["accept-encoding"] == "gzip"
    answer = send_packed(send, gzip.compress(b"{}"), content_type="application/json", path="/v1/decisions")
    assert answer.status_code == 415


def test_more_bulk_than_there_is_room_for_is_told_to_come_again(house):
    body = b"\n" * 70_000 + json.dumps(ORDER | {"source_id": "small-1"}).encode()
    headers = house[1] | {"Content-Type": "application/x-ndjson"}
    with TestClient(create_app(house[0], intake_limits=IntakeLimits(calls=0))) as api:
        busy = api.post("/v1/events", content=body, headers=headers)
        assert busy.status_code == 429 and busy.headers["retry-after"] == "2"
        assert set(busy.json()["text"]) == {"zh", "en"}
        assert api.post("/v1/events", content=body.strip(), headers=headers).status_code == 200
    with TestClient(create_app(house[0], intake_limits=IntakeLimits(megabytes=1))) as api:
        assert api.post("/v1/events", content=body, headers=headers).status_code == 200
        large = b"\n" * 2**20 + body
        assert api.post("/v1/events", content=large, headers=headers).status_code == 429
        packed = headers | {"Content-Encoding": "gzip"}  # small on the way, too large in here
        assert api.post("/v1/events", content=gzip.compress(large), headers=packed).status_code == 429
        for _ in range(3):  # and the room of a refused call is free again
            assert api.post("/v1/events", content=body, headers=headers).status_code == 200


def test_many_senders_at_once_each_get_an_account_or_are_told_to_come_again(house):
    headers = house[1] | {"Content-Type": "application/x-ndjson"}
    bodies = [
        "\n".join(json.dumps(ORDER | {"source_id": f"crowd-{n}-{i}"}) for i in range(300)).encode()
        for n in range(12)
    ]
    with (
        TestClient(create_app(house[0], intake_limits=IntakeLimits(calls=2))) as api,
        ThreadPoolExecutor(12) as senders,
    ):

        def insist(body):
            refused = 0
            while (answer := api.post("/v1/events", content=body, headers=headers)).status_code == 429:
                refused += 1
            return answer.status_code, answer.json()["accepted"], refused

        told = list(senders.map(insist, bodies))
    assert [(status, accepted) for status, accepted, _ in told] == [(200, 300)] * 12
    assert sum(refused for *_, refused in told) > 0


@pytest.mark.parametrize("text", ["0", "-1", "many", "", "1.5", "9999999999"])
def test_a_limit_that_is_no_number_is_an_inability_told_in_one_line(text):
    with pytest.raises(UnableToReadLimits, match="SHOUXIN_BULK_CALLS must be a whole number"):
        IntakeLimits.from_environment({"SHOUXIN_BULK_CALLS": text})
    assert IntakeLimits.from_environment({"SHOUXIN_BULK_CALLS": "3"}) == IntakeLimits(calls=3)
    with pytest.raises(UnableToReadLimits, match="from 48 on"):
        IntakeLimits.from_environment({"SHOUXIN_BULK_MEGABYTES": "2"})


scraps = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([DEEP.encode(), b"{}", b"null", b"\xff\xfe", b"\x00", b"\r", b'{"source_id": "1"}']),
    st.builds(lambda name: json.dumps(ORDER | {"source_id": name}).encode(), st.text(max_size=4)),
    st.builds(lambda at: json.dumps(ORDER | {"occurred_at": at}).encode(), st.text(max_size=20)),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(lines=st.lists(scraps, max_size=8), cut=st.integers(0, 40), packing=st.sampled_from(["", "gzip"]))
def test_whatever_lines_come_each_is_accounted_for(send, lines, cut, packing):
    body = b"\n".join(lines)
    body = gzip.compress(body) if packing else body
    body = body[: len(body) - cut] if cut > 20 else body
    answer = send_packed(send, body, encoding=packing or "identity")
    assert answer.status_code in {200, 400, 422}
    if answer.status_code == 200:
        told = answer.json()
        assert told["read"] == told["accepted"] + told["duplicates"] + told["quarantined"]
        assert told["quarantined"] == len(told["refusals"]) == sum(told["reasons"].values())
        if cut <= 20:
            assert told["read"] == sum(bool(line.strip()) for line in body_lines(body, packing))


def body_lines(body, packing):
    return (gzip.decompress(body) if packing else body).split(b"\n")
