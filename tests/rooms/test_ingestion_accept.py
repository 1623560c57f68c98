"""Events that a shop's program sends: taken, known already, or refused with the field and the reason."""

import json
from datetime import timedelta

import pytest
import sqlalchemy
from sqlalchemy import text

from shouxin import ingestion
from shouxin.governance import Keyring, sealer
from shouxin.kernel import Event, Money

KEYS = Keyring.from_master(b"k" * 32)


def order(number=1, **changes):
    item = {
        "source": "shop",
        "source_id": f"e-{number}",
        "kind": "order_placed",
        "version": 1,
        "customer_ref": "C1",
        "occurred_at": "2026-03-01T10:00:00+08:00",
        "order_ref": f"O{number}",
        "amount": {"value": "1299.00", "currency": "CNY"},
        "payload": {"items": 2, "payment_method": "credit"},
    }
    return {name: value for name, value in (item | changes).items() if value is not None}


def register(ref="C1", **personal):
    return order(
        f"r-{ref}",
        kind="customer_registered",
        customer_ref=ref,
        order_ref=None,
        amount=None,
        payload={"channel": "app"},
        personal=personal,
    )


def test_an_order_is_stored_as_it_was_sent_and_learnt_now(db, now):
    receipt = ingestion.accept(db, [order()], keyring=KEYS, now=now)
    assert receipt.as_data() == {"read": 1, "accepted": 1, "duplicates": 0, "quarantined": 0, "reasons": {}}
    (event,) = ingestion.list_events(db, [("shop", "C1")], as_of=now)
    assert event.amount == Money(129900, "CNY")
    assert (event.order_ref, event.payload) == ("O1", {"items": 2, "payment_method": "credit"})
    assert event.received_at == now


def test_an_order_of_nothing_is_an_order(db, now):
    free = order(amount={"value": "0.00", "currency": "CNY"})
    assert ingestion.accept(db, [free], keyring=KEYS, now=now).accepted == 1
    (event,) = ingestion.list_events(db, [("shop", "C1")], as_of=now)
    assert event.amount == Money(0, "CNY")


def test_the_same_event_again_is_a_duplicate_also_within_a_batch(db, now):
    first = ingestion.accept(db, [order(1), order(1), order(2)], keyring=KEYS, now=now)
    again = ingestion.accept(db, [json.dumps(order(1)).encode()], keyring=KEYS, now=now)
    assert (first.accepted, first.duplicates) == (2, 1)
    assert (again.accepted, again.duplicates) == (0, 1)
    assert ingestion.event_count(db) == 2


@pytest.mark.parametrize(
    ("changes", "pointer", "reason"),
    [
        ({"kind": "order_eaten"}, "/kind", "unknown kind"),
        ({"kind": None}, "/kind", "missing"),
        ({"customer_ref": ""}, "/customer_ref", "missing"),
        ({"source_id": "a\x00b"}, "/source_id", "holds a control character"),
        ({"source": "Shop Nr. 1"}, "/source", "not a source name (a-z, 0-9, - and _)"),
        ({"version": 2}, "/version", "unknown version"),
        ({"occurred_at": "2026-03-02T09:36:00Z"}, "/occurred_at", "in the future"),
        ({"occurred_at": "yesterday"}, "/occurred_at", "Invalid RFC3339 encoded datetime"),
        ({"order_ref": None}, "/order_ref", "missing"),
        ({"amount": None}, "/amount", "missing"),
        ({"amount": {"value": "-1.00", "currency": "CNY"}}, "/amount/value", "negative"),
        (
            {"amount": {"value": "1.001", "currency": "CNY"}},
            "/amount/value",
            "not an amount of this currency",
        ),
        ({"amount": {"value": 1, "currency": "CNY"}}, "/amount/value", "expected str, got int"),
        (
            {"amount": {"value": "1", "currency": "yuan"}},
            "/amount/currency",
            "not a currency code (ISO 4217)",
        ),
        ({"payload": {"items": 0, "payment_method": "card"}}, "/payload/items", "expected int >= 1"),
        ({"payload": {"items": 1}}, "/payload/payment_method", "missing"),
        (
            {"payload": {"items": 1, "payment_method": "gold"}},
            "/payload/payment_method",
            "not one of the allowed values",
        ),
        (
            {"payload": {"items": 1, "payment_method": "card", "phone": "1"}},
            "/payload/phone",
            "unknown field",
        ),
        ({"colour": "red"}, "/colour", "unknown field"),
        ({"personal": {"email": "a@b.example"}}, "/personal/email", "not part of this kind"),
    ],
)
def test_a_refusal_names_the_field_and_the_reason(db, now, changes, pointer, reason):
    receipt = ingestion.accept(
        db,
        [order(1), order(2, **changes) if changes.get("kind", 1) else _without_kind()],
        keyring=KEYS,
        now=now,
    )
    (refusal,) = receipt.refusals
    assert (receipt.accepted, receipt.quarantined) == (1, 1)
    assert (refusal.position, refusal.pointer, refusal.reason) == (1, pointer, reason)


def _without_kind():
    return {name: value for name, value in order(2).items() if name != "kind"}


def test_personal_values_become_tokens_and_nothing_clear_is_stored(db, now):
    register_event = register(name="王小明", phone="+86 199-0000-0001", address="某路 1 号")
    device = order(3, personal={"device": "device-77", "card": "6222000011112222"})
    ingestion.accept(db, [register_event, device], keyring=KEYS, now=now)
    events = ingestion.list_events(db, [("shop", "C1")], as_of=now)
    payloads = {event.kind: event.payload for event in events}
    assert payloads["customer_registered"]["phone_token"] == KEYS.token("phone", "19900000001")
    assert payloads["order_placed"]["device_token"] == KEYS.token("device", "device-77")
    facts = {fact.field: fact for fact in ingestion.personal_facts(db, [("shop", "C1")])}
    assert set(facts) == {"name", "phone", "address"}, "devices and cards are tokens only"
    opened = sealer(db, KEYS).open("shop:C1", "name", bytes(facts["name"].sealed))
    assert opened == "王小明"
    # Long enough not to stand in a ciphertext by chance, as four digits do now and then.
    clear_values = ("王小明", "0000001", "0000-0001", "某路", "device-77", "62220000")
    for table in ("event", "personal", "quarantine"):
        stored = db.scalar(text(f"SELECT coalesce(string_agg(x::text, ' '), '') FROM ingestion.{table} x"))
        assert not any(clear in stored for clear in clear_values)


def test_a_verified_identifier_is_marked(db, now):
    proof = register() | {
        "source_id": "v1",
        "kind": "customer_verified",
        "payload": {"identifier": "phone"},
        "personal": {"phone": "19900000001"},
    }
    ingestion.accept(db, [proof], keyring=KEYS, now=now)
    (fact,) = ingestion.personal_facts(db, [("shop", "C1")])
    assert (fact.field, fact.verified) == ("phone", True)
    nothing = ingestion.accept(db, [proof | {"source_id": "v2", "personal": {}}], keyring=KEYS, now=now)
    assert nothing.reasons == {"personal/phone: missing": 1}


def test_a_duplicate_registration_adds_no_second_sealed_value(db, now):
    for name in ("甲", "乙"):
        ingestion.accept(db, [register(name=name)], keyring=KEYS, now=now)
    assert len(ingestion.personal_facts(db, [("shop", "C1")])) == 1


def test_telephone_numbers_in_reviews_are_masked(db, now):
    review = order(
        9,
        kind="review_posted",
        amount=None,
        payload={"rating": 1, "text": "打我电话 199 0000 0001, a@b.example!"},
    )
    ingestion.accept(db, [review], keyring=KEYS, now=now)
    (event,) = ingestion.list_events(db, [("shop", "C1")], as_of=now)
    assert event.payload["text"] == "打我电话 […], […]!"


def test_the_key_of_a_shop_decides_the_source(db, now):
    ingestion.accept(db, [order()], keyring=KEYS, now=now, source="partner")
    assert ingestion.list_events(db, [("shop", "C1")], as_of=now) == []
    assert len(ingestion.list_events(db, [("partner", "C1")], as_of=now)) == 1


def test_a_reader_sees_only_what_had_happened_and_was_known(db, now):
    day = timedelta(days=1)
    events = [
        Event("credit", f"x{i}", "line_opened", 1, "cus_1", now - i * day, received, Money(100, "CNY"))
        for i, received in enumerate((now, now + 5 * day, now - 2 * day))
    ]
    assert ingestion.record(db, events).accepted == 3
    ref = [("credit", "cus_1")]
    assert [e.source_id for e in ingestion.list_events(db, ref, as_of=now)] == ["x2", "x0"]
    assert [e.source_id for e in ingestion.list_events(db, ref, as_of=now + 5 * day)] == ["x2", "x1", "x0"]
    assert [e.source_id for e in ingestion.list_events(db, ref, as_of=now, limit=1)] == ["x0"]
    assert [e.source_id for e in ingestion.list_events(db, ref, as_of=now, since=now - day)] == ["x0"]
    assert ingestion.list_events(db, ref, as_of=now, kinds=["order_paid"]) == []


def test_a_wrong_fact_of_our_own_is_a_bug(db, now):
    with pytest.raises(AssertionError, match="amount: missing"):
        ingestion.record(db, [Event("credit", "x", "line_opened", 1, "cus_1", now, now)])


def test_the_application_can_not_change_or_remove_an_event(db, now):
    ingestion.accept(db, [order()], keyring=KEYS, now=now)
    for statement in ("UPDATE ingestion.event SET kind = 'x'", "DELETE FROM ingestion.event"):
        with pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"), db.begin_nested():
            db.execute(text(statement))


def test_references_appear_once_and_in_order(db, now):
    ingestion.accept(db, [order(1), order(2, customer_ref="C0"), order(3)], keyring=KEYS, now=now)
    references, last = ingestion.new_references(db, after_event_no=0)
    assert references == [("shop", "C1"), ("shop", "C0")]
    assert ingestion.new_references(db, after_event_no=last) == ([], last)


def test_refused_items_wait_sealed_and_are_kept_once(db, now):
    wrong = order(1, payload={"items": 1, "payment_method": "card", "phone": "19900000001"})
    for _ in range(2):
        assert ingestion.accept(db, [wrong, b"\xff{"], keyring=KEYS, now=now).quarantined == 2
    rows = ingestion.list_quarantine(db)
    assert {(row.place, row.field, row.reason) for row in rows} == {
        ("item 0", "payload/phone", "unknown field"),
        ("item 1", "", "not valid JSON"),
    }
    assert len(rows) == 2
    sealed = db.execute(text("SELECT sealed FROM ingestion.quarantine")).scalars()
    assert not any(b"1990000" in bytes(value) for value in sealed)


def test_what_was_too_early_is_taken_at_the_replay(db, now):
    early = order(1, occurred_at=(now + timedelta(hours=1)).isoformat())
    assert ingestion.accept(db, [early], keyring=KEYS, now=now).quarantined == 1
    assert ingestion.replay_quarantine(db, KEYS, now).quarantined == 1, "still in the future"
    later = now + timedelta(hours=2)
    assert ingestion.replay_quarantine(db, KEYS, later).accepted == 1
    assert ingestion.replay_quarantine(db, KEYS, later).read == 0, "released rows are not tried again"
    assert ingestion.list_quarantine(db)[0].released_at == later
    (event,) = ingestion.list_events(db, [("shop", "C1")], as_of=later)
    assert event.received_at == later, "nobody could have seen it before"
