"""The kinds of event as a table: what each must carry. The table is the manual's; the code must agree."""

import json
from pathlib import Path

import msgspec
import pytest

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.ingestion.domain import KINDS

KEYS = Keyring.from_master(b"k" * 32)
MANUAL = Path(__file__).resolve().parents[2] / "docs" / "events.md"

# kind                   amount    order_ref  payload that says everything it must
TABLE = """
customer_registered    | -        | optional | {"channel": "web"}
customer_updated       | -        | optional | {}
customer_verified      | -        | optional | {"identifier": "phone"}
login_recorded         | -        | optional | {}
product_viewed         | -        | optional | {"sku": "s"}
cart_changed           | -        | optional | {"sku": "s", "quantity": 0}
order_placed           | required | required | {"items": 1, "payment_method": "card"}
order_paid             | required | required | {}
payment_failed         | optional | optional | {}
chargeback_received    | required | required | {}
order_cancelled        | optional | required | {}
order_shipped          | -        | required | {}
order_delivered        | -        | required | {}
delivery_refused       | -        | required | {}
return_requested       | optional | required | {}
refund_issued          | required | required | {"refund_kind": "return"}
review_posted          | -        | optional | {"rating": 5}
complaint_filed        | -        | optional | {}
violation_recorded     | -        | optional | {"rule": "r", "severity": 3}
membership_changed     | -        | optional | {"level": 1}
order_line_placed      | required | required | {"sku": "s", "quantity": 1, "unit_price_minor": 5}
order_line_cancelled   | required | required | {"sku": "s", "quantity": 1, "unit_price_minor": 5}
consent_given          | -        | optional | {"purpose": "behaviour", "text_version": "2026-01"}
consent_withdrawn      | -        | optional | {"purpose": "behaviour"}
external_score_received | -        | optional | {"provider": "p", "product": "score", "outcome": "found"}
survey_answered        | -        | optional | {"survey": "s"}
line_opened            | required | optional | {}
line_limit_changed     | required | optional | {}
instalment_due         | required | optional | {"plan_id": "p", "number": 1}
instalment_overdue     | required | optional | {"plan_id": "p", "number": 1, "days_past_due": 30}
repayment_received     | required | optional | {"plan_id": "p", "days_past_due": 0}
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE.strip().splitlines()]


def event(kind, amount, order_ref, payload):
    item = {
        "source": "shop",
        "source_id": kind,
        "kind": kind,
        "version": 1,
        "customer_ref": "C1",
        "occurred_at": "2026-03-01T10:00:00Z",
        "payload": payload,
    }
    if amount == "required":
        item["amount"] = {"value": "10.00", "currency": "CNY"}
    if order_ref == "required":
        item["order_ref"] = "O1"
    if kind == "customer_verified":
        item["personal"] = {"phone": "19900000001"}
    return item


def test_the_table_lists_every_kind():
    assert [row[0] for row in ROWS] == list(KINDS)


@pytest.mark.parametrize(("kind", "amount", "order_ref", "payload"), ROWS)
def test_a_kind_needs_what_the_table_says_and_no_more(db, now, kind, amount, order_ref, payload):
    def reasons(item):
        return ingestion.accept(db, [item], keyring=KEYS, now=now).reasons

    full = event(kind, amount, order_ref, json.loads(payload))
    for field in ("amount", "order_ref", *(f"payload/{name}" for name in full["payload"])):
        top, _, inner = field.partition("/")
        if top not in full:
            continue
        rest = {name: value for name, value in full[top].items() if name != inner} if inner else None
        without = {name: value for name, value in full.items() if name != top} | (
            {top: rest} if inner else {}
        )
        assert reasons(without) == {f"{field}: missing": 1}
    if amount == "-":
        extra = full | {"amount": {"value": "1.00", "currency": "CNY"}}
        assert reasons(extra) == {"amount: not part of this kind": 1}
    assert reasons(full) == {}


@pytest.mark.parametrize(("kind", "amount", "order_ref", "payload"), ROWS)
def test_the_published_schema_says_the_same(kind, amount, order_ref, payload):
    schema = ingestion.json_schemas()[kind]
    assert ("amount" in schema["required"]) == (amount == "required")
    assert ("amount" in schema["properties"]) == (amount != "-")
    assert ("order_ref" in schema["required"]) == (order_ref == "required")
    definition = schema["$defs"][schema["properties"]["payload"]["$ref"].rpartition("/")[2]]
    assert set(definition.get("required", [])) == set(json.loads(payload))
    assert definition["additionalProperties"] is False
    assert set(schema["properties"].get("personal", {}).get("properties", {})) == KINDS[kind].personal
    msgspec.json.encode(schema)


def test_the_manual_names_every_kind_and_field():
    manual = MANUAL.read_text()
    for kind in KINDS.values():
        assert f"`{kind.name}`" in manual
        line = next(line for line in manual.splitlines() if line.startswith(f"| `{kind.name}`"))
        for field in (*kind.payload.__struct_fields__, *kind.personal):
            assert field in line, f"{kind.name} lacks {field}"
