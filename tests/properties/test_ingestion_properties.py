"""Whatever arrives: nothing raises, every row is accounted for, nothing is counted twice."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.ingestion import bulk
from shouxin.ingestion.domain import KINDS, Fact, check_envelope, check_row
from shouxin.ingestion.domain.wording import without_contacts
from shouxin.kernel import silent

KEYS = Keyring.from_master(b"k" * 32)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SHARED = {"suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
good_payloads = {
    "order_paid": {"method": "card"},
    "login_recorded": {},
    "order_placed": {"items": 1, "payment_method": "card"},
    "review_posted": {"rating": 5, "text": "好 13900000000"},
    "customer_verified": {"identifier": "phone"},
}
envelopes = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["shop", "Shop", ""]) | st.text(max_size=5),
        "source_id": st.sampled_from(["1", "2", "3"]) | st.text(max_size=5),
        "kind": st.sampled_from([*good_payloads, "nothing"]),
        "customer_ref": st.sampled_from(["C1", "C2"]) | json_values,
        "occurred_at": st.sampled_from(
            ["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00"]
        ),
        "payload": st.sampled_from(list(good_payloads.values())) | json_values,
    },
    optional={
        "order_ref": st.sampled_from(["O1", None]),
        "amount": st.just({"value": "1.00", "currency": "CNY"}) | json_values,
        "personal": st.dictionaries(st.sampled_from(["phone", "device", "x"]), st.text(max_size=5)),
        "other": json_values,
    },
)
garbage = st.binary(max_size=40) | json_values.map(lambda value: {"x": value}) | envelopes


@settings(max_examples=40, **SHARED)
@given(batch=st.lists(garbage, max_size=12))
def test_any_batch_is_accounted_for_and_idempotent(db, batch):
    with db.begin_nested() as savepoint:
        first = ingestion.accept(db, batch, keyring=KEYS, now=NOW)
        kept = len(ingestion.list_quarantine(db))
        stored = ingestion.event_count(db)
        again = ingestion.accept(db, batch, keyring=KEYS, now=NOW)
        assert first.read == again.read == len(batch)
        assert first.accepted == stored == ingestion.event_count(db)
        assert (again.accepted, again.quarantined) == (0, first.quarantined)
        assert again.reasons == first.reasons
        assert kept == len(ingestion.list_quarantine(db)) <= first.quarantined
        savepoint.rollback()


times = st.sampled_from(
    [
        "2026-01-01",
        "2026-01-01T10:00:00+08:00",
        "2026-01-01 10:00",
        "2026-13-01",
        "2026-01-01T24:00:00",
        "",
        None,
        "2026-02-29T00:00:00Z",
        "20260101",
        "2026-01-01T10:00:00.123456Z",
        "infinity",
        "2030-01-01",
        "1969-12-31",
    ]
)
references = st.sampled_from(
    ["a", "b", "", " ", "\u3000", "x" * 201, "y" * 200, "汉" * 200, "a\x01", None]
) | st.text(max_size=6)
rows = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["shop", "shop\n", "Shop", "", None, "a" * 65]),
        "source_id": references,
        "kind": st.sampled_from([*KINDS, "x", None]),
        "version": st.sampled_from(["1", "", None, "2", "01", "1.0"]),
        "customer_ref": references,
        "occurred_at": times,
        "received_at": times,
        "order_ref": references,
        "amount_minor": st.sampled_from(
            ["100", "0", "-1", "1.5", "12.0", "9" * 18, "9" * 19, "abc", "", None]
        ),
        "amount": st.sampled_from([None, None, "1.00"]),
        "currency": st.sampled_from(["CNY", "cny", "", None]),
        "payload": st.sampled_from([json.dumps(value) for value in good_payloads.values()])
        | st.sampled_from(['{"method": "\\u0000"}', '{"method": "\\ud800"}', "{}", "", "[]", "null", None])
        # Names of fields in escapes; texts that are payloads only when joined with their neighbours.
        | st.sampled_from(['{"te\\u0078t": "13900000000", "rating": 5}', '{"method": "\\u5fae\\u4fe1"}'])
        | st.sampled_from(
            ['{"rating": 5', '"rating": 5}', "{}, {}", "{}, [{}", "{}]", '{"rating": 5,}', "{} "]
        )
        | json_values.map(json.dumps),
        "personal": st.sampled_from(
            [None, "", '{"phone": "1"}', '{"device": "d"}', "[", '{"phone": null}', "null"]
        ),
    }
)


@settings(max_examples=80, **SHARED)
@given(batch=st.lists(rows, min_size=1, max_size=12))
def test_the_quick_way_takes_exactly_what_the_full_check_takes(batch):
    table = pa.Table.from_pylist(
        [row | {"place": "f:1", "position": i} for i, row in enumerate(batch)],
        schema=pa.schema(
            [(name, pa.string()) for name in batch[0]] + [("place", pa.string()), ("position", pa.int32())]
        ),
    )
    found = bulk.screened(table, now=NOW, token=KEYS.token)
    verdicts = [check_row(row, now=NOW) for row in batch]
    assert {item.position: (item.field, item.reason) for item in found.refused} == {
        i: (v.field, v.reason) for i, v in enumerate(verdicts) if not isinstance(v, Fact)
    }
    first = {}
    for verdict in verdicts:
        if isinstance(verdict, Fact):
            first.setdefault((verdict.source, verdict.source_id), verdict)
    taken = {(row["source"], row["source_id"]): row for row in found.table.to_pylist()}
    assert taken.keys() == first.keys()
    for identity, fact in first.items():
        row = taken[identity]
        assert (row["kind"], row["customer_ref"], row["order_ref"]) == (
            fact.kind,
            fact.customer_ref,
            fact.order_ref,
        )
        assert (row["occurred_at"], row["received_at"]) == (fact.occurred_at, fact.received_at)
        assert (row["amount_minor"], row["currency"]) == (
            (fact.amount.minor, fact.amount.currency) if fact.amount else (None, None)
        )
        assert "13900000000" not in row["payload"]
        stored = {k: v for k, v in json.loads(row["payload"]).items() if not k.endswith("_token")}
        assert {k: v for k, v in stored.items() if v is not None} == json.loads(fact.payload)


@settings(max_examples=10, **SHARED)
@given(batch=st.lists(rows, min_size=1, max_size=12))
def test_any_rows_can_be_stored(db, batch):
    columns = {name: pa.array([row[name] for row in batch], pa.string()) for name in batch[0]}
    columns |= {"place": pa.array(["f:1"] * len(batch)), "position": pa.array(range(len(batch)), pa.int32())}
    chunk = ingestion.Interpreted(pa.table(columns), (), 0, "canonical")
    with db.begin_nested() as savepoint:
        receipts = [
            ingestion.service._load(db, [chunk], keyring=KEYS, now=NOW, progress=silent) for _ in range(2)
        ]
        assert receipts[0].read == receipts[1].read == len(batch)
        assert receipts[0].accepted == ingestion.event_count(db)
        assert receipts[1].accepted == 0
        savepoint.rollback()


@given(raw=st.binary(max_size=200))
@settings(max_examples=200)
def test_no_bytes_can_break_the_door(raw):
    check_envelope(raw, now=NOW)


@given(late=st.integers(-600, 600))
def test_the_clock_of_a_shop_may_be_five_minutes_ahead(late):
    at = NOW + timedelta(seconds=late)
    row = {
        "source": "shop",
        "source_id": "1",
        "kind": "login_recorded",
        "customer_ref": "C",
        "occurred_at": at,
    }
    row |= {"received_at": max(at, NOW)}
    assert isinstance(check_row(row, now=NOW), Fact) is (late <= 300)


@given(text=st.text(max_size=50))
def test_masking_is_stable(text):
    once = without_contacts(text)
    assert without_contacts(once) == once


@settings(max_examples=60, **SHARED)
@given(names=st.lists(st.tuples(st.sampled_from(["shop", "web"]), st.sampled_from("abc")), max_size=8))
def test_of_rows_with_one_identity_the_first_is_taken(names):
    batch = [
        {"source": source, "source_id": name, "kind": "login_recorded", "customer_ref": f"C{position}"}
        | {"occurred_at": "2026-01-01", "payload": "{}", "place": "f:1", "position": position}
        for position, (source, name) in enumerate(names)
    ]
    first = {}
    for row in batch:
        first.setdefault((row["source"], row["source_id"]), row["customer_ref"])
    schema = pa.schema([(name, pa.string()) for name in (*ingestion.reading.REQUIRED_COLUMNS, "place")])
    table = pa.Table.from_pylist(batch, schema=schema.append(pa.field("position", pa.int32())))
    found = bulk.screened(table, now=NOW, token=KEYS.token).table.to_pylist()
    assert {(row["source"], row["source_id"]): row["customer_ref"] for row in found} == first
    assert len(found) == len(first)


review_payloads = st.sampled_from(
    [
        '{"rating": 5}',
        '{"te\\u0078t": "13900000000", "rating": 5}',
        '{"text": "\\u0031390000000", "rating": 5}',
        '{"rating": 5',
        '"rating": 5}',
        ', {"rating": 5}',
        '{"rating": 5}, {"rating": 5}',
        '{"rating": 5}, {"rating": 5',
        '{"rating": 5,}',
        ' {"rating": 5}\n',
        "[]",
        "{}",
    ]
)


@settings(max_examples=100, **SHARED)
@example(payloads=['{"rating": 5', '"rating": 5}', '{"rating": 5}, {"rating": 5}'])  # three, when joined
@given(payloads=st.lists(review_payloads, min_size=1, max_size=6))
def test_a_payload_is_judged_alone_whatever_its_neighbours_are(payloads):
    row = {"source": "shop", "kind": "review_posted", "customer_ref": "C", "occurred_at": "2026-01-01"}
    batch = [
        row | {"source_id": str(position), "payload": payload, "place": "f:1"}
        for position, payload in enumerate(payloads)
    ]
    schema = pa.schema([(name, pa.string()) for name in batch[0]])
    table = pa.Table.from_pylist(batch, schema=schema)
    table = table.append_column("position", pa.array(range(len(batch)), pa.int32()))
    found = bulk.screened(table, now=NOW, token=KEYS.token)
    verdicts = [check_row(row, now=NOW) for row in batch]
    assert {item.position for item in found.refused} == {
        position for position, verdict in enumerate(verdicts) if not isinstance(verdict, Fact)
    }
    stored = {row["position"]: json.loads(row["payload"]) for row in found.table.to_pylist()}
    assert stored == {
        position: json.loads(verdict.payload)
        for position, verdict in enumerate(verdicts)
        if isinstance(verdict, Fact)
    }
