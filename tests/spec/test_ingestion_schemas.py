"""A published schema is a promise: it may grow, it never refuses what it once allowed.

docs/schemas holds what is published. After a change that keeps the promise, write it anew with
`shouxin ingest schemas --out docs/schemas`, which refuses to write one that does not.
"""

import copy
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shouxin import ingestion
from shouxin.entrypoints.cli.ingest import app

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "schemas"
KINDS = sorted(file.name.removesuffix(".schema.json") for file in PUBLISHED.glob("*.schema.json"))


def published(kind):
    return json.loads((PUBLISHED / f"{kind}.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_published_is_kept(kind):
    assert kind in ingestion.json_schemas(), "a kind never goes"
    assert ingestion.broken_promises(published(kind), ingestion.json_schemas()[kind]) == []


def test_what_the_code_allows_is_what_is_published():
    assert ingestion.json_schemas() == {kind: published(kind) for kind in KINDS}, (
        "run: shouxin ingest schemas --out docs/schemas"
    )


# what changes, where, what it becomes, and what is said to be broken
CHANGES = [
    ("a new required field", "required", ["reason"], "reason became required"),
    ("a field that is gone", "$defs.OrderPlaced.properties.coupon_minor", None, "the field is gone"),
    ("a shorter reference", "properties.customer_ref.maxLength", 100, "maxLength is narrower"),
    ("a longer reference", "properties.customer_ref.maxLength", 300, ""),
    ("a longest least", "properties.customer_ref.minLength", 2, "minLength is narrower"),
    ("a smaller least", "properties.customer_ref.minLength", 0, ""),
    ("another pattern", "properties.source.pattern", "^[a-z]+$", "pattern is narrower"),
    ("another format", "properties.occurred_at.format", "date", "format is narrower"),
    ("a new limit", "properties.occurred_at.maxLength", 20, "maxLength is narrower"),
    ("another type", "$defs.OrderPlaced.properties.items.type", "string", "the type is narrower"),
    ("a wider type", "$defs.OrderPlaced.properties.items.type", "number", ""),
    ("a lower maximum", "$defs.OrderPlaced.properties.items.maximum", 9, "maximum is narrower"),
    ("a higher minimum", "$defs.OrderPlaced.properties.items.minimum", 2, "minimum is narrower"),
    (
        "fewer values",
        "$defs.OrderPlaced.properties.payment_method.enum",
        ["card"],
        "an allowed value is gone",
    ),
    ("another kind", "properties.kind.const", "order_made", "an allowed value is gone"),
    ("no null any more", "$defs.OrderPlaced.properties.channel.anyOf", [{"type": "string"}], "not any more"),
    ("a new optional field", "$defs.OrderPlaced.properties.colour", {"type": "string"}, ""),
    ("another description", "description", "Otherwise said.", ""),
    ("an unknown keyword", "properties.source.contentEncoding", "base64", "contentEncoding is narrower"),
    ("fewer that are required", "required", [], ""),
]


def changed(schema, path, value):
    schema = copy.deepcopy(schema)
    *parents, last = path.split(".")
    place = schema
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    elif path == "required":
        place[last] = [*place[last], *value] if value else []
    else:
        assert place.get(last) != value
        place[last] = value
    return schema


@pytest.mark.parametrize(("_what", "path", "value", "broken"), CHANGES)
def test_a_change_is_judged_by_what_senders_may_still_send(_what, path, value, broken):
    before = published("order_placed")
    after = changed(before, path, value)
    found = ingestion.broken_promises(before, after)
    assert bool(found) is bool(broken), found
    assert broken in "".join(found)
    raised = after | {"$id": before["$id"].replace(":1", ":2")}
    assert ingestion.broken_promises(before, raised) == [], "a new version promises anew"


def test_a_folder_whose_promise_would_be_broken_is_not_written(tmp_path):
    wider = changed(published("order_placed"), "properties.customer_ref.maxLength", 900)
    (tmp_path / "order_placed.schema.json").write_text(json.dumps(wider))
    (tmp_path / "parcel_lost.schema.json").write_text("{}")
    answer = CliRunner().invoke(app, ["schemas", "--out", str(tmp_path), "--json"])
    assert answer.exit_code == 1 and answer.stdout == ""
    assert "order_placed #/customer_ref: maxLength is narrower" in answer.stderr
    assert "parcel_lost: the kind is gone" in answer.stderr
    assert len(list(tmp_path.iterdir())) == 2
