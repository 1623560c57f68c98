"""The description of the API holds: each call is told in full, and what is answered is what was described."""

from __future__ import annotations

from contextlib import contextmanager

import hypothesis
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck
from litestar.testing import TestClient
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from conftest import NOW
from scenarios.furnished import furnish, own_house
from shouxin.entrypoints.api import answers
from shouxin.entrypoints.web import create_app

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_OPERATIONS = {
    "readHealth", "listSchemas", "sendEvents", "makeDecision", "readDecision", "replayDecision",
    "captureHold", "voidHold", "repayPlan", "readCustomer", "readLine", "listPlans", "applyForLine",
    "register", "newChallenge", "sendCode", "checkCode", "checkRealName",
    "sayConsent", "readConsents",
}  # fmt: skip

# Well taken, and refused by the business: the example's customer was graded low, or registered nothing.
_REFUSED_EXAMPLES = {("/v1/lines", 409), ("/v1/verifications", 404), ("/v1/real-names", 409)}


@contextmanager
def furnished_on(database, name):
    with own_house(database, name) as house:
        with house.database.begin() as db:
            furnished = furnish(db, now=NOW, day=NOW.date())
        yield house, furnished.bearer


@pytest.fixture(scope="module")
def furnished_house(database):
    with furnished_on(database, "described") as furnished:
        yield furnished


@pytest.fixture(scope="module")
def api(furnished_house):
    with TestClient(create_app(furnished_house[0])) as client:
        yield client


@pytest.fixture(scope="module")
def described(api):
    return api.get("/v1/openapi/openapi.json").json()


def operations(described):
    return [call for item in described["paths"].values() for call in item.values()]


def test_every_call_has_a_name_a_summary_a_tag_and_an_answer(described):
    calls = operations(described)
    assert {call["operationId"] for call in calls} == _OPERATIONS
    for call in calls:
        assert call["summary"] and call["description"] and call["tags"], call["operationId"]
        assert call["responses"]["200"]["content"]["application/json"]["schema"], call["operationId"]


def test_every_refusal_is_a_problem(described):
    for call in operations(described):
        for status, response in call["responses"].items():
            if status != "200":
                schema = response["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ProblemDetails"}, call["operationId"]


def test_a_decision_tells_its_key_its_example_and_its_security(described):
    call = described["paths"]["/v1/decisions"]["post"]
    assert [item["name"] for item in call["parameters"]] == ["Idempotency-Key"]
    assert call["security"] == [{"api_key": []}]
    assert described["components"]["securitySchemes"]["api_key"]["scheme"] == "bearer"
    assert {"401", "403", "409", "422", "429", "503"} <= set(call["responses"])


def test_every_example_is_taken(api, furnished_house, described):
    for path, item in described["paths"].items():
        body = item.get("post", {}).get("requestBody")
        if body is None or "{" in path:
            continue
        example = body["content"]["application/json"]["examples"]["example"]["value"]
        headers = furnished_house[1] | {"Idempotency-Key": "example"}
        status = api.post(path, json=example, headers=headers).status_code
        assert status == 200 or (path, status) in _REFUSED_EXAMPLES, (path, status)


def test_an_answer_is_exactly_what_its_struct_says(api, furnished_house):
    body = {
        "customer_ref": "C001",
        "request": {"order_id": "O", "amount": {"value": "60.00", "currency": "CNY"}},
    }
    told = api.post("/v1/decisions", json=body, headers=furnished_house[1] | {"Idempotency-Key": "exact"})
    decision = msgspec.json.decode(told.content, type=answers.Decision)
    assert set(msgspec.to_builtins(decision)) == set(told.json())


def test_whatever_is_sent_is_answered_as_described(database):
    """Made-up calls, well-formed and not, the same at every run; they use limits up, so by themselves."""
    seen = []
    with furnished_on(database, "tried_out") as (house, bearer):
        schema = schemathesis.openapi.from_asgi("/v1/openapi/openapi.json", create_app(house))
        for found in schema.get_all_operations():
            operation = found.ok()
            seen.append(operation.definition.raw["operationId"])
            _try_out(operation, bearer)
    assert set(seen) == _OPERATIONS


def _try_out(operation, bearer):
    strategy = operation.as_strategy(
        generation_mode=schemathesis.GenerationMode.POSITIVE
    ) | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

    @hypothesis.seed(20260302)
    @hypothesis.settings(
        max_examples=12,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )
    @hypothesis.given(case=strategy)
    def one(case):
        case.call_and_validate(headers=bearer, checks=_CHECKS)

    one()
